"""The command line: `tradewind`, a client of the public API.

`app` lists the commands and their options and imports nothing heavy, so that help is instant; what a command
does stands in a module of its own. `up`, `down`, `doctor`, `audit` and, until there is a logs API, `logs` work on the
data directory. Every command ends as `failures` says.
"""

from tradewind.cli.running import main

__all__ = ["main"]
