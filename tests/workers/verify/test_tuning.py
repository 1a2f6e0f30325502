"""What `addit bench tune` measures is what edits will share."""

from __future__ import annotations

from functools import partial

import torch

from tests.workers.addit import golden
from workers.addit.forward import Branches
from workers.addit.latents import draw_noise
from workers.verify.passes import Passes, seconds_in_turns, seconds_of
from workers.verify.tuning import shared


@torch.inference_mode()
def test_so_many_who_ask_take_one_pass() -> None:
    branches = Branches(golden.backbone(), golden.GRID)
    noise = draw_noise((0,), golden.CHANNELS, golden.GRID, element=0)
    passes = Passes(branches, golden.conditioning("source", 1.0), golden.conditioning("target", 3.5), noise)
    rows: list[int] = []
    handle = branches.backbone.transformer.register_forward_pre_hook(
        lambda module, args, kwargs: rows.append(kwargs["hidden_states"].shape[0]), with_kwargs=True
    )
    with branches.backbone.exchange_processors():
        lent = passes.lending()
        rows.clear()
        assert seconds_of(lambda: shared(passes, lent, 4), golden.CPU, repeats=1) > 0
    handle.remove()
    assert rows == [4, 4]


def test_rows_are_timed_in_turns_as_far_as_there_is_memory() -> None:
    ran: list[int] = []

    def run(rows: int) -> None:
        ran.append(rows)
        if rows > 2:
            raise torch.OutOfMemoryError

    seconds = seconds_in_turns({rows: partial(run, rows) for rows in (1, 2, 4, 8)}, golden.CPU, repeats=2)
    assert list(seconds) == [1, 2]
    assert ran == [1, 2, 4, 1, 2, 1, 2]
