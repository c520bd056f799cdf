"""The runtime of a data directory: where each owner's supervisor keeps its things."""

from pathlib import Path

from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.layout import Layout
from tradewind.domain.manifests import HOST
from tradewind.runtime.processes import ProcessRuntime


def runtime_of(layout: Layout) -> ProcessRuntime:
    """Processes on this machine."""

    def folder(owner: str) -> Path:
        return layout.supervisor if owner == HOST else layout.environment(EnvironmentId(owner)).supervisor

    return ProcessRuntime(folder, layout.run)
