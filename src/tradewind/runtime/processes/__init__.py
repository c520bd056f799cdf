"""Processes on this machine, supervised by supervisord: the Runtime port for one host. See docs/supervision.md."""

from tradewind.runtime.processes.runtime import ProcessRuntime

__all__ = ["ProcessRuntime"]
