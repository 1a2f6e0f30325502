"""Extended attention and its probabilities, against the formulas written out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from workers.addit.attention import EXTRA, add_bias, attention_columns, attention_rows, extend


def probabilities(query: Tensor, key: Tensor) -> Tensor:
    """(B, H, L, M), the matrix that the product never makes."""
    return (torch.einsum("blhd,bmhd->bhlm", query, key) / query.shape[-1] ** 0.5).softmax(-1)


@given(st.floats(0.5, 2.0), st.integers(1, 5), st.integers(1, 7), st.integers(0, 2**31))
@settings(deadline=None, max_examples=30)
def test_scaled_keys_are_scaled_logits(scale: float, own: int, lent: int, seed: int) -> None:
    torch.manual_seed(seed)
    query, key, value = (torch.randn(2, own, 3, 4) for _ in range(3))
    source_key, source_value = torch.randn(1, lent, 3, 4), torch.randn(1, lent, 3, 4)
    keys, values = extend(key, value, source_key, source_value, scale)
    attended = F.scaled_dot_product_attention(
        query.transpose(1, 2), keys.transpose(1, 2), values.transpose(1, 2)
    )

    logits = torch.einsum("blhd,bmhd->bhlm", query, torch.cat([source_key.expand(2, -1, -1, -1), key], 1)) / 2
    weights = torch.cat([torch.ones(lent), torch.full((own,), scale)])
    expected = (logits * weights).softmax(-1) @ torch.cat(
        [source_value.expand(2, -1, -1, -1), value], 1
    ).transpose(1, 2)
    torch.testing.assert_close(attended, expected, atol=1e-5, rtol=1e-5)


def test_extending_leaves_the_arguments_alone() -> None:
    key, value = torch.randn(1, 3, 2, 4), torch.randn(1, 3, 2, 4)
    before = key.clone(), value.clone()
    extend(key, value, torch.randn(1, 2, 2, 4), torch.randn(1, 2, 2, 4), 1.3)
    assert torch.equal(key, before[0])
    assert torch.equal(value, before[1])


@given(st.integers(1, 5), st.integers(0, 7), st.floats(-8, 8), st.integers(0, 2**31))
@settings(deadline=None, max_examples=30)
def test_a_bias_of_rank_one_is_a_dense_mask(own: int, lent: int, strength: float, seed: int) -> None:
    torch.manual_seed(seed)
    query, key, value = torch.randn(2, own, 3, 8), *torch.randn(2, 2, own + lent, 3, 8)
    of_query, of_key = strength * torch.randn(own), torch.randn(own + lent)
    before = query.clone(), key.clone(), value.clone()
    wide = add_bias(query, key, value, of_query, of_key)
    q, k, v = (part.transpose(1, 2) for part in wide)
    attended = F.scaled_dot_product_attention(q, k, v, scale=8**-0.5)
    q, k, v = (part.transpose(1, 2) for part in (query, key, value))
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=torch.outer(of_query, of_key))
    torch.testing.assert_close(attended[..., :8], expected, atol=1e-4, rtol=1e-4)
    assert {part.shape[-1] for part in wide} == {8 + EXTRA}
    assert all(torch.equal(*pair) for pair in zip(before, (query, key, value), strict=True))


def test_rows_are_the_matrix_rows() -> None:
    query, key = torch.randn(2, 3, 4, 8), torch.randn(2, 11, 4, 8)
    torch.testing.assert_close(attention_rows(query, key), probabilities(query, key).mean(1))


def test_columns_are_the_matrix_columns_whatever_the_chunk() -> None:
    query, key, columns = torch.randn(2, 9, 4, 8), torch.randn(2, 11, 4, 8), torch.tensor([2, 7])
    expected = probabilities(query, key).mean(1)[..., columns]
    for chunk in (1, 4, 100):
        torch.testing.assert_close(attention_columns(query, key, columns, chunk), expected)
