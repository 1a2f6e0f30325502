"""The shipped captioner speaks of the world as it is now."""

from pathlib import Path

from toyland.grammar import write_grammar
from toyland.workshop import SHIPPED


def test_the_shipped_grammar_is_that_of_the_world(tmp_path: Path) -> None:
    write_grammar(tmp_path / "grammar.json")
    assert (SHIPPED / "grammar.json").read_text() == (tmp_path / "grammar.json").read_text()
