"""Whether this machine, or the container that we are in, has memory to spare: a quarter of it, as the kernel counts."""

from __future__ import annotations

from pathlib import Path

_MACHINE = Path("/proc/meminfo")
_CONTAINER = Path("/sys/fs/cgroup")
_SHARE = 0.25


def to_spare(machine: Path = _MACHINE, container: Path = _CONTAINER) -> bool:
    """False where that cannot be told."""
    try:
        lines = dict(line.split(":", 1) for line in machine.read_text().splitlines() if ":" in line)
        total, available = (int(lines[name].split()[0]) for name in ("MemTotal", "MemAvailable"))
    except (OSError, ValueError, KeyError, IndexError):
        return False
    return available >= _SHARE * total and _container_has(container)


def _container_has(container: Path) -> bool:
    try:
        limit, used = int((container / "memory.max").read_text()), int((container / "memory.current").read_text())
    except (OSError, ValueError):  # no container, or no limit ("max")
        return True
    return limit - used >= _SHARE * limit
