from __future__ import annotations

import torch

from workers.addit.spread import CHUNK, SpreadRecorder


def test_shares_are_those_of_the_whole_matrix() -> None:
    text, image, lent = CHUNK + 6, 9, 7
    query = torch.randn(2, text + image, 3, 4)
    key = torch.randn(2, lent + text + image, 3, 4)
    recorder = SpreadRecorder(text)
    recorder.record(4, "transformer_blocks.0", query, key)
    recorder.record(4, "transformer_blocks.1", query, key)
    logits = torch.einsum("blhd,bmhd->bhlm", query[:, :text], key) / 2
    whole = logits.softmax(-1).mean(dim=(1, 2))  # (B, M)
    parts = torch.split(whole, [lent, text, image], dim=1)
    wanted = torch.stack([part.sum(dim=1) for part in parts], dim=1)
    torch.testing.assert_close(recorder.shares(4), wanted)


def test_layers_without_a_lent_source_do_not_count() -> None:
    recorder = SpreadRecorder(2)
    query = torch.randn(1, 5, 1, 4)
    recorder.record(0, "transformer_blocks.0", query, torch.cat([torch.randn(1, 3, 1, 4), query], dim=1))
    before = recorder.shares(0)
    recorder.record(0, "transformer_blocks.1", query, query)
    torch.testing.assert_close(recorder.shares(0), before)
