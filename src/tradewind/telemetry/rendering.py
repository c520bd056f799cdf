"""A line of a log as people read it. Pure.

Task logs of Airflow 3 are one JSON object a line: `timestamp`, `level`, `event`, `logger`, and whatever else was
said with it; a failure carries its stack as data. Component logs are text. Either way what would steer a terminal
(escape sequences, carriage returns, other control characters) is taken out: a DAG's author chooses these words.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_ORDINARY = frozenset({"timestamp", "level", "event", "logger", "filename", "lineno", "error_detail", "exception"})
# Which try this is: in every line of its own log, and asked for by whoever reads it.
_KNOWN = frozenset({"dag_id", "task_id", "run_id", "ti_id", "try_number", "map_index"})
_GROUP, _END_OF_GROUP = "::group::", "::endgroup::"  # folds of Airflow's UI


def render(line: str) -> str:
    """One line of a log, maybe as several; nothing for a line that only ends a fold of Airflow's UI."""
    document = _document(line)
    if document is None:
        return plain(line)
    return "" if document["event"] == _END_OF_GROUP else plain("\n".join(_entry(document)))


def plain(text: str) -> str:
    """Without anything that a terminal would obey."""
    return _CONTROL.sub("", _ESCAPE.sub("", text))


def _document(line: str) -> Mapping[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "event" in found else None


def _entry(document: Mapping[str, Any]) -> Iterator[str]:
    parts = [
        _clock(document.get("timestamp")),
        str(document.get("level", "")).upper()[:8].ljust(8),
        _text(document["event"]).replace(_GROUP, "▸ ", 1),
    ]
    parts += [f"{key}={_text(value)}" for key, value in document.items() if key not in _ORDINARY | _KNOWN]
    yield " ".join(part for part in parts if part)
    details = document.get("error_detail") or document.get("exception") or []
    for number, failure in enumerate(_failures(details)):
        if number:
            yield "  During handling of the above, another exception occurred:"
        yield from _failure(failure)


def _clock(timestamp: Any) -> str:
    """`2026-11-22T08:23:00.123456Z` as `08:23:00.123`, in the time zone of the log."""
    text = str(timestamp or "")
    match = re.match(r"\d{4}-\d\d-\d\d[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,3}))?", text)
    return text if match is None else f"{match[1]}.{(match[2] or '0').ljust(3, '0')}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _failures(details: Any) -> list[Any]:
    """Newest last, as Python prints a chain; the log has the newest first."""
    return list(reversed(details)) if isinstance(details, list) else [details]


def _failure(failure: Any) -> Iterator[str]:
    if not isinstance(failure, dict):
        yield from (f"  {line}" for line in _text(failure).splitlines())
        return
    for frame in failure.get("frames") or ():
        if isinstance(frame, dict):
            yield f"  File {frame.get('filename', '?')}, line {frame.get('lineno', '?')}, in {frame.get('name', '?')}"
    yield f"  {failure.get('exc_type', 'Exception')}: {failure.get('exc_value', '')}"
    yield from (f"  {note}" for note in failure.get("exc_notes") or ())
