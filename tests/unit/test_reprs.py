"""What holds a secret does not show it: errors, logs and debuggers print dataclasses."""

import dataclasses

import pytest

from tradewind.access.openid.id_tokens import Expected
from tradewind.access.sessions import _Kept
from tradewind.bootstrap.announcement import Announcement
from tradewind.bundles.endpoints import S3Settings
from tradewind.domain.environments import Environment, Secrets
from tradewind.domain.manifests import Process
from tradewind.domain.snapshots import Snapshot
from tradewind.reconcile.loop import Reconciler
from tradewind.settings import KmsSettings, Settings
from tradewind.store import Account, Credential
from tradewind.store.databases import Owner
from tradewind.store.server import Server
from tradewind.store.sessions import Issued


@pytest.mark.parametrize(
    ("kind", "secret"),
    [
        (Account, {"secret_access_key", "token_key"}),
        (Announcement, {"secret_access_key"}),
        (Credential, {"secret", "session_token"}),
        (Environment, {"secrets"}),
        (Expected, {"access_token"}),
        (Issued, {"secret", "token"}),
        (KmsSettings, {"secret_access_key"}),
        (Owner, {"password"}),
        (Process, {"environment"}),
        (Reconciler, {"url"}),
        (S3Settings, {"secret_access_key"}),
        (Server, {"password"}),
        (Settings, {"database_url", "master_key"}),
        (Snapshot, {"fernet_key"}),
        (_Kept, {"token"}),
    ],
)
def test_members_that_are_secret_are_not_shown(kind, secret):
    hidden = {each.name for each in dataclasses.fields(kind) if not each.repr}
    assert secret <= hidden


def test_secrets_of_an_environment_are_not_shown():
    words = {each.name: f"hush-{number}" for number, each in enumerate(dataclasses.fields(Secrets))}
    assert "hush" not in repr(Secrets(**words))
