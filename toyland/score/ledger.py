"""What was measured once is kept: a JSON line per item, found again by a key of all it depends on."""

import hashlib
import json
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

Record = dict[str, Any]
"""Plain values alone: what JSON can hold."""


class Ledger:
    """Records in a file, appended as they come, so that an interrupted run loses nothing."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._records = dict(_read(file)) if file.exists() else {}

    def __contains__(self, key: str) -> bool:
        return key in self._records

    def __getitem__(self, key: str) -> Record:
        return self._records[key]

    def records(self) -> list[Record]:
        """All of them, in the order they came."""
        return list(self._records.values())

    def add(self, key: str, record: Record) -> None:
        """Keep a record."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as lines:
            # A line begins with its break: what an interruption cut off before it stays a line of its own.
            lines.write("\n" + json.dumps({"key": key, "record": record}))
        self._records[key] = record


def key_of(*parts: object) -> str:
    """A short name for exactly these values; dataclasses count by their type and fields."""
    text = json.dumps([_plain(part) for part in parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _plain(part: object) -> object:
    if is_dataclass(part) and not isinstance(part, type):
        return [type(part).__name__, asdict(part)]
    return part


def _read(file: Path) -> list[tuple[str, Record]]:
    records = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue  # empty, or cut off: its item is measured again
        records.append((entry["key"], entry["record"]))
    return records
