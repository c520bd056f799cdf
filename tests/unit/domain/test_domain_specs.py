"""A spec survives the store."""

import dataclasses
import json

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.samples import SPEC
from tradewind.domain.specs import DEFAULT_LOGGING, LOG_MODULES, ModuleLogging, Spec

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
MODULES = st.dictionaries(
    st.sampled_from(sorted(LOG_MODULES)),
    st.builds(ModuleLogging, enabled=st.booleans(), level=st.sampled_from(["ERROR", "INFO"])),
)
SPECS = st.builds(
    Spec,
    execution_role_arn=TEXT,
    source_bucket_arn=TEXT,
    dag_s3_path=TEXT,
    subnet_ids=st.lists(TEXT, max_size=2).map(tuple),
    security_group_ids=st.lists(TEXT, max_size=5).map(tuple),
    airflow_version=TEXT,
    environment_class=TEXT,
    min_workers=st.integers(),
    max_workers=st.integers(),
    schedulers=st.integers(),
    min_webservers=st.integers(),
    max_webservers=st.integers(),
    webserver_access_mode=TEXT,
    weekly_maintenance_window_start=TEXT,
    requirements_s3_path=st.none() | TEXT,
    airflow_configuration_options=st.dictionaries(TEXT, TEXT, max_size=4),
    logging=MODULES,
    endpoint_management=TEXT,
)


@given(SPECS)
def test_a_spec_comes_back_from_json_as_it_was(spec):
    assert Spec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_a_document_of_an_older_release_lacks_members_that_have_defaults():
    document = SPEC.to_json()
    del document["endpoint_management"], document["requirements_s3_path"], document["airflow_configuration_options"]
    assert Spec.from_json(document) == SPEC


def test_a_member_of_a_newer_release_is_left_alone():
    assert Spec.from_json(SPEC.to_json() | {"of_a_later_release": "x"}) == SPEC


def test_every_member_is_in_the_document():
    assert set(SPEC.to_json()) == {field.name for field in dataclasses.fields(Spec)}


def test_only_task_logs_are_on_when_nothing_is_said():
    assert set(DEFAULT_LOGGING) == set(LOG_MODULES)
    assert DEFAULT_LOGGING["TaskLogs"] == ModuleLogging(enabled=True, level="INFO")
    assert not any(logging.enabled for module, logging in DEFAULT_LOGGING.items() if module != "TaskLogs")


def test_one_specs_default_logging_is_not_anothers():
    assert SPEC.logging is not dataclasses.replace(SPEC, logging=dict(DEFAULT_LOGGING)).logging
    assert SPEC.logging is not DEFAULT_LOGGING
