"""Every operation and every input member of AWS's model has its treatment, and nothing else has one."""

from pathlib import Path

import pytest

from tradewind.api.coverage import COVERAGE, Treatment, as_markdown
from tradewind.api.operations import OPERATIONS
from tradewind.wire import load_service

SERVICE = load_service("mwaa")
PAGE = Path(__file__).parents[3] / "docs" / "coverage.md"


def test_the_operations_are_the_models():
    assert set(COVERAGE) == set(SERVICE.operations)
    assert set(OPERATIONS) == set(SERVICE.operations)


@pytest.mark.parametrize("operation", SERVICE.operations)
def test_the_members_are_the_models(operation):
    top = {member for member in SERVICE.input_members(operation) if "." not in member}
    assert set(COVERAGE[operation]) == top


def test_every_treatment_is_used():
    assert {treatment for members in COVERAGE.values() for treatment in members.values()} == set(Treatment)


def test_the_page_is_made_from_the_list():
    assert PAGE.read_text() == as_markdown(), "run: python -m tradewind.api.coverage > docs/coverage.md"
