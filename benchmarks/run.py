"""Measure: `.venv/bin/python benchmarks/run.py B6 B7 B9` (`--help` tells the rest, docs/benchmarks.md the method).

Progress goes to standard error, tables to standard output, every number to a JSON file. Ctrl-C stops everything that
was started and keeps what had been seen. Ends with status 1 when something could not be measured, 2 when nothing could.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Python puts this folder first: its modules must be found by their package's name only
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from benchmarks.command import main

    sys.exit(main())
