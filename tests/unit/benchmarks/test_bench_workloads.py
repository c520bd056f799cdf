"""What contenders are made to do is what the contract says."""

import ast

import pytest

from benchmarks import workloads


def test_the_sizes_are_the_contracts():
    chain, long_chain = workloads.chain(smoke=False), workloads.long_chain(smoke=False)
    assert (chain.dags, chain.lines, chain.length, chain.n) == (1, 1, 40, 10)
    assert (long_chain.dags, long_chain.lines, long_chain.length, long_chain.n) == (1, 1, 10, 33)
    fan, fleet = workloads.fan(smoke=False), workloads.fleet(smoke=False)
    assert (fan.dags, fan.lines, fan.length, fan.tasks) == (1, 200, 1, 200)
    assert (fleet.dags, fleet.lines, fleet.length, fleet.tasks) == (10, 10, 10, 1000)
    assert workloads.single().tasks == 1


def test_a_larger_fleet_begins_with_the_dags_of_a_smaller_one():
    small, large = workloads.fleet(smoke=False), workloads.fleet(smoke=False, times=8)
    assert large.ids[: len(small.ids)] == small.ids
    assert len(set(large.ids)) == large.dags == 80


@pytest.mark.parametrize("smoke", [True, False])
def test_files_are_python_named_after_their_dags(smoke):
    for name, text in {**workloads.standing(smoke=smoke), **workloads.fleet(smoke=smoke).files()}.items():
        ast.parse(text)
        assert repr(name.removesuffix(".py")) in text


def test_the_smallest_sizes_are_small():
    parts = (workloads.chain(smoke=True), workloads.fan(smoke=True), workloads.fleet(smoke=True, times=2))
    assert all(part.tasks <= 16 for part in parts)
