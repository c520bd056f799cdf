"""`doctor`: what the examination found, as a table. Ends with 1 when there is an error."""

import dataclasses
import shutil
import sys
import textwrap
from pathlib import Path

from tradewind.bootstrap.examination import examine
from tradewind.bootstrap.findings import Finding, Severity
from tradewind.cli.failures import FAILED
from tradewind.cli.output import Output, document, line, paint
from tradewind.cli.places import settings_of

_WIDTH_ELSEWHERE = 200


def examine_machine(data_dir: Path | None, port: int | None, output: Output) -> int:
    """Examine, print, answer the status."""
    findings = examine(settings_of(data_dir, port))
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    warnings = sum(finding.severity is Severity.WARNING for finding in findings)
    if output is Output.JSON:
        document([dataclasses.asdict(finding) | {"severity": finding.severity.value} for finding in findings])
    else:
        width = max(len(finding.subject) for finding in findings)
        for finding in findings:
            _tell(finding, width)
        line()
        line(f"{_count(errors, 'error')}, {_count(warnings, 'warning')}.")
    return FAILED if errors else 0


def _tell(finding: Finding, width: int) -> None:
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH_ELSEWHERE
    margin = 7 + 2 + width + 2
    first, *more = textwrap.wrap(finding.sentence, max(30, columns - margin)) or [""]
    word = finding.severity.value.ljust(7)
    line(f"{paint(word)}  {finding.subject:<{width}}  {first}")
    for text in more:
        line(" " * margin + text)
    if finding.remedy:
        for text in textwrap.wrap(f"→ {finding.remedy}", max(30, columns - margin)):
            line(" " * margin + text)


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
