"""The contract of order: trigger rules, branches, skips, setup and teardown, mapping."""

import pytest

from tests.scenario.engines import Engine

pytestmark = pytest.mark.timeout(900)

# A task below one that passed, one that failed and one that was skipped.
RULES = {
    "all_success": "upstream_failed",
    "all_failed": "skipped",
    "all_done": "success",
    "all_skipped": "skipped",
    "one_failed": "success",
    "one_success": "success",
    "one_done": "success",
    "none_failed": "upstream_failed",
    "none_failed_min_one_success": "upstream_failed",
    "none_skipped": "skipped",
    "always": "success",
    "all_done_min_one_success": "skipped",  # a skip above is a skip here, though one passed
}
BRANCHES = {
    "choose": "success",
    "left": "success",
    "right": "skipped",
    "join": "success",
    "stop": "success",
    "behind": "skipped",
    "far_behind": "skipped",  # a short circuit skips all that follows, whatever its trigger rule
    "stop_one": "success",
    "one_behind": "skipped",
    "one_far_behind": "success",  # unless it is told to go by the rules
}
TEARDOWN = {
    "make": "success",
    "work": "failed",
    "clean": "success",  # though the work before it failed
    "cannot_make": "failed",
    "behind_cannot_make": "upstream_failed",
    "clean_nothing": "upstream_failed",  # no teardown of what was not set up
    "before_cannot_clean": "success",
    "cannot_clean": "failed",
}


@pytest.mark.parametrize(("rule", "state"), RULES.items())
def test_trigger_rule(engine: Engine, rule: str, state: str) -> None:
    assert engine.task("sem_rules", f"rule_{rule}")[0] == state


def test_a_failure_goes_down_five_levels_without_a_try(engine: Engine) -> None:
    for level in range(1, 6):
        assert engine.task("sem_rules", f"cascade_{level}") == ("upstream_failed", 0)
        assert engine.ended("sem_rules")[f"cascade_{level}", -1]["pid"] is None


def test_a_skip_goes_down_without_a_try(engine: Engine) -> None:
    for level in (1, 2):
        assert engine.task("sem_rules", f"skip_cascade_{level}") == ("skipped", 0)


@pytest.mark.parametrize(("task", "state"), BRANCHES.items())
def test_branch(engine: Engine, task: str, state: str) -> None:
    assert engine.task("sem_branches", task)[0] == state


@pytest.mark.parametrize(("task", "state"), TEARDOWN.items())
def test_setup_and_teardown(engine: Engine, task: str, state: str) -> None:
    assert engine.task("sem_teardown", task)[0] == state


def test_teardown_comes_after_the_work(engine: Engine) -> None:
    engine.ended("sem_teardown")
    assert [one["what"] for one in engine.notes("sem_teardown")] == ["made", "worked", "cleaned"]


@pytest.mark.parametrize(("dag", "state"), {
    "sem_rules": "failed", "sem_branches": "success", "sem_teardown": "failed",
    "sem_teardown_ignored": "success",  # a teardown that fails does not fail its run
    "sem_mapping": "failed",
}.items())  # fmt: skip
def test_state_of_the_run(engine: Engine, dag: str, state: str) -> None:
    assert engine.state(dag) == state


def mapped(engine: Engine, task: str) -> dict[int, tuple[str | None, int]]:
    found = engine.ended("sem_mapping")
    return {index: (one["state"], one["try_number"]) for (name, index), one in found.items() if name == task}


def test_a_mapped_task_has_an_instance_for_each_value(engine: Engine) -> None:
    assert mapped(engine, "double") == {0: ("success", 1), 1: ("success", 1), 2: ("success", 1)}
    assert [engine.xcom("sem_mapping", "double", map_index=index) for index in range(3)] == [2, 4, 6]


def test_all_results_of_a_mapped_task_come_in_order(engine: Engine) -> None:
    assert engine.xcom("sem_mapping", "add") == 12


def test_two_lists_are_mapped_crosswise(engine: Engine) -> None:
    values = [engine.xcom("sem_mapping", "pair", map_index=index) for index in range(4)]
    assert values == ["x1", "x2", "y1", "y2"]


def test_a_dictionary_is_mapped_by_entries(engine: Engine) -> None:
    values = [engine.xcom("sem_mapping", "item", map_index=index) for index in range(2)]
    assert str(values[0]).count("a") >= 1
    assert len(mapped(engine, "item")) == 2


def test_a_task_group_is_mapped(engine: Engine) -> None:
    assert len(mapped(engine, "group.inner")) == len(mapped(engine, "group.sum_of_one")) == 2
    assert engine.xcom("sem_mapping", "of_groups") == 6


def test_nothing_to_map_is_a_skip(engine: Engine) -> None:
    assert mapped(engine, "of_nothing") == {-1: ("skipped", 0)}
    assert mapped(engine, "behind_nothing") == {-1: ("skipped", 0)}


def test_what_cannot_be_mapped_fails_the_task_that_gave_it(engine: Engine) -> None:
    assert engine.task("sem_mapping", "not_mappable") == ("failed", 1)
    assert mapped(engine, "not_expanded") == {-1: ("upstream_failed", 0)}


def test_a_value_that_is_mapped_to_a_skip_is_a_skipped_instance(engine: Engine) -> None:
    assert [state for state, _ in mapped(engine, "filtered").values()] == ["success", "skipped", "skipped"]
    assert engine.xcom("sem_mapping", "filtered", map_index=0) == 22


def test_instances_of_a_mapped_task_have_tries_of_their_own(engine: Engine) -> None:
    assert mapped(engine, "second_fails") == {0: ("success", 1), 1: ("failed", 2), 2: ("success", 2)}
    assert engine.task("sem_mapping", "behind_mapped") == ("success", 1)


def test_an_instance_can_be_named(engine: Engine) -> None:
    names = [engine.ended("sem_mapping")["named", index]["rendered_map_index"] for index in range(2)]
    assert names == ["number-1", "number-2"]
