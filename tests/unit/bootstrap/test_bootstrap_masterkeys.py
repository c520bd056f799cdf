"""Where the master key comes from: made once, read by us alone, refused where others could read it, never shown."""

import base64
import dataclasses
import json
import os

import pytest

from tradewind.bootstrap.masterkeys import open_sealing
from tradewind.domain.errors import CannotStart, TradewindError
from tradewind.settings import read
from tradewind.store.sealing import MasterKey

OLD, NEW = MasterKey(b"o" * 32), MasterKey(b"n" * 32)


def text_of(*keys):
    return [base64.b64encode(key.key).decode() for key in keys]


def settings(folder, **variables):
    return read(variables, data_dir=folder)


def write(path, *lines, mode=0o600):
    path.write_text("".join(f"{line}\n" for line in lines))
    path.chmod(mode)
    return path


# -- the file --------------------------------------------------------------------------------------------------


def test_a_first_key_is_drawn_and_kept_when_it_is_told_to(tmp_path):
    sealing, source = open_sealing(settings(tmp_path))
    path = tmp_path / "master.key"
    assert not path.exists()
    source.keep()
    assert path.stat().st_mode & 0o777 == 0o600
    assert open_sealing(settings(tmp_path))[0].keys == sealing.keys
    before = path.read_bytes()
    source.keep()
    assert path.read_bytes() == before


def test_a_file_elsewhere(tmp_path):
    path = write(tmp_path / "key", "# a remark", *text_of(NEW, OLD))
    sealing, source = open_sealing(settings(tmp_path / "data", TRADEWIND_MASTER_KEY_FILE=str(path)))
    assert sealing.keys == (NEW, OLD)
    assert source.words == f"the file {path}"


def test_a_new_key_is_first_and_older_ones_stay_until_they_are_left_out(tmp_path):
    write(tmp_path / "master.key", *text_of(OLD))
    _, source = open_sealing(settings(tmp_path))
    current = source.renew(OLD)
    assert open_sealing(settings(tmp_path))[0].keys == (current, OLD)
    assert (tmp_path / "master.key").stat().st_mode & 0o777 == 0o600
    assert source.narrow(current)
    assert open_sealing(settings(tmp_path))[0].keys == (current,)
    assert [entry.name for entry in tmp_path.iterdir()] == ["master.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_that_others_can_read_is_refused(tmp_path, mode):
    write(tmp_path / "master.key", *text_of(OLD), mode=mode)
    with pytest.raises(CannotStart, match="others can read it"):
        open_sealing(settings(tmp_path))


def test_a_link_is_refused(tmp_path):
    write(tmp_path / "elsewhere", *text_of(OLD))
    (tmp_path / "master.key").symlink_to("elsewhere")
    with pytest.raises(CannotStart, match="it is a link"):
        open_sealing(settings(tmp_path))


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "master.key", 0o600)
    with pytest.raises(CannotStart, match="it is not a file"):
        open_sealing(settings(tmp_path))


@pytest.mark.parametrize("line", ["hello", "a" * 43, base64.b64encode(b"x" * 31).decode(), "", "ключ"])
def test_what_is_no_key_is_refused_and_not_repeated(tmp_path, line):
    write(tmp_path / "master.key", line)
    with pytest.raises(CannotStart, match="32 bytes in base64") as refused:
        open_sealing(settings(tmp_path))
    assert not line or line not in str(refused.value)


def test_a_file_without_a_key_is_refused(tmp_path):
    write(tmp_path / "master.key", "# nothing")
    with pytest.raises(CannotStart, match="holds no master key"):
        open_sealing(settings(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    _, source = open_sealing(settings(tmp_path))
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(TradewindError, match="cannot keep the master key"):
            source.keep()
    finally:
        tmp_path.chmod(0o700)


# -- the variable ----------------------------------------------------------------------------------------------


def test_keys_of_the_variable(tmp_path):
    sealing, source = open_sealing(settings(tmp_path, TRADEWIND_MASTER_KEY=",".join(text_of(NEW, OLD))))
    assert sealing.keys == (NEW, OLD)
    source.keep()
    assert not source.narrow(NEW)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(TradewindError, match="put a new one before it"):
        source.renew(NEW)


def test_the_file_of_the_data_directory_is_older_than_the_variable(tmp_path):
    write(tmp_path / "master.key", *text_of(OLD))
    assert open_sealing(settings(tmp_path, TRADEWIND_MASTER_KEY=text_of(NEW)[0]))[0].keys == (NEW, OLD)


def test_a_variable_that_is_no_key_is_refused_and_not_repeated(tmp_path):
    with pytest.raises(CannotStart, match="TRADEWIND_MASTER_KEY: it must be 32 bytes") as refused:
        open_sealing(settings(tmp_path, TRADEWIND_MASTER_KEY="my pass phrase"))
    assert "phrase" not in str(refused.value)


def test_settings_do_not_show_it(tmp_path):
    given = {"TRADEWIND_MASTER_KEY": "hush"}
    assert "hush" not in repr(settings(tmp_path, **given))
    kms = {
        "TRADEWIND_MASTER_KEY_KMS": "alias/x", "TRADEWIND_KMS_ACCESS_KEY_ID": "a",
        "TRADEWIND_KMS_SECRET_ACCESS_KEY": "hush",
    }  # fmt: skip
    assert "hush" not in repr(settings(tmp_path, **kms))


@pytest.mark.parametrize(
    "given",
    [
        {"TRADEWIND_MASTER_KEY": "a", "TRADEWIND_MASTER_KEY_FILE": "/a"},
        {"TRADEWIND_MASTER_KEY": "a", "TRADEWIND_MASTER_KEY_KMS": "alias/a"},
        {"TRADEWIND_MASTER_KEY_FILE": "/a", "TRADEWIND_MASTER_KEY_KMS": "alias/a"},
    ],
)
def test_one_source_is_given(tmp_path, given):
    with pytest.raises(CannotStart, match="cannot choose a master key"):
        settings(tmp_path, **given)


def test_keys_of_the_kms_belong_together(tmp_path):
    with pytest.raises(CannotStart, match="belong together"):
        settings(tmp_path, TRADEWIND_KMS_ACCESS_KEY_ID="a")


# -- a KMS -----------------------------------------------------------------------------------------------------


class KmsThatWrapsBackwards:
    """Wraps a key as its bytes in reverse, behind the context that it was asked with."""

    def __init__(self):
        self.made = 0

    def generate_data_key(self, **asked):
        context = asked.pop("EncryptionContext")
        assert asked == {"KeyId": "alias/ours", "KeySpec": "AES_256"}
        self.made += 1
        plain = bytes([self.made]) * 31 + b"!"
        return {"Plaintext": plain, "CiphertextBlob": json.dumps(context).encode() + b"|" + plain[::-1]}

    def decrypt(self, **asked):
        context, _, wrapped = asked["CiphertextBlob"].partition(b"|")
        if json.loads(context) != asked["EncryptionContext"]:
            raise RuntimeError("InvalidCiphertextException")
        return {"Plaintext": wrapped[::-1]}


@pytest.fixture
def kms(monkeypatch):
    made = KmsThatWrapsBackwards()
    asked = []

    def client(name, **members):
        asked.append((name, members))
        return made

    monkeypatch.setattr("boto3.client", client)
    made.asked = asked
    return made


def with_kms(folder, **more):
    given = {"TRADEWIND_MASTER_KEY_KMS": "alias/ours", "TRADEWIND_KMS_ENDPOINT_URL": "http://127.0.0.1:1", **more}
    return settings(folder, **given)


def test_a_kms_keeps_the_wrapped_key_only(tmp_path, kms):
    sealing, source = open_sealing(with_kms(tmp_path))
    source.keep()
    path = tmp_path / "master.key.kms"
    (plain,) = text_of(*sealing.keys)
    assert plain not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert open_sealing(with_kms(tmp_path))[0].keys == sealing.keys
    assert kms.made == 1
    patience = kms.asked[0][1].pop("config")
    assert patience.connect_timeout + patience.read_timeout <= 20  # a start waits, and so does who asks for a rotation
    assert patience.retries["total_max_attempts"] == 3
    assert kms.asked[0] == (
        "kms",
        {"endpoint_url": "http://127.0.0.1:1", "region_name": "us-east-1", "aws_access_key_id": None,
         "aws_secret_access_key": None},
    )  # fmt: skip


def test_a_kms_makes_a_new_key_beside_the_old_one(tmp_path, kms):
    sealing, source = open_sealing(with_kms(tmp_path))
    source.keep()
    current = source.renew(*sealing.keys)
    assert open_sealing(with_kms(tmp_path))[0].keys == (current, *sealing.keys)
    assert source.narrow(current)
    assert open_sealing(with_kms(tmp_path))[0].keys == (current,)


def test_a_kms_that_refuses_is_told_with_its_words(tmp_path, kms):
    _, source = open_sealing(with_kms(tmp_path))
    source.keep()
    kept = tmp_path / "master.key.kms"
    document = json.loads(kept.read_text())
    document["keys"][0]["wrapped"] = base64.b64encode(b'{"other": "context"}|x').decode()
    kept.write_text(json.dumps(document))
    with pytest.raises(CannotStart, match=r"alias/ours at http://127\.0\.0\.1:1: InvalidCiphertextException"):
        open_sealing(with_kms(tmp_path))


def test_the_file_of_the_data_directory_is_older_than_the_kms(tmp_path, kms):
    write(tmp_path / "master.key", *text_of(OLD))
    sealing, source = open_sealing(with_kms(tmp_path))
    source.keep()
    assert sealing.keys[1:] == (OLD,)
    # what the KMS cannot wrap is not kept with it
    source.renew(*sealing.keys)
    assert len(json.loads((tmp_path / "master.key.kms").read_text())["keys"]) == 2


@pytest.mark.parametrize("text", [
    "", "[]", '{"keys": [{}]}', '{"keys": 3}', '{"keys": []}', '{"keys": [{"wrapped": "x"}]}',
    '{"keys": [{"wrapped": "абвг"}]}',
])  # fmt: skip
def test_a_file_of_wrapped_keys_that_makes_no_sense_is_refused(tmp_path, kms, text):
    write(tmp_path / "master.key.kms", text)
    with pytest.raises(CannotStart, match="holds no wrapped keys"):
        open_sealing(with_kms(tmp_path))
    assert kms.made == 0


def test_every_variable_may_be_a_key_of_the_file_but_the_key_itself(tmp_path):
    (tmp_path / "settings.toml").write_text('master_key_kms = "alias/ours"\nkms_region = "eu-west-1"\n')
    found = settings(tmp_path)
    assert found.kms is not None
    assert dataclasses.astuple(found.kms) == ("alias/ours", "eu-west-1", None, None, None)
    (tmp_path / "settings.toml").write_text('master_key = "x"\n')
    with pytest.raises(CannotStart, match="has no setting master_key"):
        settings(tmp_path)
