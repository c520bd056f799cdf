"""Virtualenvs by digest: resolve first, build in place, mark when complete, reuse for ever.

A runtime's digest covers the resolved lock (versions and hashes), the Python, the platform and our own
wheel, so two environments that need the same thing share one folder and the second costs nothing. A
folder without its completion mark is a build that was cut off and is built again.

Files are copied out of the installer's cache, not linked: whoever could write to one inode would write to
every runtime that shares it. As root everything here runs as the build user: building a package from source
executes its code. The finished folder is handed over to root, so that neither environments nor later builds can
write to it.
"""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tradewind.domain.errors import CannotProvide
from tradewind.domain.manifests import Completed
from tradewind.recipe import requirements as recipe
from tradewind.recipe.versions import versions
from tradewind.runtime.port import Runtime
from tradewind.runtime.users import UnixUser

_MARK = ".complete"
_ORNAMENTS = "\N{MULTIPLICATION SIGN}╰─▶ "  # what the installer draws in front of its words
_SYSTEM_CERTIFICATES = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pki/tls/certs/ca-bundle.crt"))
# What the installer may need of the surroundings: proxies, certificates, an index of the machine's own.
_PASSED = (
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "LANG", "TZ",
)  # fmt: skip


Tell = Callable[[str], None]
"""Is told all that the installer says."""


def _tell_nobody(_: str) -> None:
    pass


@dataclass(frozen=True)
class Interpreter:
    """The Python that runtimes are made with."""

    path: Path
    version: str  # for instance 3.11.2


@dataclass(frozen=True)
class Virtualenvs:
    """The folder of runtimes of one data directory."""

    folder: Path
    uv: Path
    cache: Path | None  # uv's cache; None: uv's own default
    interpreter: Interpreter
    wheel: Path  # tradewind-airflow
    builder: UnixUser | None
    processes: Runtime
    resolve_seconds: float = 300
    build_seconds: float = 1_200  # for each of the installer's commands

    def resolve(
        self, user_requirements: str, *, version: str, lock: str, plugins: Path | None = None, tell: Tell = _tell_nobody
    ) -> str:
        """The full lock for an environment: ours, plus what the user's file asks for, with hashes.

        `plugins` is the unpacked plugins.zip, whose wheels the file may name. Raises CannotProvide with the
        resolver's own words, and for a version that does not run on the interpreter.
        """
        self._refuse_unless_it_runs(version)
        if recipe.asks_for_nothing(user_requirements):
            return lock
        ask = recipe.resolution(user_requirements, version=version, lock=lock)
        with self._scratch() as scratch:
            self._give(scratch / "requirements.txt", ask.requirements.encode())
            self._give(scratch / "constraints.txt", ask.constraints.encode())
            self._lay_out_wheels(plugins, scratch)
            done = self._uv(
                "pip", "compile", *(("--offline",) if ask.offline else ()),
                "--no-header", "--no-annotate", "--generate-hashes", "--no-emit-index-url",
                "--python", str(self.interpreter.path), "--constraint", "constraints.txt", "requirements.txt",
                directory=scratch, timeout=self.resolve_seconds,
            )  # fmt: skip
        tell(done.stderr.decode(errors="replace"))
        if done.exit_status != 0:
            raise _refused("resolve requirements.txt", done)
        return done.stdout.decode()

    def _refuse_unless_it_runs(self, version: str) -> None:
        known = versions().get(version)
        if known is not None and not known.runs_on(self.interpreter.version):
            raise CannotProvide(
                f"cannot make a runtime of Airflow {version}: it runs on Python {', '.join(known.pythons)}, and this"
                f" service makes runtimes with {self.interpreter.version}",
                "INCORRECT_CONFIGURATION",
            )

    def digest(self, lock: str) -> str:
        """The runtime's name."""
        parts = [
            lock, self.interpreter.version, platform.system(), platform.machine(), platform.libc_ver()[0],
            hashlib.sha256(self.wheel.read_bytes()).hexdigest(),
        ]  # fmt: skip
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]

    def path(self, digest: str) -> Path:
        """Where a runtime lies."""
        return self.folder / digest

    def is_built(self, digest: str) -> bool:
        """Whether a runtime is there and complete."""
        return (self.path(digest) / _MARK).exists()

    def build(self, lock: str, plugins: Path | None = None, tell: Tell = _tell_nobody) -> Path:
        """Make the runtime of a lock unless it is there. Two builders of one runtime: the second waits.

        `plugins` and `tell` as for `resolve`. Raises CannotProvide with the installer's own words.
        """
        digest = self.digest(lock)
        target = self.path(digest)
        with self._exclusively(digest):
            if self.is_built(digest):
                tell(f"The runtime {digest} is there already\n")
                return target
            shutil.rmtree(target, ignore_errors=True)
            self._install(target, lock, plugins, tell)
            if self.builder is not None:
                _hand_over(target)
            mark = {"digest": digest, "python": self.interpreter.version, "packages": recipe.pins(lock)}
            temporary = target / f"{_MARK}.new"
            temporary.write_text(json.dumps(mark, indent=1))
            temporary.rename(target / _MARK)
        return target

    def _install(self, target: Path, lock: str, plugins: Path | None, tell: Tell) -> None:
        python = target / "bin" / "python"
        with self._scratch() as scratch:
            self._give(scratch / "lock.txt", lock.encode())
            found = self._lay_out_wheels(plugins, scratch)
            wheel = scratch / self.wheel.name
            self._give(wheel, self.wheel.read_bytes())
            target.mkdir(mode=0o755)
            if self.builder is not None:
                os.chown(target, self.builder.uid, self.builder.gid)
            install = [
                "pip",
                "install",
                "--python",
                str(python),
                "--compile-bytecode",
                "--link-mode",
                "copy",
            ]
            for step in (
                ["venv", "--quiet", "--allow-existing", "--python", str(self.interpreter.path), str(target)],
                [*install, *found, "--require-hashes", "--requirement", "lock.txt"],
                [*install, "--no-deps", "--offline", wheel.name],
            ):
                done = self._uv(*step, directory=scratch, timeout=self.build_seconds)
                tell(done.stderr.decode(errors="replace"))
                if done.exit_status != 0:
                    raise _refused("install the environment's packages", done)

    def _uv(self, *arguments: str, directory: Path, timeout: float) -> Completed:
        environment = installers_variables() | {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(directory / "home"),
            "TMPDIR": str(directory / "home"),
        }
        environment["UV_CACHE_DIR"] = str(self.cache if self.cache is not None else _default_cache())
        user = None if self.builder is None else self.builder.name
        return self.processes.run(
            [str(self.uv), *arguments], environment=environment, directory=directory, user=user, timeout=timeout
        )

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        """A folder of ours that the build user may read: where it could write, it could lead our own writing astray.

        Below it `home`, the build user's own.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".scratch-", dir=self.folder) as name:
            path = Path(name)
            home = path / "home"
            home.mkdir(mode=0o700)
            if self.builder is not None:
                os.chown(home, self.builder.uid, self.builder.gid)
                os.chown(path, 0, self.builder.gid)
                path.chmod(0o750)
            yield path

    def _give(self, path: Path, content: bytes) -> None:
        """A file of ours that the build user may read, and nobody else: an index in it may have a password."""
        path.write_bytes(content)
        if self.builder is not None:
            os.chown(path, 0, self.builder.gid)
        path.chmod(0o640)

    def _lay_out_wheels(self, plugins: Path | None, scratch: Path) -> tuple[str, ...]:
        """Copy packages to where the resolver looks for them; answers uv's option."""
        if plugins is None:
            return ()
        packages = [path for path in plugins.rglob("*") if path.is_file() and recipe.is_distribution(path.name)]
        folder = scratch / recipe.WHEELS
        for path in packages:
            target = folder / path.relative_to(plugins)
            for parent in reversed([each for each in target.parents if each.is_relative_to(folder)]):
                parent.mkdir(exist_ok=True)
                parent.chmod(0o755)
            self._give(target, path.read_bytes())
        return ("--find-links", recipe.WHEELS) if packages else ()

    @contextmanager
    def _exclusively(self, digest: str) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f".{digest}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def choose_interpreter(*, for_others: bool) -> Interpreter:
    """The Python for runtimes: this one's base, or the first that other users can execute when that is asked.

    Raises CannotProvide when a 0700 folder (a version manager in root's home) holds the only one.
    """
    base = getattr(sys, "_base_executable", sys.executable)
    names = ("python3.12", "python3.13", "python3.11", "python3")
    found = [base, *(f"/usr/local/bin/{name}" for name in names), *(f"/usr/bin/{name}" for name in names)]
    for candidate in found:
        path = Path(candidate).resolve()
        if not path.exists() or (for_others and not executable_by_others(path)):
            continue
        version = _version_of(path)
        if version is not None and (3, 11) <= tuple(int(part) for part in version.split(".")[:2]) <= (3, 13):
            return Interpreter(path, version)
    raise CannotProvide(
        "cannot find a Python 3.11 to 3.13 that other unix users may execute: "
        f"{base} lies in a private folder; install the system's python3"
    )


def executable_by_others(path: Path) -> bool:
    """Whether any user may reach and execute a file."""
    return all(parent.stat().st_mode & 0o001 for parent in path.parents) and bool(path.stat().st_mode & 0o001)


def _version_of(path: Path) -> str | None:
    program = "import platform; print(platform.python_version())"
    try:
        done = subprocess.run([path, "-I", "-c", program], capture_output=True, text=True, check=False, timeout=20)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _default_cache() -> Path:
    named = os.environ.get("UV_CACHE_DIR")
    if named:
        return Path(named)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "uv"


def installers_variables() -> dict[str, str]:
    """What the installer needs to know of this machine, whoever runs it."""
    found = {name: os.environ[name] for name in _PASSED if name in os.environ}
    found |= _index(os.environ) | {"UV_NO_CONFIG": "1", "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    if any(bundle.exists() for bundle in _SYSTEM_CERTIFICATES):
        found["UV_SYSTEM_CERTS"] = "true"  # a company's proxy has its authority there, not among uv's own
    return found


def _index(surroundings: Mapping[str, str]) -> dict[str, str]:
    # The installer reads its own variables; a machine that is set up for pip alone works as well.
    names = {"PIP_INDEX_URL": "UV_DEFAULT_INDEX", "PIP_EXTRA_INDEX_URL": "UV_INDEX"}
    passed = {new: surroundings[old] for old, new in names.items() if old in surroundings}
    return passed | {
        name: value for name, value in surroundings.items() if name in {"UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL"}
    }


def _hand_over(folder: Path) -> None:
    """Give a finished runtime to root, for everybody to read and execute: it was built with a private umask."""
    for parent, folders, files in os.walk(folder):
        os.chown(parent, 0, 0)
        Path(parent).chmod(0o755)
        for name in folders:  # among them links to folders, which are not walked into
            os.lchown(Path(parent) / name, 0, 0)
        for name in files:
            path = Path(parent) / name
            os.lchown(path, 0, 0)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _refused(purpose: str, done: Completed) -> CannotProvide:
    words = tuple(line.rstrip() for line in done.stderr.decode(errors="replace").splitlines() if line.strip())
    if done.timed_out:
        return CannotProvide(f"cannot {purpose}: it took too long", "INCORRECT_CONFIGURATION", words[-20:])
    first = next(
        (at for at, line in enumerate(words) if line.startswith("error")), 0
    )  # what was done well comes before
    words = words[first:]
    spoken = " ".join(line.strip().lstrip(_ORNAMENTS).strip() for line in words)
    summary = spoken.removeprefix("error: ").replace(" cause: ", ": ") or f"status {done.exit_status}"
    return CannotProvide(f"cannot {purpose}: {summary}", "INCORRECT_CONFIGURATION")  # all of its words are in it
