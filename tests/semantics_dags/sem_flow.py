"""Which task runs when: trigger rules, branches, skips, setup and teardown, mapping."""

from airflow.sdk import dag, get_current_context, setup, task, task_group, teardown
from airflow.sdk.exceptions import AirflowSkipException
from semantics_notes import note

# fmt: off
RULES = ("all_success", "all_failed", "all_done", "all_skipped", "one_failed", "one_success", "one_done",
         "none_failed", "none_failed_min_one_success", "none_skipped", "always", "all_done_min_one_success")
# fmt: on


@task
def passes():
    return "passed"


@task
def fails():
    raise ValueError("as asked")


@task
def skips():
    raise AirflowSkipException


def _skip():
    raise AirflowSkipException


@dag(schedule=None, tags=["semantics"])
def sem_rules():
    ups = [passes.override(task_id="up_passed")(), fails.override(task_id="up_failed")(),
           skips.override(task_id="up_skipped", trigger_rule="all_done")()]  # fmt: skip
    # A rule is judged as soon as it can be: with the failure known before the skip, each has one answer.
    ups[1] >> ups[2]
    for rule in RULES:
        ups >> passes.override(task_id=f"rule_{rule}", trigger_rule=rule)()
    last = ups[1]
    for level in range(1, 6):
        this = passes.override(task_id=f"cascade_{level}")()
        last >> this
        last = this
    skipped = ups[2]
    for level in (1, 2):
        this = passes.override(task_id=f"skip_cascade_{level}")()
        skipped >> this
        skipped = this


@dag(schedule=None, tags=["semantics"])
def sem_branches():
    @task.branch
    def choose():
        return "left"

    @task.short_circuit
    def stop():
        return False

    @task.short_circuit(ignore_downstream_trigger_rules=False)
    def stop_one():
        return False

    join = passes.override(task_id="join", trigger_rule="none_failed_min_one_success")()
    choose() >> [passes.override(task_id="left")(), passes.override(task_id="right")()] >> join
    stop() >> passes.override(task_id="behind")() >> passes.override(task_id="far_behind", trigger_rule="all_done")()
    end = passes.override(task_id="one_far_behind", trigger_rule="all_done")()
    stop_one() >> passes.override(task_id="one_behind")() >> end


@dag(schedule=None, tags=["semantics"])
def sem_teardown():
    @setup
    def make():
        note("made")
        return "made"

    @task
    def work():
        note("worked")
        raise ValueError("as asked")

    @teardown
    def clean():
        note("cleaned")

    @setup
    def cannot_make():
        raise ValueError("as asked")

    @teardown
    def clean_nothing():
        note("cleaned nothing")

    @teardown
    def cannot_clean():
        raise ValueError("as asked")

    made = make()
    made >> work() >> clean().as_teardown(setups=made)
    not_made = cannot_make()
    behind = passes.override(task_id="behind_cannot_make")()
    not_made >> behind >> clean_nothing().as_teardown(setups=not_made)
    passes.override(task_id="before_cannot_clean")() >> cannot_clean()


@dag(schedule=None, tags=["semantics"])
def sem_teardown_ignored():
    @teardown
    def cannot_clean():
        raise ValueError("as asked")

    passes() >> cannot_clean()


@dag(schedule=None, tags=["semantics"])
def sem_mapping():  # noqa: C901  (a list of tasks, not a function)
    @task
    def numbers():
        return [1, 2, 3]

    @task
    def letters():
        return {"a": 1, "b": 2}

    @task
    def nothing():
        return []

    @task
    def double(number):
        return number * 2

    @task(map_index_template="{{ name }}")
    def named(number):
        get_current_context()["name"] = f"number-{number}"
        return number

    @task
    def add(values):
        return sum(values)

    @task(retries=1, retry_delay=0)
    def second_fails(number):
        note("start", number=number)
        if number == 2:
            raise ValueError("two")
        if number == 3 and get_current_context()["ti"].try_number == 1:
            raise ValueError("three, once")
        return number

    @task
    def pair(left, right):
        return f"{left}{right}"

    @task
    def item(entry):
        return entry

    @task
    def not_mappable():
        return 7

    @task_group
    def group(number):
        return add.override(task_id="sum_of_one")([double.override(task_id="inner")(number)])

    given = numbers()
    add(double.expand(number=given))
    named.expand(number=[1, 2])
    behind = passes.override(task_id="behind_mapped", trigger_rule="all_done")()
    second_fails.expand(number=given) >> behind
    pair.expand(left=["x", "y"], right=[1, 2])
    item.expand(entry=letters())
    double.override(task_id="of_nothing").expand(number=nothing()) >> passes.override(task_id="behind_nothing")()
    double.override(task_id="not_expanded").expand(number=not_mappable())
    add.override(task_id="of_groups")(group.expand(number=[1, 2]))
    double.override(task_id="filtered").expand(number=given.map(lambda number: number + 10 if number < 2 else _skip()))


sem_rules()
sem_branches()
sem_teardown()
sem_teardown_ignored()
sem_mapping()
