"""A program that listens: its socket is made by the launcher, in a folder where its user could not make one."""

import os
import pwd
import socket
import stat

import pytest

from tests.integration.test_processes_world import World, made, until


@pytest.fixture
def world(tmp_path):
    with made(tmp_path) as world:
        yield world


def answer(path: str) -> str:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(path)
        return client.recv(100).decode()


SERVE = (
    "exec python3 -c \"import os, socket; s = socket.socket(fileno=int(os.environ['TRADEWIND_LISTEN_FD'])); "
    '[s.accept()[0].sendall(str(os.getpid()).encode()) for _ in iter(int, 1)]"'
)


def test_it_listens_from_its_first_moment_and_anew_after_each_start(world: World, tmp_path):
    path = tmp_path / "sock"
    variables = world.environment("one", TRADEWIND_LISTEN=str(path))
    world.apply(world.process("one", SERVE, environment=variables))
    pid = world.running("one")
    until(path.exists)
    assert answer(str(path)) == str(pid)
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    os.kill(pid, 9)
    new = world.running("one", but=pid)
    until(lambda: answers(str(path), str(new)))


def answers(path: str, words: str) -> bool:
    try:
        return answer(path) == words
    except OSError:
        return False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_its_user_may_connect_and_not_take_its_place(world: World, tmp_path):
    path = tmp_path / "sock"
    variables = world.environment("one", TRADEWIND_LISTEN=str(path))
    world.apply(world.process("one", SERVE, user="nobody", environment=variables))
    world.running("one")
    until(path.exists)
    assert path.stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert path.parent.stat().st_uid == 0
