"""Virtualenvs by digest, built for real from a lock of one small package (the registry is asked for it)."""

import contextlib
import dataclasses
import io
import json
import os
import pwd
import shutil
import socket
import stat
import subprocess
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier

import psutil
import pytest

from tradewind.bootstrap import software
from tradewind.bootstrap.processes import runtime_of
from tradewind.domain.errors import CannotProvide
from tradewind.recipe.versions import versions
from tradewind.runtime import Runtime, users
from tradewind.runtime.virtualenvs import Virtualenvs, choose_interpreter, executable_by_others

AS_ROOT = os.geteuid() == 0


def block(lock, package):
    """One package's lines of a lock, with hashes."""
    lines = iter(lock.splitlines())
    found = [next(line for line in lines if line.startswith(f"{package}=="))]
    for line in lines:
        if not line.startswith(" "):
            break
        found.append(line)
    return "\n".join(found) + "\n"


LOCK = block(versions()["3.3.1"].lock, "six")
VERSION = LOCK.split("==")[1].split()[0]


@dataclass
class RuntimeThatCounts:
    """The real thing, which also counts what the installer was told to do."""

    inner: Runtime
    commands: list[str]

    def run(self, command, **how):
        self.commands.append(command[1] if command[1] != "pip" else f"{command[1]} {command[2]}")
        return self.inner.run(command, **how)


@pytest.fixture
def virtualenvs(layout, folder, tmp_path):
    """A folder of runtimes of this test alone; the installer's cache is shared by all."""
    cache = folder / "cache"
    cache.mkdir(exist_ok=True)
    builder = users.ensure(users.BUILDER)
    if builder is not None:
        os.chown(cache, builder.uid, builder.gid)
    runtimes = folder / f"runtimes-{tmp_path.name}"
    yield Virtualenvs(
        folder=runtimes,
        uv=software.uv_binary(layout, as_root=AS_ROOT),
        cache=cache,
        interpreter=choose_interpreter(for_others=AS_ROOT),
        wheel=software.airflow_wheel(layout),
        builder=builder,
        processes=RuntimeThatCounts(runtime_of(layout), []),
    )
    shutil.rmtree(runtimes, ignore_errors=True)


def runs(python, program, user=None):
    done = subprocess.run(
        [python, "-I", "-c", program], capture_output=True, text=True, check=False, cwd="/", user=user
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def everything(folder):
    for parent, folders, files in os.walk(folder):
        yield Path(parent)
        yield from (Path(parent) / name for name in (*folders, *files))


# -- building ----------------------------------------------------------------------------------------------------


def test_a_runtime_holds_the_lock_and_our_own_package(virtualenvs):
    built = virtualenvs.build(LOCK)
    assert built == virtualenvs.path(virtualenvs.digest(LOCK))
    program = (
        "import six, importlib.util, importlib.metadata as m; print(six.__version__, m.version('tradewind-airflow'))"
    )
    assert runs(built / "bin" / "python", program).split()[0] == VERSION
    assert list(built.glob("lib/python3*/site-packages/tradewind_airflow/__init__.py"))
    assert list(built.glob("lib/python3*/site-packages/__pycache__/six.*.pyc"))


def test_it_is_marked_when_it_is_complete(virtualenvs):
    digest = virtualenvs.digest(LOCK)
    assert not virtualenvs.is_built(digest)
    built = virtualenvs.build(LOCK)
    assert virtualenvs.is_built(digest)
    assert json.loads((built / ".complete").read_text()) == {
        "digest": digest, "python": virtualenvs.interpreter.version, "packages": {"six": VERSION},
    }  # fmt: skip


def test_a_built_one_costs_nothing(virtualenvs):
    virtualenvs.build(LOCK)
    commands = virtualenvs.processes.commands
    assert commands == ["venv", "pip install", "pip install"]
    virtualenvs.build(LOCK)
    assert len(commands) == 3


def test_of_two_who_build_it_at_once_one_does(virtualenvs):
    together = Barrier(2)

    def build(_number):
        together.wait(20)
        return virtualenvs.build(LOCK)

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(build, range(2)))) == 1
    assert len(virtualenvs.processes.commands) == 3


def test_one_that_was_cut_off_is_built_again(virtualenvs):
    built = virtualenvs.build(LOCK)
    (built / ".complete").unlink()
    (built / "junk").write_text("left by a build that was killed")
    (python,) = built.glob("lib/python3*/site-packages/six.py")
    python.unlink()
    assert not virtualenvs.is_built(virtualenvs.digest(LOCK))
    virtualenvs.build(LOCK)
    assert not (built / "junk").exists()
    assert runs(built / "bin" / "python", "import six; print(six.__version__)") == VERSION


def test_a_package_with_another_hash_is_refused_and_nothing_is_marked(virtualenvs):
    wrong = f"six=={VERSION} \\\n    --hash=sha256:{'0' * 64}\n"
    with pytest.raises(CannotProvide) as refused:
        virtualenvs.build(wrong)
    assert refused.value.sentence.startswith("cannot install the environment's packages: ")
    assert "hash" in refused.value.sentence.lower()
    assert "six" in refused.value.sentence
    assert refused.value.code == "INCORRECT_CONFIGURATION"
    assert not virtualenvs.is_built(virtualenvs.digest(wrong))


def test_nothing_is_left_beside_the_runtimes(virtualenvs):
    built = virtualenvs.build(LOCK)
    with contextlib.suppress(CannotProvide):
        virtualenvs.resolve("six==99", version="3.3.1", lock=LOCK)
    assert {path.name for path in virtualenvs.folder.iterdir()} == {built.name, f".{built.name}.lock"}


def test_its_files_are_its_own(virtualenvs):
    """Not links into the installer's cache: who can write to one inode would write to all that share it."""
    built = virtualenvs.build(LOCK)
    files = [path for path in everything(built) if path.is_file() and not path.is_symlink()]
    assert len(files) > 10
    assert [path for path in files if path.stat().st_nlink != 1] == []


@pytest.mark.skipif(not AS_ROOT, reason="only root builds as another user")
def test_as_root_it_is_roots_and_everybodys_to_read(virtualenvs):
    built = virtualenvs.build(LOCK)
    for path in everything(built):
        found = path.lstat()
        assert (found.st_uid, found.st_gid) == (0, 0), path
        if not stat.S_ISLNK(found.st_mode):
            assert not found.st_mode & 0o022, path
            assert found.st_mode & 0o044 == 0o044, path
    nobody = pwd.getpwnam("nobody").pw_uid
    assert runs(built / "bin" / "python", "import six, os; print(os.geteuid(), six.__version__)", user=nobody) == (
        f"{nobody} {VERSION}"
    )


@pytest.mark.skipif(not AS_ROOT, reason="only root builds as another user")
def test_as_root_the_installer_is_the_builder(virtualenvs, monkeypatch):
    asked = []
    inner = virtualenvs.processes.inner

    class Watching:
        def run(self, command, **how):
            asked.append(how["user"])
            return inner.run(command, **how)

    monkeypatch.setattr(virtualenvs.processes, "inner", Watching())
    virtualenvs.build(LOCK)
    assert set(asked) == {users.BUILDER}


@pytest.mark.skipif(AS_ROOT, reason="an ordinary user's runtimes are its own")
def test_as_an_ordinary_user_it_is_its_own(virtualenvs):
    built = virtualenvs.build(LOCK)
    assert {path.lstat().st_uid for path in everything(built)} == {os.geteuid()}


# -- resolving ----------------------------------------------------------------------------------------------------


def test_what_is_asked_for_is_resolved_with_hashes(virtualenvs):
    lock = virtualenvs.resolve("six", version="3.3.1", lock=LOCK)
    assert lock.startswith(f"six=={VERSION} \\\n    --hash=sha256:")
    assert "http" not in lock
    assert virtualenvs.digest(lock) == virtualenvs.digest(virtualenvs.resolve("six\n", version="3.3.1", lock=LOCK))


def test_a_conflict_is_told_in_the_resolvers_words(virtualenvs):
    with pytest.raises(CannotProvide) as refused:
        virtualenvs.resolve("six<1.16", version="3.3.1", lock=LOCK)
    sentence = refused.value.sentence
    assert sentence.startswith("cannot resolve requirements.txt: No solution found")
    assert f"six=={VERSION}" in sentence
    assert "six<1.16" in sentence
    assert refused.value.code == "INCORRECT_CONFIGURATION"


def test_a_requirement_that_does_not_exist_is_named(virtualenvs):
    with pytest.raises(CannotProvide) as refused:
        virtualenvs.resolve("-c own.txt\nsix==99.0", version="3.3.1", lock=LOCK.replace("six==", "sax=="))
    assert "own.txt" in refused.value.sentence
    with pytest.raises(CannotProvide) as refused:
        virtualenvs.resolve("six==99.0", version="3.3.1", lock=LOCK.replace("six==", "sax=="))
    assert "six==99.0" in refused.value.sentence


def test_an_index_that_never_answers_is_given_up(virtualenvs):
    virtualenvs = dataclasses.replace(virtualenvs, resolve_seconds=2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        asked = f"--index-url http://127.0.0.1:{deaf.getsockname()[1]}/simple\nnot-there\n"
        with pytest.raises(CannotProvide, match=r"cannot resolve requirements\.txt: it took too long"):
            virtualenvs.resolve(asked, version="3.3.1", lock=LOCK)


def sdist(folder, name, setup, **files):
    """A source package of version 1.0, whose setup.py is executed to build it."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"setup.py": setup, "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"} | files
    with tarfile.open(folder / f"{name}-1.0.tar.gz", "w:gz") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{name}-1.0/{path}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))


def test_a_package_that_needs_a_compiler_which_is_absent_is_named_with_its_words(virtualenvs, tmp_path):
    plugins = tmp_path / "plugins"
    setup = (
        "import os\nfrom setuptools import Extension, setup\nos.environ['CC'] = '/nowhere/cc'\n"
        "setup(name='twneedscc', version='1.0', ext_modules=[Extension('twneedscc', ['it.c'])])\n"
    )
    sdist(plugins, "twneedscc", setup, **{"it.c": "#include <Python.h>\n"})
    told: list[str] = []
    asked = "--find-links /usr/local/airflow/plugins\ntwneedscc==1.0\n"
    lock = virtualenvs.resolve(asked, version="3.3.1", lock=LOCK, plugins=plugins, tell=told.append)
    assert "Resolved 1 package" in "".join(told)
    with pytest.raises(CannotProvide) as refused:
        virtualenvs.build(lock, plugins, told.append)
    sentence = refused.value.sentence
    assert sentence.startswith("cannot install the environment's packages: Failed to build `twneedscc==1.0`")
    assert "No such file or directory: '/nowhere/cc'" in sentence
    assert not virtualenvs.is_built(virtualenvs.digest(lock))
    assert "Building twneedscc==1.0" in "".join(told)


def test_a_package_whose_build_never_ends_is_given_up_and_its_processes_end(virtualenvs, tmp_path):
    virtualenvs = dataclasses.replace(virtualenvs, resolve_seconds=10)
    plugins = tmp_path / "plugins"
    sdist(plugins, "twhangs", "import time\ntime.sleep(987654)\n")
    asked = "--find-links /usr/local/airflow/plugins\ntwhangs==1.0\n"
    with pytest.raises(CannotProvide, match=r"cannot resolve requirements\.txt: it took too long"):
        virtualenvs.resolve(asked, version="3.3.1", lock=LOCK, plugins=plugins)
    assert not any(builds(process, virtualenvs.cache) for process in psutil.process_iter())


def builds(process, cache):
    """Whether it works on a package in the installer's cache."""
    try:
        return Path(process.cwd()).is_relative_to(cache)
    except psutil.Error:
        return False


def test_what_the_installer_says_is_told(virtualenvs):
    told: list[str] = []
    virtualenvs.build(LOCK, tell=told.append)
    assert f" + six=={VERSION}\n" in "".join(told)
    told.clear()
    virtualenvs.build(LOCK, tell=told.append)
    assert told == [f"The runtime {virtualenvs.digest(LOCK)} is there already\n"]


def wheel(folder, name, version):
    """The smallest wheel that there is."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", f"VERSION = '{version}'\n")
        info = f"{name}-{version}.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")


@pytest.mark.parametrize(
    "asked",
    ["--find-links /usr/local/airflow/plugins\n--no-index\ntw-own==1.0\n",
     "/usr/local/airflow/plugins/tw_own-1.0-py3-none-any.whl\n"],
)  # fmt: skip
def test_a_wheel_of_plugins_zip_is_installed(virtualenvs, tmp_path, asked):
    virtualenvs.build(LOCK)  # what we add ourselves is in the cache then, as in every service
    plugins = tmp_path / "plugins"
    wheel(plugins, "tw_own", "1.0")
    lock = virtualenvs.resolve(asked, version="3.3.1", lock=LOCK, plugins=plugins)
    assert str(tmp_path) not in lock
    path = virtualenvs.build(lock, plugins)
    assert runs(path / "bin" / "python", "import tw_own; print(tw_own.VERSION)") == "1.0"


def test_lines_that_are_no_requirements_are_named(virtualenvs):
    with pytest.raises(CannotProvide) as refused:
        virtualenvs.resolve("six\nthis is ! no requirement\n", version="3.3.1", lock=LOCK)
    assert "this is ! no requirement" in refused.value.sentence or "requirements.txt:2" in refused.value.sentence


# -- choosing the Python ---------------------------------------------------------------------------------------------


def test_the_python_is_one_that_airflow_runs_on(virtualenvs):
    found = virtualenvs.interpreter
    assert runs(found.path, "import platform; print(platform.python_version())") == found.version
    assert (3, 11) <= tuple(int(part) for part in found.version.split(".")[:2]) <= (3, 13)


def test_a_python_in_a_private_folder_is_not_for_others(tmp_path):
    open_, private = tmp_path / "open", tmp_path / "private"
    for folder, mode in ((open_, 0o755), (private, 0o700)):
        folder.mkdir()
        (folder / "python3").touch()
        (folder / "python3").chmod(0o755)
        folder.chmod(mode)
    assert not executable_by_others(private / "python3")
    assert executable_by_others(Path("/bin/sh").resolve())
    (open_ / "python3").chmod(0o700)
    assert not executable_by_others(open_ / "python3")
