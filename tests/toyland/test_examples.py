"""The examples can be written, whatever the sprites look like."""

import json
from pathlib import Path

from PIL import Image

from toyland.examples import EXAMPLES, write_examples
from toyland.world import World


def test_examples_are_written_with_their_prompts(world: World, tmp_path: Path) -> None:
    write_examples(world, tmp_path)
    entries = json.loads((tmp_path / "examples.json").read_text())
    assert [entry["file"] for entry in entries] == [example.file for example in EXAMPLES]
    for entry, example in zip(entries, EXAMPLES, strict=True):
        with Image.open(tmp_path / example.file) as picture:
            assert picture.size == example.size
        assert entry["subject"] in entry["prompt"].split()
        assert entry["prompt"].startswith(entry["source_prompt"])
