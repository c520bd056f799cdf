"""DAG runs through InvokeRestApi: what is asked, how it is told, and what a lost answer does."""

import botocore.exceptions
import pytest

from tradewind.cli.dags import follow_run
from tradewind.cli.failures import Failure
from tradewind.cli.runs import Airflow


class Counted:
    now = 0.0

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Lines:
    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(" ".join(text.split()))

    def show(self, text):
        pass


class AnswersInTurn:
    """A service whose Airflow gives these answers; every call is kept."""

    def __init__(self, *answers):
        self.answers, self.calls = list(answers), []

    def airflow(self, name, method, path, *, query=None, body=None):
        self.calls.append((method, path, query or body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def unavailable(code=503):
    kind = "RestApiServerException" if code >= 500 else "RestApiClientException"
    return botocore.exceptions.ClientError({"Error": {"Code": kind}, "RestApiStatusCode": code}, "InvokeRestApi")


def airflow(service, patience=0.0):
    time = Counted()
    return Airflow(service, "etl", patience, time.clock, time.sleep)


def instance(task, state, *, tries=1, index=-1, seconds=1.0, start="2026-11-22T08:00:00Z"):
    return {
        "task_id": task, "map_index": index, "state": state, "try_number": tries, "duration": seconds,
        "start_date": start,
    }  # fmt: skip


def tasks(*found):
    return {"task_instances": list(found), "total_entries": len(found)}


def test_every_page_is_read():
    sizes = (100, 100, 50)
    service = AnswersInTurn(*[{"dags": [{"dag_id": "d"}] * size, "total_entries": 250} for size in sizes])
    assert len(list(airflow(service).dags())) == 250
    assert [query["offset"] for _, _, query in service.calls] == [0, 100, 200]


def test_a_list_that_shrinks_meanwhile_ends():
    service = AnswersInTurn({"dags": [{"dag_id": 1}], "total_entries": 500}, {"dags": [], "total_entries": 500})
    assert len(list(airflow(service).dags())) == 1


@pytest.mark.parametrize(
    ("name", "part"), [("a/b", "a%2Fb"), ("..", ".."), ("run+1 x", "run%2B1%20x"), ("ä?", "%C3%A4%3F")]
)
def test_names_are_one_segment_of_a_path(name, part):
    service = AnswersInTurn({"state": "success"})
    airflow(service).run("d", name)
    assert service.calls[0][1] == f"/dags/d/dagRuns/{part}"


def test_tasks_in_the_order_in_which_they_began():
    service = AnswersInTurn(
        tasks(
            instance("late", "running", start="2026-11-22T08:00:09Z"),
            instance("never", None, start=None, seconds=None),
            instance("m", "success", index=1),
            instance("m", "success", index=0),
        )
    )
    assert [(task.name, task.state) for task in airflow(service).tasks("d", "r")] == [
        ("m[0]", "success"), ("m[1]", "success"), ("late", "running"), ("never", "none")
    ]  # fmt: skip


def test_tries_are_told_as_they_end():
    run, lines, time = {"state": "running"}, Lines(), Counted()
    service = AnswersInTurn(
        run, tasks(instance("a", "running")),
        run, tasks(instance("a", "up_for_retry")),
        run, tasks(instance("a", "up_for_retry")),
        {"state": "success"}, tasks(instance("a", "success", tries=2, seconds=2.25)),
    )  # fmt: skip
    follow_run(airflow(service), "d", "r", lines, clock=time.clock, sleep=time.sleep)
    assert lines.said == ["a up_for_retry try 1 1.0 s", "a success try 2 2.2 s"]


def test_a_run_is_not_waited_for_without_end():
    time, run = Counted(), {"state": "queued"}
    service = AnswersInTurn(*[run, tasks()] * 500)
    with pytest.raises(Failure, match="cannot wait for d run r: it is still queued after 30 s"):
        follow_run(airflow(service), "d", "r", Lines(), limit=30, clock=time.clock, sleep=time.sleep)


def test_reading_gets_over_a_moment_without_an_answer():
    service = AnswersInTurn(unavailable(), unavailable(504), {"state": "success"})
    assert airflow(service, patience=60).run("d", "r")["state"] == "success"
    with pytest.raises(botocore.exceptions.ClientError):
        airflow(AnswersInTurn(unavailable()), patience=60).run("d", "r")


def test_without_patience_the_first_answer_counts():
    service = AnswersInTurn(unavailable(), {"state": "success"})
    with pytest.raises(botocore.exceptions.ClientError):
        airflow(service).run("d", "r")


def test_a_refusal_is_not_repeated():
    service = AnswersInTurn(unavailable(404))
    with pytest.raises(botocore.exceptions.ClientError):
        airflow(service, patience=60).run("d", "r")
    assert len(service.calls) == 1


def test_an_answer_that_was_lost_does_not_begin_a_second_run():
    class LosesTheFirstAnswer:
        def __init__(self):
            self.runs, self.lost = [], False

        def airflow(self, name, method, path, *, query=None, body=None):
            if method == "POST":
                self.runs.append({"dag_run_id": body["dag_run_id"]})
                if not self.lost:
                    self.lost = True
                    raise unavailable(504)
                return self.runs[-1]
            if path.endswith("/dagRuns"):
                return {"dag_runs": self.runs}
            return self.runs[0]

    service = LosesTheFirstAnswer()
    run = airflow(service, patience=60).trigger("d", {})
    assert [one["dag_run_id"] for one in service.runs] == [run["dag_run_id"]]


def test_a_trigger_that_never_arrived_is_sent_again_under_the_same_id():
    service = AnswersInTurn(unavailable(), {"dag_runs": []}, {"dag_run_id": "x"})
    airflow(service, patience=60).trigger("d", {"a": 1})
    posted = [body for method, _, body in service.calls if method == "POST"]
    assert posted[0] == posted[1]


def test_the_run_that_an_asset_caused():
    events = {"asset_events": [{"source_run_id": "mine"}]}
    service = AnswersInTurn(
        {"dag_runs": [{"dag_run_id": "r2"}, {"dag_run_id": "r1"}]}, {"asset_events": []}, events, {"dag_run_id": "r1"}
    )
    assert airflow(service).run_after_asset("d", "mine") == {"dag_run_id": "r1"}
    service = AnswersInTurn({"dag_runs": [{"dag_run_id": "r2"}]}, {"asset_events": [{"source_run_id": "other"}]})
    assert airflow(service).run_after_asset("d", "mine") is None
