"""Settings: flags, then variables, then the file; what makes no sense is refused in a sentence."""

import os
from pathlib import Path

import pytest

from tradewind import settings
from tradewind.access import providers
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
    formed = {"private_address", "public_address", "tls", "acme_directory"}
    doors = {key for key in settings._KEYS if key.startswith(("tls", "acme"))} | formed
    keys = settings._KEYS - doors - providers.KEYS
    surroundings = {f"TRADEWIND_{key.upper()}": f"v-{key.replace('_', '-')}" for key in keys}
    file = surroundings.pop("TRADEWIND_MASTER_KEY_FILE")  # it or a KMS
    assert read({"TRADEWIND_MASTER_KEY_FILE": file}, data_dir=data).master_key_file == Path(file).absolute()
    found = read(surroundings, data_dir=data)
    assert found.kms == settings.KmsSettings(
        key="v-master-key-kms",
        region="v-kms-region",
        endpoint_url="v-kms-endpoint-url",
        access_key_id="v-kms-access-key-id",
        secret_access_key="v-kms-secret-access-key",
    )
    assert found.public_names == ("v-public-names",)
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
        (
            'regoin = "x"',
            "it has no setting regoin; there are acme_directory, acme_email, cache_dir, database_url, domain,",
        ),
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


# -- the door ----------------------------------------------------------------------------------------------------


def door(data, **given):
    return read({f"TRADEWIND_{key.upper()}": value for key, value in given.items()}, data_dir=data)


def test_the_door_is_on_loopback_with_our_own_authority_unless_somebody_says_so(data):
    found = door(data)
    assert (found.private_address, found.public_address, found.public_names) == ("127.0.0.1", None, ())
    assert found.tls == settings.TlsSettings()


def test_where_the_door_listens(data):
    found = door(data, private_address="10.0.0.1", public_address="0.0.0.0", public_names="MWAA.x.org, b.x.org,")
    assert (found.private_address, found.public_address) == ("10.0.0.1", "0.0.0.0")
    assert found.public_names == ("mwaa.x.org", "b.x.org")
    assert door(data, private_address="10.0.0.1", public_address="10.0.0.1").public_address is None


def test_a_given_certificate_is_found_from_the_data_directory(data):
    tls = door(data, tls="files", tls_certificate="c.pem", tls_key="/k.pem", domain="x.org").tls
    assert (tls.kind, tls.certificate, tls.key, tls.roots) == ("files", data / "c.pem", Path("/k.pem"), None)


def test_an_acme_server(data):
    tls = door(data, tls="acme", acme_directory="https://ca/dir", acme_email="a@b", tls_roots="r.pem", domain="x").tls
    assert (tls.acme_directory, tls.acme_email, tls.roots) == ("https://ca/dir", "a@b", data / "r.pem")


PAIR = {"tls_certificate": "c", "tls_key": "k"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"private_address": "here"}, "cannot listen on 'here': it is not an IP address"),
        ({"public_address": "1.2.3"}, "cannot listen on '1.2.3': it is not an IP address"),
        ({"private_address": "0.0.0.0", "public_address": "1.2.3.4"}, "cannot tell private from public"),
        ({"public_names": "a b"}, "cannot use the public name 'a b'"),
        ({"public_names": "https://x"}, "cannot use the public name"),
        ({"tls": "Files"}, "cannot use tls = 'Files': it is internal, files or acme"),
        ({"tls": "files", "domain": "x.org"}, "tls_certificate and tls_key are needed"),
        ({"tls": "files", "tls_key": "k", "domain": "x.org"}, "tls_certificate and tls_key are needed"),
        (PAIR, "cannot use tls_certificate with tls = internal"),
        ({"tls": "acme", "domain": "x.org", **PAIR}, "cannot use tls_certificate with tls = acme"),
        ({"acme_email": "a@b"}, "cannot use acme_email with tls = internal"),
        ({"tls": "acme", "acme_directory": "http://ca", "domain": "x.org"}, "it must be an https:// URL"),
        ({"tls": "acme"}, "cannot use tls = acme: name the domain"),
        ({"tls": "files", **PAIR}, "cannot use tls = files: name the domain"),
    ],
)
def test_a_door_that_makes_no_sense_is_refused(data, given, words):
    with pytest.raises(CannotStart) as refused:
        door(data, **given)
    assert words in refused.value.sentence


# -- the provider --------------------------------------------------------------------------------------------------


def test_a_provider_with_a_table_of_roles_in_the_file(data):
    (data / "settings.toml").write_text(
        'oidc_issuer = "https://id.example"\noidc_client_id = "x"\n'
        '[oidc_roles]\nadmins = "AirflowAdmin"\n"data science" = "AirflowUser"\n'
    )
    provider = read({}, data_dir=data).openid
    assert provider.issuer == "https://id.example"
    assert list(provider.roles.items()) == [("admins", "AirflowAdmin"), ("data science", "AirflowUser")]
    assert read({}, data_dir=data / "other").openid is None


def test_a_provider_in_variables_and_its_secret(data):
    variables = {
        "TRADEWIND_OIDC_ISSUER": "https://id.example",
        "TRADEWIND_OIDC_CLIENT_ID": "x",
        "TRADEWIND_OIDC_CLIENT_SECRET": "hidden",
        "TRADEWIND_OIDC_ROLES": '{"admins": "AirflowAdmin"}',
    }
    settings = read(variables, data_dir=data)
    assert settings.openid.client_secret == "hidden"
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize("text", ["[oidc_roles]\nadmins = 7\n", "[region]\na = 'b'\n", "oidc_roles = 7\n"])
def test_a_table_that_makes_no_sense(data, text):
    (data / "settings.toml").write_text(
        ('oidc_issuer = "https://id.example"\noidc_client_id = "x"\n' if "region" not in text else "") + text
    )
    with pytest.raises(CannotStart):
        read({}, data_dir=data)
