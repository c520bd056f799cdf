"""Settings: flags, then variables, then the file; what makes no sense is refused in a sentence."""

import os
from pathlib import Path

import pytest

from tradewind import settings
from tradewind.domain.errors import CannotStart
from tradewind.settings import default_data_dir, read, run_directory


@pytest.fixture
def data(tmp_path):
    return tmp_path


def in_file(data, text):
    (data / "settings.toml").write_text(text)


def test_everything_has_a_default(data):
    found = read({}, data_dir=data)
    assert (found.data_dir, found.port, found.region, found.domain) == (data, None, "us-east-1", "airflow.localhost")
    assert (found.database_url, found.s3) == (None, None)


def test_flags_win_over_variables_and_variables_over_the_file(data, tmp_path):
    in_file(data, 'region = "eu-west-1"\ndomain = "from.file"\n')
    found = read({"TRADEWIND_REGION": "ap-south-1", "TRADEWIND_DATA_DIR": "/elsewhere"}, data_dir=data, port=9000)
    assert (found.data_dir, found.port, found.region, found.domain) == (data, 9000, "ap-south-1", "from.file")


def test_a_variable_names_the_data_directory(data):
    in_file(data, 'region = "eu-west-1"')
    found = read({"TRADEWIND_DATA_DIR": str(data)})
    assert (found.data_dir, found.region) == (data, "eu-west-1")


def test_an_empty_variable_says_nothing(data):
    in_file(data, 'region = "eu-west-1"')
    assert read({"TRADEWIND_REGION": ""}, data_dir=data).region == "eu-west-1"


def test_every_key_of_the_file_has_its_variable(data):
    surroundings = {f"TRADEWIND_{key.upper()}": f"v-{key.replace('_', '-')}" for key in settings._KEYS}
    found = read(surroundings, data_dir=data)
    assert (found.region, found.domain, found.database_url) == ("v-region", "v-domain", "v-database-url")
    assert found.cache_dir == Path("v-cache-dir")
    assert found.s3 is not None
    assert (found.s3.endpoint_url, found.s3.access_key_id, found.s3.secret_access_key, found.s3.region) == (
        "v-s3-endpoint-url",
        "v-s3-access-key-id",
        "v-s3-secret-access-key",
        "v-s3-region",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('regoin = "x"', "it has no setting regoin; there are cache_dir, database_url, domain, region"),
        ("region = 3", "region must be a string"),
        ("region = ", "cannot read"),
        ('region = "US EAST"', "cannot use the region 'US EAST'"),
        ('domain = "http://x/"', "cannot use the domain"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(data, text, words):
    in_file(data, text)
    with pytest.raises(CannotStart) as refused:
        read({}, data_dir=data)
    assert words in refused.value.sentence


def test_a_file_that_is_no_text_is_refused(data):
    (data / "settings.toml").write_bytes(b"region = \xff")
    with pytest.raises(CannotStart, match=r"settings\.toml: it is not UTF-8 text"):
        read({}, data_dir=data)


def test_a_data_directory_that_is_a_file_is_refused(data):
    (data / "file").touch()
    with pytest.raises(CannotStart, match="is not a directory"):
        read({}, data_dir=data / "file")


@pytest.mark.parametrize(
    "names", [("ACCESS_KEY_ID",), ("SECRET_ACCESS_KEY",), ("ENDPOINT_URL",), ("ENDPOINT_URL", "ACCESS_KEY_ID")]
)
def test_half_an_s3_key_is_refused(data, names):
    with pytest.raises(CannotStart, match="belong together"):
        read({f"TRADEWIND_S3_{name}": "x" for name in names}, data_dir=data)


def test_an_s3_key_without_an_endpoint_means_aws(data):
    found = read({"TRADEWIND_S3_ACCESS_KEY_ID": "k", "TRADEWIND_S3_SECRET_ACCESS_KEY": "s"}, data_dir=data)
    assert found.s3 is not None
    assert (found.s3.endpoint_url, found.s3.region) == (None, "us-east-1")


def test_passwords_do_not_show_in_repr(data):
    shown = repr(
        read(
            {
                "TRADEWIND_DATABASE_URL": "postgresql://u:SECRET@h",
                "TRADEWIND_S3_ACCESS_KEY_ID": "k",
                "TRADEWIND_S3_SECRET_ACCESS_KEY": "SECRET",
            },
            data_dir=data,
        )
    )
    assert "SECRET" not in shown


def test_a_short_data_directory_holds_its_sockets():
    assert run_directory(Path("/data")) == Path("/data/run")


def test_a_long_data_directory_gets_a_short_folder_of_its_own():
    long = Path("/" + "d" * 80)
    found = run_directory(long)
    assert len(os.fsencode(found)) <= 60
    assert found == run_directory(long)
    assert found != run_directory(Path("/" + "d" * 81))
    assert str(os.geteuid()) in found.name


def test_bytes_count_not_characters():
    assert run_directory(Path("/" + "ü" * 30)) != Path("/" + "ü" * 30) / "run"


@pytest.mark.parametrize(
    ("uid", "surroundings", "expected"),
    [
        (0, {"XDG_DATA_HOME": "/x"}, Path("/var/lib/tradewind")),
        (1000, {"XDG_DATA_HOME": "/x"}, Path("/x/tradewind")),
        (1000, {}, Path.home() / ".local" / "share" / "tradewind"),
    ],
)
def test_where_things_lie_by_default(monkeypatch, uid, surroundings, expected):
    monkeypatch.setattr(settings.os, "geteuid", lambda: uid)
    assert default_data_dir(surroundings) == expected
