"""docs/security.md names tests that exist, marked with the rows it says, and every variable it speaks of."""

from __future__ import annotations

import re
from pathlib import Path

from runtime.settings import Settings

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "security.md").read_text()


def test_every_test_it_names_is_there() -> None:
    named = set(re.findall(r"`(tests/[\w/.]+)`", TEXT))
    assert len(named) > 25
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []


def test_every_threat_is_defended_by_a_test_or_plainly_not() -> None:
    table = TEXT.partition("## Who attacks")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert len(rows) > 20
    for row in rows:
        assert "`tests/" in row or "*not defended*" in row or "*trusted*" in row, row


def test_the_rows_it_counts_on_are_marked_in_the_tests_beside_them() -> None:
    for line in TEXT.splitlines():
        tests = "".join((ROOT / path).read_text() for path in re.findall(r"`(tests/[\w/.]+)`", line))
        for row in re.findall(r"\brows? (\d+)", line):
            assert f"mark.fault({row})" in tests, (row, line)


def test_all_ten_risks_are_answered() -> None:
    assert re.findall(r"^\| API(\d+) \|", TEXT, re.MULTILINE) == [str(number) for number in range(1, 11)]


def test_every_setting_it_names_is_one() -> None:
    settings = {f"ADDIT_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"\bADDIT_[A-Z_]+", TEXT)) <= settings


def test_every_page_and_file_it_names_is_there() -> None:
    assert [
        page for page in re.findall(r"\]\((\w+\.md)\)", TEXT) if not (ROOT / "docs" / page).is_file()
    ] == []
    assert [
        name for name in re.findall(r"(?<!/)\bdocker/[\w/.]+\w", TEXT) if not (ROOT / name).is_file()
    ] == []
