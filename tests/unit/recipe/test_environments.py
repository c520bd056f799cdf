"""From an environment of the store and a host's facts to the recipe's inputs."""

import dataclasses
from pathlib import Path

import pytest

from tests.unit.domain.samples import ID, SECRETS, SPEC, environment
from tradewind.domain.layout import Layout
from tradewind.recipe.environments import HostFacts, inputs_of, manifest_of

HOST = HostFacts(
    layout=Layout(Path("/data"), Path("/run/tw")),
    account_id="123456789012",
    region="eu-west-1",
    valkey_server=Path("/software/valkey-server"),
    as_root=True,
)


def inputs(host=HOST, **changes):
    return inputs_of(
        environment(**changes),
        host,
        runtime=Path("/data/runtimes/r1"),
        database_url="postgresql://u:p@127.0.0.1/d",
        base_url="https://host",
        bucket={"TRADEWIND_BUCKET_URL": "file:///data/buckets/some-bucket"},
    )


def test_everything_of_the_environment_and_the_host_arrives():
    found = inputs()
    assert (found.id, found.name, found.spec, found.secrets) == (ID, "sample", SPEC, SECRETS)
    assert (found.region, found.account_id) == ("eu-west-1", "123456789012")
    assert found.layout == HOST.layout.environment(ID)
    assert found.valkey_server == HOST.valkey_server
    assert found.extra_environment == {"TRADEWIND_BUCKET_URL": "file:///data/buckets/some-bucket"}


@pytest.mark.parametrize(("as_root", "user"), [(True, f"tw-{ID}"), (False, None)])
def test_its_processes_become_its_user_as_root_only(as_root, user):
    found = inputs(dataclasses.replace(HOST, as_root=as_root))
    assert found.user == user
    assert {process.user for process in manifest_of(environment(), found).processes} == {user}


def test_the_manifest_is_the_environments_at_its_generation():
    manifest = manifest_of(environment(generation=7), inputs(generation=7))
    assert (manifest.owner, manifest.generation) == (str(ID), 7)
    names = [process.name for process in manifest.processes]
    assert len(set(names)) == len(names)
    assert {"api-server", "scheduler-1", "scheduler-2", "worker-1"} <= set(names)


def test_the_same_inputs_make_the_same_processes():
    """A restart of the control plane must not look like a change."""
    digests = [[p.digest() for p in manifest_of(environment(), inputs()).processes] for _ in range(2)]
    assert digests[0] == digests[1]
