"""Which environment variables were read while modules were imported, and what they answered.

A module that reads its configuration at import keeps the answer. Airflow's configuration is read from variables each
time, so it is enough to watch `os.environ`: a component for which one of the variables read would have another value
does not become a fork of this process.
"""

import os
from collections.abc import Iterable, Mapping
from typing import Any, Self


class Reads:
    """Watches `os.environ` within a `with` block."""

    def __init__(self) -> None:
        self.answers: dict[str, str | None] = {}
        self.written: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._before = dict(os.environ)
        self._plain: Any = os.environ._data  # type: ignore[attr-defined]  # noqa: SLF001
        os.environ._data = _Watched(self._plain, self._note)  # type: ignore[attr-defined]  # noqa: SLF001
        return self

    def __exit__(self, *_: object) -> None:
        self._plain.clear()
        self._plain.update(os.environ._data)  # type: ignore[attr-defined]  # noqa: SLF001
        os.environ._data = self._plain  # type: ignore[attr-defined]  # noqa: SLF001
        self.written = {name: value for name, value in os.environ.items() if self._before.get(name) != value}

    def _note(self, name: bytes, value: bytes | None) -> None:
        text = os.fsdecode(name)
        if text not in self.answers:  # later ones may be what a module itself has put there
            self.answers[text] = None if value is None else os.fsdecode(value)

    def different(self, environment: Mapping[str, str], except_for: Iterable[str]) -> list[str]:
        """Names that were read and would have answered otherwise in that environment."""
        harmless = frozenset(except_for)
        return sorted(
            name for name, value in self.answers.items() if name not in harmless and environment.get(name) != value
        )


class _Watched(dict[bytes, bytes]):
    """The mapping below `os.environ`."""

    def __init__(self, data: Mapping[bytes, bytes], note: Any) -> None:
        super().__init__(data)
        self._note = note

    def __getitem__(self, name: bytes) -> bytes:
        self._note(name, super().get(name))
        return super().__getitem__(name)

    def get(self, name: bytes, default: Any = None) -> Any:
        self._note(name, super().get(name))
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        if isinstance(name, bytes):
            self._note(name, super().get(name))
        return super().__contains__(name)
