"""Nothing that was measured is measured again, and an interruption costs one line."""

from dataclasses import dataclass
from pathlib import Path

from toyland.score.ledger import Ledger, key_of


@dataclass(frozen=True)
class Task:
    """Something to measure."""

    scene: str
    seed: int


@dataclass(frozen=True)
class OtherTask:
    """Something else with the same fields."""

    scene: str
    seed: int


def test_records_outlive_the_process(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "records.jsonl"
    Ledger(file).add("a", {"holds": True})
    again = Ledger(file)
    assert "a" in again
    assert again["a"] == {"holds": True}
    assert "b" not in again


def test_a_line_that_was_cut_off_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    Ledger(file).add("a", {"score": 1.0})
    with file.open("a") as lines:
        lines.write('\n{"key": "b", "rec')
    again = Ledger(file)
    assert "a" in again
    assert "b" not in again
    again.add("b", {"score": 2.0})
    assert Ledger(file)["b"] == {"score": 2.0}


def test_keys_are_of_values_and_types() -> None:
    assert key_of(Task("beach", 1), "weights") == key_of(Task("beach", 1), "weights")
    different = [
        key_of(Task("beach", 1), "weights"),
        key_of(Task("beach", 2), "weights"),
        key_of(Task("beach", 1), "other weights"),
        key_of(OtherTask("beach", 1), "weights"),
    ]
    assert len(set(different)) == len(different)
