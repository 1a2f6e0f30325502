"""Sources that are told become pictures once, and the suite's folder lists them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from evaluation.methods.method import Workbench
from evaluation.picturing import write_pictures
from evaluation.suites.folders import read_items
from tests.evaluation.samples import TOLD, pictured, tiny_bench


def test_what_is_told_is_drawn_once_and_boxes_stay(tmp_path: Path) -> None:
    bench = tiny_bench()
    bench.profile = replace(bench.profile, native_side=64)
    shown = replace(pictured(tmp_path), name="b", boxes=((1.0, 2.0, 3.0, 4.0),))
    assert write_pictures(bench, [TOLD, shown], tmp_path) == 1
    first, second = read_items(tmp_path)
    assert first.image is not None
    drawn = first.open_picture()
    assert drawn is not None
    assert drawn.shape == (64, 64, 3)
    assert second == shown
    assert write_pictures(Workbench(bench.profile), [first, second], tmp_path) == 0
