"""LoRAs: worn for one request at its weights, taken off whatever happens, unknown names said plainly."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.workers import pipelines
from tests.workers.addit.backbones.families import CPU, GRID, leave_alone, noise, told
from workers.addit.backbones.flux import FluxBackbone
from workers.addit.errors import UnsupportedOption
from workers.models.errors import ModelFilesBroken
from workers.models.loras import Loras, load_loras


def adapter(folder: Path, name: str, seed: int) -> str:
    """A rank-1 LoRA of one block's queries, as diffusers writes them."""
    torch.manual_seed(seed)
    layer = "transformer.transformer_blocks.0.attn.to_q"
    tensors = {f"{layer}.lora_A.weight": torch.randn(1, 128), f"{layer}.lora_B.weight": torch.randn(128, 1)}
    save_file(tensors, folder / f"{name}.safetensors")
    return str(folder / f"{name}.safetensors")


@pytest.fixture(scope="module")
def loras(tmp_path_factory: pytest.TempPathFactory) -> Loras:
    """Two on one small FLUX."""
    pytest.importorskip("peft", reason="diffusers' adapters need peft, which this environment lacks")
    folder = tmp_path_factory.mktemp("loras")
    return load_loras(pipelines.flux(), {name: adapter(folder, name, at) for at, name in enumerate("ab")})


@torch.no_grad()
def velocity(loras: Loras) -> Tensor:
    """Through the exchange processors, as an edit runs."""
    backbone = FluxBackbone(loras.pipe, 32, CPU)
    with backbone.exchange_processors():
        return backbone.velocity(noise(backbone), 0.5, told(backbone)[1], GRID, leave_alone)


def test_nothing_is_worn_between_requests(loras: Loras) -> None:
    plain = FluxBackbone(pipelines.flux(), 32, CPU)
    with torch.no_grad(), plain.exchange_processors():
        expected = plain.velocity(noise(plain), 0.5, told(plain)[1], GRID, leave_alone)
    assert torch.equal(velocity(loras), expected)
    with loras.worn({"a": 1.0}):
        assert not torch.allclose(velocity(loras), expected)
    assert torch.equal(velocity(loras), expected)


def test_each_is_worn_at_its_weight(loras: Loras) -> None:
    seen = []
    for weights in ({"a": 1.0}, {"b": 1.0}, {"a": 0.5}, {"a": 1.0, "b": 1.0}):
        with loras.worn(weights):
            seen.append(velocity(loras))
    assert all(not torch.allclose(one, other) for at, one in enumerate(seen) for other in seen[:at])


def test_a_failed_request_takes_them_off(loras: Loras) -> None:
    before = velocity(loras)
    with pytest.raises(KeyboardInterrupt), loras.worn({"a": 1.0}):
        raise KeyboardInterrupt
    assert torch.equal(velocity(loras), before)


def test_an_unknown_name_is_said_plainly() -> None:
    with pytest.raises(UnsupportedOption, match="no LoRA sketch; there are: ink"), worn("ink", "sketch"):
        pass


def test_none_asked_for_needs_none() -> None:
    with Loras(None, ()).worn({}):
        pass


def test_a_file_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="diffusers' adapters need peft, which this environment lacks")
    with pytest.raises(ModelFilesBroken, match="ink"):
        load_loras(pipelines.flux(), {"ink": str(tmp_path / "absent.safetensors")})


def worn(loaded: str, asked: str) -> AbstractContextManager[None]:
    return Loras(None, (loaded,)).worn({asked: 1.0})
