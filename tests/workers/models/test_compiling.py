"""Compiled blocks: every block and nothing else, and not where blocks come and go."""

from __future__ import annotations

import pytest

from tests.workers import pipelines
from workers.addit.late_cache import offered_modes
from workers.models.compiling import compile_blocks
from workers.models.errors import UnsupportedSetting


def test_every_block_is_compiled_when_it_first_runs() -> None:
    transformer = pipelines.flux().transformer
    compile_blocks(transformer, "none")
    compiled = {name for name, part in transformer.named_modules() if part._compiled_call_impl is not None}
    assert compiled == {
        f"{kind}.{number}"
        for kind in ("transformer_blocks", "single_transformer_blocks")
        for number in (0, 1)
    }
    assert offered_modes(transformer) == ("exact",)


def test_blocks_that_come_and_go_are_not() -> None:
    with pytest.raises(UnsupportedSetting, match="offload"):
        compile_blocks(pipelines.flux().transformer, "group")
