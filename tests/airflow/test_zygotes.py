"""Nursery, zygotes and their tasks' processes: who they are, what they inherit, and who dies with whom."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tradewind_airflow.zygotes import zygote

DRIVER = Path(__file__).parent / "zygotes_driver.py"
DAG = "from airflow.sdk import DAG\nwith DAG('{name}', schedule=None): pass\n"
FILES = {
    "closed.py": "import os, requests, more_itertools\nprint('parsed')\n" + DAG.format(name="closed"),
    "asks.py": "import time\nNOW = time.time()\n" + DAG.format(name="asks"),
    "raises.py": "raise ValueError('no')\n",
    "far_away.py": (
        "for n in range(5):\n    try:\n        open(f'/{n}' + ('/' + '\N{CJK UNIFIED IDEOGRAPH-4E00}' * 80) * 5)\n"
        "    except OSError:\n        pass\n"
    ),
    "leaves.py": "import os\nos._exit(3)\n",
    "hangs.py": "import time\ntime.sleep(20)\n" + DAG.format(name="hangs"),
}


@pytest.fixture(scope="module")
def seen(runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("zygotes")
    version = folder / "versions" / "v1"
    version.mkdir(parents=True)
    for name, text in FILES.items():
        (version / name).write_text(text)
    bundle = {
        "name": "dags", "classpath": "tradewind_airflow.bundle.SnapshotBundle", "kwargs": {"path": str(folder)},
    }  # fmt: skip
    done = subprocess.run(
        [runtime / "bin" / "python", "-P", DRIVER, str(folder)],
        env={
            "PATH": os.environ["PATH"], "HOME": str(folder), "AIRFLOW_HOME": str(folder),
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db", "_AIRFLOW__AS_LIBRARY": "1",
            "_AIRFLOW_PROCESS_CONTEXT": "client",
        },
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_the_first_task_of_a_file_gets_none(seen):
    assert seen["first"] == [{"later": True}, 0]


def test_a_closed_file_is_parsed_once_for_many_tasks_and_slots(seen):
    assert seen["closed"] == seen["second_slot"] == {"parsed": True}
    assert len(seen["zygotes"]) == 1
    all_of_them = [*seen["tasks"], *seen["at_the_same_time"]]
    assert {task["parent"] for task in all_of_them} == set(seen["zygotes"])
    assert all(task["dags"] == ["closed"] and task["parse_seconds"] < 0.1 for task in all_of_them)


def test_two_slots_have_tasks_at_the_same_time(seen):
    one, two = seen["at_the_same_time"]
    assert one["pid"] != two["pid"]
    assert one["random"] != two["random"]
    assert one["sockets"] == two["sockets"], "none of the other's"


def test_a_task_starts_while_the_end_of_another_was_not_heard_yet(seen):
    assert seen["beside_one_that_ended"] == [0, 0]


def test_each_task_has_its_process_its_group_and_its_numbers(seen):
    tasks = seen["tasks"]
    assert len({task["pid"] for task in tasks}) == len({task["random"] for task in tasks}) == len(tasks)
    assert len({task["librarys_random"] for task in tasks}) == len(tasks)
    assert all(task["group"] == task["pid"] for task in tasks)
    assert all(task["status"] == 0 for task in tasks)
    assert all(task["term"] == "0" for task in tasks), "SIG_DFL"


def test_it_has_its_four_channels_and_no_other_socket(seen):
    """Requests, stdout and stderr are there twice, as in stock."""
    assert [task["sockets"] for task in seen["tasks"]] == [7, 7, 7]
    assert [task["given_to_commands"] for task in seen["tasks"]] == [0, 0, 0], "what it executes has none of them"


def test_its_environment_is_the_slots(seen):
    assert {task["own"] for task in seen["tasks"]} == {"set after the nursery"}


def test_what_the_parse_said_is_said_by_each_task(seen):
    for task in seen["tasks"]:
        assert task["printed"] == ["parsed"]
        assert '"event":"Filling up the DagBag from' in task["log"]
        assert '"logger":"said.by.task"' in task["log"]


def test_a_signal_is_told_as_it_is_in_stock_and_meets_one_task_only(seen):
    assert seen["terminated"] == [-15, "SIGTERM", False]


def test_a_slot_that_is_out_of_step_loses_its_task_and_no_other(seen):
    assert seen["out_of_step"] == [-9, True, False]


def test_a_nursery_without_room_for_a_process_says_later_and_keeps_the_others(seen):
    assert seen["no_room"] == [{"later": True}, False]


def test_a_zygote_without_room_for_a_task_lets_go_of_that_slot_only(seen):
    assert seen["no_room_for_a_task"] == ["the zygote does not answer", False]


def test_a_slots_task_ends_with_it_and_no_other(seen):
    assert seen["slot_gone"] == [True, False, False]


def test_a_task_dies_with_its_zygote_and_counts_as_killed(seen):
    assert seen["zygote_killed"] == [-9, True]


@pytest.mark.parametrize(
    ("name", "why"),
    [("asks.py", "it asks time.time"), ("raises.py", "it cannot be imported"), ("leaves.py", "its zygote ended")],
)
def test_a_file_that_misbehaves_is_refused(seen, name, why):
    assert seen[name] == {"refused": why}


def test_reasons_fit_into_a_message_in_whatever_letters(seen):
    assert seen["far_away.py"]["refused"].startswith("it ")
    assert len(json.dumps(seen["far_away.py"])) < zygote.MESSAGE_MOST


def test_a_refused_file_is_not_parsed_again(seen):
    assert seen["asked_again"] == [{"refused": "it asks time.time"}, 0]


def test_a_file_whose_zygote_was_killed_gets_another(seen):
    assert seen["again"] == {"parsed": True}


def test_without_the_nursery_nothing_is_left_and_nobody_is_asked(seen):
    assert seen["nursery_killed"] == [-9, True, True]
    assert seen["after"] is True


def test_a_zygote_that_is_too_large_is_refused(seen):
    assert seen["too_large"]["refused"].startswith("its zygote occupies ")


def test_a_zygote_that_nobody_needs_ends(seen):
    assert seen["idle"] == [True, None], "the end of the connection"
    assert zygote.IDLE_SECONDS < zygote.AGE_SECONDS <= 3600


def test_a_parse_that_hangs_is_given_up_and_its_process_ends(seen):
    (said, ended) = seen["hangs"]
    assert said["refused"].startswith("it is not parsed after ")
    assert all(ended)
