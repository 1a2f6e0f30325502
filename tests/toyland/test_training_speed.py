"""Fast training attends as FLUX does, forward and backward."""

import copy

import torch
from diffusers import FluxTransformer2DModel
from torch import Tensor

from tests.toyland.tiny import CHANNELS, TEXT_LEN, tiny_modules
from toyland.latents import image_ids
from toyland.training_speed import MatrixAttention


def _learn(transformer: FluxTransformer2DModel) -> list[Tensor]:
    """The output for fixed random inputs, then every parameter's gradient."""
    torch.manual_seed(0)
    output: Tensor = transformer(
        hidden_states=torch.randn(2, 6, 4 * CHANNELS),
        timestep=torch.rand(2),
        guidance=torch.ones(2),
        pooled_projections=torch.randn(2, 8),
        encoder_hidden_states=torch.randn(2, TEXT_LEN, 8),
        txt_ids=torch.zeros(TEXT_LEN, 3),
        img_ids=image_ids(2, 3),
        return_dict=False,
    )[0]
    output.square().mean().backward()  # type: ignore[no-untyped-call]
    return [output] + [part.grad for part in transformer.parameters() if part.grad is not None]


def test_attention_equals_diffusers_in_output_and_gradients() -> None:
    plain = tiny_modules().transformer
    fast = copy.deepcopy(plain)
    fast.set_attn_processor(MatrixAttention())
    wanted, given = _learn(plain), _learn(fast)
    assert len(wanted) == len(given) > 40
    torch.testing.assert_close(given, wanted, rtol=1e-4, atol=1e-6)
