"""The pure parts of bootstrap: which environments are at the door, and what an announcement tells."""

import dataclasses
from pathlib import Path

import pytest
import structlog

from tests.unit.domain.samples import ID, environment
from tradewind.bootstrap.announcement import Announcement
from tradewind.bootstrap.directory import HostState, new_password
from tradewind.bootstrap.host import Host, has_route, routes
from tradewind.domain.environments import Phase, Target
from tradewind.domain.errors import CannotProvide
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.manifests import HOST, ObservedManifest, ObservedProcess, Process, ProcessState
from tradewind.routes.hosts import HostPlan, sides
from tradewind.routes.tls import Files

ANNOUNCEMENT = Announcement(
    endpoint_url="https://localhost:8443",
    region="us-east-1",
    account_id="123456789012",
    access_key_id="AKIA",
    secret_access_key="secret",
    ca_bundle="/data/ca/bundle.pem",
    data_dir="/data",
    pid=4711,
    started=1.5,
)


class EnvironmentsInMemory:
    def __init__(self, *known):
        self.known = known

    def all(self):
        return list(self.known)


def test_output_json_has_the_promised_members_and_no_more():
    assert list(ANNOUNCEMENT.public()) == [
        "endpoint_url", "region", "account_id", "access_key_id", "secret_access_key", "ca_bundle", "data_dir",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "phase", "there"),
    [
        (Target.PRESENT, Phase.NEW, True),
        (Target.PRESENT, Phase.PROVISIONING, True),
        (Target.PRESENT, Phase.READY, True),
        (Target.PRESENT, Phase.REFUSED, False),
        (Target.ABSENT, Phase.READY, False),
        (Target.ABSENT, Phase.NEW, False),
    ],
)
def test_which_environments_are_at_the_door(target, phase, there):
    assert has_route(environment(target=target, phase=phase)) is there


def test_routes_lead_from_hosts_to_api_servers():
    other = environment(id=EnvironmentId("bbcdefghjkmn"), target=Target.ABSENT)
    plan = HostPlan("eu-west-1", "airflow.localhost", names_resolve=True, port=8443)
    (route,) = routes(EnvironmentsInMemory(environment(), other), plan)
    assert route.id == ID
    assert route.host == f"{ID}.eu-west-1.airflow.localhost"
    assert (route.port, route.upstream_port) == (8443, 18080)


def test_routes_by_address_where_names_do_not_resolve():
    plan = HostPlan("eu-west-1", "airflow.localhost", names_resolve=False, port=8443)
    (route,) = routes(EnvironmentsInMemory(environment(address="127.70.1.2")), plan)
    assert (route.host, route.address) == ("127.70.1.2", "127.70.1.2")


def test_passwords_are_drawn():
    assert len({new_password() for _ in range(20)}) == 20
    assert "hush" not in repr(HostState(1, "hush"))


# -- keeping the host's processes ------------------------------------------------------------------------------


class HostsProcesses:
    """A runtime that shows what it is given and remembers what it was asked to apply."""

    def __init__(self, seen):
        self.seen = seen
        self.applied = []

    def observe(self, owner):
        assert owner == HOST
        return self.seen

    def apply(self, manifest):
        self.applied.append(manifest)

    def trim_logs(self, owner):
        assert owner == HOST


def keep(tmp_path, *states, supervised=True, generation=1):
    processes = tuple(Process(name, ("/bin/x",), tmp_path, tmp_path / "log") for name in ("caddy", "postgres"))
    seen = tuple(
        ObservedProcess(process.name, state, digest=process.digest())
        for process, state in zip(processes, states, strict=True)
    )
    runtime = HostsProcesses(ObservedManifest(HOST, generation, supervised, seen))
    host = Host(HostState(1, "p"), None, None, None, None, runtime, 1, processes)
    host.keep()
    return runtime.applied, processes, host


def test_a_host_that_runs_is_left_alone(tmp_path):
    applied, *_ = keep(tmp_path, ProcessState.RUNNING, ProcessState.STARTING)
    assert applied == []


@pytest.mark.parametrize("state", [ProcessState.FATAL, ProcessState.EXITED, ProcessState.BACKOFF])
def test_a_process_that_does_not_run_is_applied_again(tmp_path, state):
    (manifest,), processes, _ = keep(tmp_path, ProcessState.RUNNING, state)
    assert manifest.processes == processes


def test_a_supervisor_that_died_is_replaced_at_no_older_generation(tmp_path):
    (manifest,), *_ = keep(tmp_path, ProcessState.RUNNING, ProcessState.RUNNING, supervised=False, generation=4)
    assert manifest.generation == 4


def test_another_definition_is_applied(tmp_path):
    _, processes, host = keep(tmp_path, ProcessState.RUNNING, ProcessState.RUNNING)
    changed = dataclasses.replace(processes[0], stop_seconds=99)
    dataclasses.replace(host, processes=(changed, processes[1])).keep()
    assert host.runtime.applied[-1].processes[0] == changed


# -- a given certificate ------------------------------------------------------------------------------------------


class RenewedOnce:
    """A given certificate that has been renewed since the last look."""

    def __init__(self):
        self.files = [Files(Path("/d/given-2.crt"), Path("/d/given-2.key"))]

    def renewed(self, _report):
        return self.files.pop() if self.files else None


class DoorThatRemembers:
    def __init__(self, problem=None):
        self.shown, self.problem = [], problem

    def renew(self, tls):
        self.shown.append(tls)
        if self.problem:
            raise CannotProvide(self.problem)


@pytest.mark.parametrize(("problem", "action"), [(None, "renewed"), ("cannot publish the routes: x", "refused")])
def test_a_renewed_certificate_is_shown_once(tmp_path, problem, action):
    _, _, host = keep(tmp_path, ProcessState.RUNNING, ProcessState.RUNNING)
    door = DoorThatRemembers(problem)
    host = dataclasses.replace(host, given=RenewedOnce(), doorkeeper=door)
    with structlog.testing.capture_logs() as told:
        host.keep()
        host.keep()
    assert [tls.certificate.name for tls in door.shown] == ["given-2.crt"]
    assert [line["action"] for line in told] == [action]


@pytest.mark.parametrize("mode", ["PRIVATE_ONLY", "PUBLIC_ONLY", "PUBLIC_AND_PRIVATE"])
def test_the_access_mode_decides_where_a_host_is_known(mode):
    known = environment()
    known = dataclasses.replace(known, spec=dataclasses.replace(known.spec, webserver_access_mode=mode))
    plan = HostPlan("eu-west-1", "airflow.localhost", names_resolve=True, port=8443)
    (route,) = routes(EnvironmentsInMemory(known), plan)
    assert route.sides == sides(mode)
