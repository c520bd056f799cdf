"""Master keys that a KMS wraps: AWS's API, spoken by moto's server."""

import base64
import json

import boto3
import pytest

from tests.conftest import moto_server
from tradewind.bootstrap.masterkeys import open_sealing
from tradewind.domain.errors import CannotStart
from tradewind.settings import read

REACHED = {"region_name": "eu-central-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}


@pytest.fixture(scope="module")
def endpoint():
    with moto_server() as url:
        yield url


@pytest.fixture
def client(endpoint):
    return boto3.client("kms", endpoint_url=endpoint, **REACHED)


@pytest.fixture
def key(client):
    return client.create_key()["KeyMetadata"]["Arn"]


def settings(folder, endpoint, key):
    given = {
        "TRADEWIND_MASTER_KEY_KMS": key, "TRADEWIND_KMS_ENDPOINT_URL": endpoint, "TRADEWIND_KMS_REGION": "eu-central-1",
        "TRADEWIND_KMS_ACCESS_KEY_ID": "a", "TRADEWIND_KMS_SECRET_ACCESS_KEY": "b",
    }  # fmt: skip
    return read(given, data_dir=folder)


def test_a_data_key_is_made_unwrapped_and_replaced(tmp_path, endpoint, client, key):
    sealing, source = open_sealing(settings(tmp_path, endpoint, key))
    source.keep()
    sealed = sealing.seal(b"secret", "a/b")
    again, source = open_sealing(settings(tmp_path, endpoint, key))
    assert again.open(sealed, "a/b") == b"secret"
    current = source.renew(*again.keys)
    both, _ = open_sealing(settings(tmp_path, endpoint, key))
    assert both.keys == (current, *sealing.keys)
    # what lies on the disk is the KMS's to open, for this purpose only
    (wrapped, _) = json.loads((tmp_path / "master.key.kms").read_text())["keys"]
    blob = base64.b64decode(wrapped["wrapped"])
    assert client.decrypt(CiphertextBlob=blob, EncryptionContext={"tradewind": "master-key"})["Plaintext"] == (
        current.key
    )
    with pytest.raises(client.exceptions.InvalidCiphertextException):
        client.decrypt(CiphertextBlob=blob, EncryptionContext={"other": "purpose"})


def test_an_alias_names_the_key(tmp_path, endpoint, client, key):
    client.create_alias(AliasName="alias/tradewind", TargetKeyId=key)
    sealing, source = open_sealing(settings(tmp_path, endpoint, "alias/tradewind"))
    source.keep()
    assert open_sealing(settings(tmp_path, endpoint, "alias/tradewind"))[0].keys == sealing.keys


def test_a_key_that_is_not_there_is_told(tmp_path, endpoint):
    with pytest.raises(CannotStart, match=r"cannot get the master key from KMS key alias/none at .*NotFoundException"):
        open_sealing(settings(tmp_path, endpoint, "alias/none"))


def test_a_kms_that_does_not_answer_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(CannotStart, match="cannot get the master key from KMS key alias/x at http:"):
        open_sealing(settings(tmp_path, "http://127.0.0.1:1", "alias/x"))
