from __future__ import annotations

import torch

from workers.addit.backbones.conditioning import Conditioning, by_row


def test_everything_moves_to_another_device() -> None:
    empty = Conditioning(torch.zeros(1, 3, 4), torch.zeros(1, 5), 1.0)
    cond = Conditioning(
        torch.ones(2, 3, 4), torch.ones(1, 5), torch.tensor([2.0, 3.0]), empty, torch.ones(1, 6, 8)
    )
    moved = cond.to(torch.device("meta"))
    parts = moved.prompt_embeds, moved.pooled_prompt_embeds, moved.guidance, moved.context
    assert all(isinstance(part, torch.Tensor) and part.is_meta for part in parts)
    assert moved.negative is not None
    assert moved.negative.prompt_embeds.is_meta
    assert moved.text_len == cond.text_len == 3 + 6


def test_one_value_serves_all_rows() -> None:
    assert by_row(2.0, 3, torch.device("cpu")).tolist() == [2, 2, 2]
    assert by_row(torch.tensor([1.0, 2.0]), 2, torch.device("cpu")).tolist() == [1, 2]


def test_rows_are_picked_where_there_is_one_each() -> None:
    cond = Conditioning(torch.arange(6.0).reshape(3, 2, 1), torch.ones(1, 5), torch.tensor([1.0, 2.0, 3.0]))
    picked = cond.of([2, 0])
    assert picked.prompt_embeds[:, 0, 0].tolist() == [4, 0]
    assert torch.as_tensor(picked.guidance).tolist() == [3, 1]
    assert picked.pooled_prompt_embeds is not None
    assert picked.pooled_prompt_embeds.shape == (1, 5)
    assert Conditioning(torch.ones(1, 2, 3), None, 2.0).of([1]).guidance == 2.0
