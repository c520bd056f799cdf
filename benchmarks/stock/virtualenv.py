"""Stock Airflow's virtualenv: the same lock, interpreter and installer as Tradewind's runtimes, without our package.

The shared one lies in `.venvs/` and is built once; a benchmark that measures building makes its own elsewhere.
"""

import hashlib
import os
import shutil
from pathlib import Path

import uv

from benchmarks.programs import finish
from tradewind.recipe.versions import default_version, versions
from tradewind.runtime.virtualenvs import choose_interpreter

_SHARED = Path(__file__).parents[2] / ".venvs"
_SECONDS = 1_200.0


def shared() -> Path:
    """The virtualenv, built if need be."""
    version = versions()[default_version()]
    return shared_of(f"stock-{version.name}", version.lock)


def shared_of(name: str, lock: str) -> Path:
    """A virtualenv of exactly this lock, built if need be."""
    python = choose_interpreter(for_others=os.geteuid() == 0)
    digest = hashlib.sha256(f"{lock}{python.path}{python.version}".encode()).hexdigest()[:12]
    root = _SHARED / f"{name}-{digest}"
    if not (root / "complete").exists():
        shutil.rmtree(root, ignore_errors=True)
        build(root, lock)
        (root / "complete").touch()
    return root


def build(root: Path, lock_text: str | None = None) -> None:
    """Make one, as Tradewind's runtimes are made: hashes required, bytecode compiled, files copied."""
    root.parent.mkdir(parents=True, exist_ok=True)
    lock = root.with_name(f"{root.name}.txt")
    lock.write_text(lock_text if lock_text is not None else versions()[default_version()].lock)
    program, python = uv.find_uv_bin(), choose_interpreter(for_others=os.geteuid() == 0)
    surroundings = {**os.environ, "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never"}
    surroundings |= {
        new: surroundings[old]
        for old, new in (("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), ("PIP_EXTRA_INDEX_URL", "UV_INDEX"))
        if old in surroundings and new not in surroundings
    }
    try:
        for arguments in (
            ["venv", "--quiet", "--python", str(python.path), str(root)],
            ["pip", "install", "--quiet", "--python", str(root / "bin" / "python"), "--compile-bytecode",
             "--link-mode", "copy", "--require-hashes", "--requirement", str(lock)],
        ):  # fmt: skip
            finish([program, *arguments], environment=surroundings, directory=root.parent, seconds=_SECONDS)
    finally:
        lock.unlink(missing_ok=True)
        (root.parent / "uv.log").unlink(missing_ok=True)


def discard(root: Path) -> None:
    """Remove one that a benchmark made for itself."""
    shutil.rmtree(root, ignore_errors=True)
