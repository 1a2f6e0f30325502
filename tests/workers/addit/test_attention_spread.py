from __future__ import annotations

import pytest
import torch
from torch import Tensor

from workers.addit.attention import extend
from workers.addit.attention_spread import CHUNK, AttentionSpread

TEXT, IMAGE, LENT = 5, 6, 7
TOKENS = [1, 3]


def matrix(query: Tensor, key: Tensor) -> Tensor:
    """(B, L, M), mean of the heads."""
    return (torch.einsum("blhd,bmhd->bhlm", query, key) / query.shape[-1] ** 0.5).softmax(-1).mean(1)


def test_shares_are_those_of_the_whole_matrix() -> None:
    torch.manual_seed(0)
    spread, naive = AttentionSpread(["a", "b"], TOKENS, TEXT), []
    for layer in ("a", "b", "not looked at"):
        query, key = torch.randn(2, TEXT + IMAGE, 3, 4), torch.randn(2, LENT + TEXT + IMAGE, 3, 4)
        spread.record(4, layer, query, key)
        if layer != "not looked at":
            rows = matrix(query, key)[:, TOKENS]
            parts = rows[..., :LENT], rows[..., LENT : LENT + TEXT], rows[..., LENT + TEXT :]
            naive.append([float(part.sum(-1).mean()) for part in parts])
    found = spread.by_step()[4]
    expected = torch.tensor(naive).mean(0).tolist()
    assert [found.source, found.text, found.target] == pytest.approx(expected, abs=1e-6)
    assert found.source + found.text + found.target == pytest.approx(1)


def test_where_nothing_is_lent_nothing_goes_to_the_source() -> None:
    spread = AttentionSpread(["a"], TOKENS, TEXT)
    for step in (9, 8):
        spread.record(step, "a", torch.randn(1, TEXT + IMAGE, 2, 4), torch.randn(1, TEXT + IMAGE, 2, 4))
    assert list(spread.by_step()) == [8, 9]
    assert all(share.source == 0 for share in spread.by_step().values())


def test_a_heavier_weight_draws_attention_from_the_source_to_keys_that_match() -> None:
    torch.manual_seed(0)
    query = torch.randn(1, TEXT + IMAGE, 2, 4)
    key = query + 0.1 * torch.randn_like(query)  # what is asked for is there
    value, lent = torch.zeros_like(key), torch.randn(1, LENT, 2, 4)
    shares = []
    for scale in (1.0, 1.1, 1.5):
        spread = AttentionSpread(["a"], TOKENS, TEXT)
        spread.record(0, "a", query, extend(key, value, lent, lent, scale)[0])
        shares.append(spread.by_step()[0].source)
    assert shares[0] > shares[1] > shares[2]


def test_many_rows_are_seen_in_chunks_and_rows_of_the_batch_stay_apart() -> None:
    text = CHUNK + 6
    spread = AttentionSpread(["a"], range(text), text)
    query, key = torch.randn(2, text + IMAGE, 3, 4), torch.randn(2, LENT + text + IMAGE, 3, 4)
    spread.record(0, "a", query, key)
    parts = torch.split(matrix(query, key)[:, :text].mean(dim=1), [LENT, text, IMAGE], dim=1)
    wanted = torch.stack([part.sum(dim=1) for part in parts], dim=1)
    torch.testing.assert_close(spread.rows(0), wanted)
