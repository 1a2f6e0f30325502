"""Injected maps are what an explicit softmax gives."""

from __future__ import annotations

import torch

from evaluation.methods.injection import InjectMaps, KeepMaps, share

TEXT, IMAGE = 3, 4
LENGTH = TEXT + IMAGE


def maps(query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
    """(B, H, L, M), written out."""
    return torch.einsum("blhd,bmhd->bhlm", query, key).div(query.shape[-1] ** 0.5).softmax(-1)


def draws(count: int) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(1, LENGTH, 2, 8) for _ in range(count)]


def test_a_share_is_the_softmax_on_some_columns() -> None:
    query, key, value = draws(3)
    columns = torch.arange(LENGTH) % 2 == 0
    chosen = maps(query, key) * columns
    out, mass = share(query, key, value, columns)
    torch.testing.assert_close(out, torch.einsum("bhlm,bmhd->blhd", chosen, value))
    torch.testing.assert_close(mass, chosen.sum(-1).transpose(1, 2)[..., None])


def test_image_tokens_see_common_columns_as_the_source_did() -> None:
    query, key, value, source_query, source_key = draws(5)
    words = [(0, 1), (2, 0)]  # the source's first word is the target's second
    exchange = InjectMaps(KeepMaps({"a": (source_query, source_key)}), words, TEXT, image=False)
    source, target = maps(source_query, source_key), maps(query, key)
    mixed = target.clone()
    for before, after in words:
        mixed[..., after] = source[..., before]
    mixed = mixed / mixed.sum(-1, keepdim=True)
    mixed[:, :, :TEXT] = target[:, :, :TEXT]
    expected = torch.einsum("bhlm,bmhd->blhd", mixed, value)
    torch.testing.assert_close(exchange.attended("a", query, key, value), expected)


def test_the_image_too() -> None:
    query, key, value, source_query, source_key = draws(5)
    kept = KeepMaps()
    assert kept("a", source_query, source_key, value) == (source_query, source_key, value)
    everything = [(word, word) for word in range(TEXT)]
    found = InjectMaps(kept, everything, TEXT, image=True).attended("a", query, key, value)
    expected = torch.einsum("bhlm,bmhd->blhd", maps(source_query, source_key), value)
    torch.testing.assert_close(found[:, TEXT:], expected[:, TEXT:])
    own = torch.einsum("bhlm,bmhd->blhd", maps(query, key), value)
    torch.testing.assert_close(found[:, :TEXT], own[:, :TEXT])
