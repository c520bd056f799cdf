"""The deployed files are Python, and a changed one has the added task."""

import ast

import pytest

from benchmarks import dags


@pytest.mark.parametrize(
    "text",
    [dags.once("x"), dags.triggered("x"), dags.paused("x", "first", "added"), dags.lines("x", count=2, length=3, n=4)],
)
def test_it_is_python(text):
    ast.parse(text)


def test_a_paused_one_has_the_tasks_that_it_was_given():
    defined = {node.name for node in ast.walk(ast.parse(dags.paused("x", "first", "added"))) if hasattr(node, "name")}
    assert {"first", "added"} <= defined
    assert "added" not in dags.paused("x", "first")
