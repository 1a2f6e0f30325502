"""Bytes on the meta device are those that tensors would have."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from bench.allocations import peak_bytes
from bench.weights import grouped_bytes, weight_bytes

META = torch.device("meta")


def test_what_is_dropped_no_longer_counts() -> None:
    def compute() -> torch.Tensor:
        first = torch.empty(1000, device=META)
        second = first + 1
        del first
        return second * 2

    assert peak_bytes(compute) == 2 * 4000


def test_views_and_work_in_place_cost_nothing() -> None:
    def compute() -> torch.Tensor:
        tensor = torch.empty(10, 100, device=META)
        tensor.view(1000).add_(1)
        return tensor[:5].mT

    assert peak_bytes(compute) == 4000


def test_attention_never_holds_its_matrix() -> None:
    def compute() -> torch.Tensor:
        query = torch.empty(1, 4, 1000, 64, dtype=torch.bfloat16, device=META)
        return F.scaled_dot_product_attention(query, query, query)

    assert peak_bytes(compute) == 2 * (4 * 1000 * 64 * 2) + 4 * 1000 * 4


def test_quantized_weights_are_the_linear_layers_matrices() -> None:
    with META:
        module = nn.Sequential(nn.Linear(128, 256), nn.LayerNorm(256)).bfloat16()
    rest = (256 + 2 * 256) * 2
    assert weight_bytes(module) == 128 * 256 * 2 + rest
    assert weight_bytes(module, "fp8") == 128 * 256 + 4 * 256 + rest
    assert weight_bytes(module, "nf4") == 128 * 256 // 2 + 128 * 256 // 64 * 4 + rest


def test_a_group_is_two_neighbouring_blocks_and_all_that_is_in_none() -> None:
    with META:
        module = nn.Module()
        module.blocks = nn.ModuleList([nn.Linear(10, width, bias=False) for width in (1, 5, 3, 1)])
        module.head = nn.Linear(10, 7, bias=False)
    assert grouped_bytes(module) == 4 * 10 * (7 + 5 + 3)
