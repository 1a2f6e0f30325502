"""Packed weights give what ordinary ones do, and follow them."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from tests.workers.addit import golden
from workers.addit.backbones.flux import FluxBackbone
from workers.models import packing
from workers.models.packing import PackedLinear, can_pack, pack_linears, unpack_linears


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def layers(dtype: torch.dtype = torch.float32) -> tuple[torch.nn.Linear, PackedLinear]:
    torch.manual_seed(0)
    layer = torch.nn.Linear(24, 40, dtype=dtype).requires_grad_(False)
    return layer, PackedLinear.of(layer)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rows", [1, 7, 300])
def test_the_product_is_the_same(dtype: torch.dtype, rows: int) -> None:
    if not can_pack(dtype):
        pytest.skip(f"this processor multiplies no {dtype}")
    layer, packed = layers(dtype)
    given = torch.randn(2, rows, 24, dtype=dtype)
    close = 1e-5 if dtype == torch.float32 else 0.02
    torch.testing.assert_close(packed(given), layer(given), atol=close, rtol=close)
    assert packed.packed is not None
    turned = torch.randn(2, 24, rows, dtype=dtype).transpose(1, 2)
    torch.testing.assert_close(packed(turned), layer(turned), atol=close, rtol=close)


def test_what_was_moved_cast_or_loaded_is_packed_again() -> None:
    _, packed = layers()
    given = torch.randn(3, 24)
    packed(given)
    packed.load_state_dict({"weight": torch.ones(40, 24), "bias": torch.zeros(40)})
    torch.testing.assert_close(packed(given), given.sum(-1, keepdim=True).expand(3, 40))
    packed.double()
    assert packed.packed is None


def test_gradients_are_recorded_as_ever() -> None:
    _, packed = layers()
    with torch.enable_grad():
        given = torch.randn(3, 24, requires_grad=True)
        packed(given).sum().backward()
    assert packed.packed is None
    torch.testing.assert_close(given.grad, packed.weight.sum(0).expand(3, 24))


def test_its_arithmetic_is_counted() -> None:
    layer, packed = layers()
    counts = []
    for each in (layer, packed):
        with FlopCounterMode(display=False) as counter:
            each(torch.randn(3, 24))
        counts.append(counter.get_total_flops())
    assert counts == [2 * 3 * 24 * 40] * 2


def test_only_ordinary_layers_in_a_fitting_type_are_replaced() -> None:
    class Other(torch.nn.Linear):
        """Somebody else's."""

    parts = torch.nn.ModuleDict(
        {
            "ordinary": torch.nn.Linear(2, 3),
            "other": Other(2, 3),
            "narrow": torch.nn.Linear(2, 3, dtype=torch.float16),
            "nowhere": torch.nn.Linear(2, 3, device="meta"),
        }
    )
    before = {name: part.data_ptr() for name, part in parts.named_parameters()}
    assert pack_linears(parts) == 1
    assert isinstance(parts["ordinary"], PackedLinear)
    assert pack_linears(parts) == 0
    unpack_linears(parts)
    assert type(parts["ordinary"]) is torch.nn.Linear
    assert {name: part.data_ptr() for name, part in parts.named_parameters()} == before


def test_large_models_keep_their_weights_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MOST_BYTES", 2 * 24 * 40 * 4 - 1)
    assert pack_linears(torch.nn.ModuleList([layers()[0], layers()[0]])) == 0
    assert pack_linears(torch.nn.ModuleList([layers()[0]])) == 1


def test_a_packed_transformer_gives_the_golden_tensors() -> None:
    transformer = golden.transformer.__wrapped__()
    assert pack_linears(transformer) > 0
    pipe = cast(Any, SimpleNamespace(transformer=transformer))
    ours, case = FluxBackbone(pipe, 0, golden.CPU), "real_noising"
    done, _ = golden.run(case, golden.config(case), backbone=ours)
    torch.testing.assert_close(done.latents[0], golden.expected(case)["latents_target"], atol=1e-5, rtol=0)
