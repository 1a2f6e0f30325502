"""Which layers are lent the source at which step (paper A.1)."""

from __future__ import annotations

from diffusers import FluxTransformer2DModel

from workers.addit.config import AdditConfig
from workers.addit.processor import attention_layers
from workers.addit.sources import LayersAt


def extension_plan(transformer: FluxTransformer2DModel, config: AdditConfig) -> LayersAt:
    """Double-stream blocks until one step, single-stream ones until a later one, none before the structure
    transfer."""
    layers = attention_layers(transformer)
    double = frozenset(layer for layer in layers if layer.startswith("transformer_blocks."))
    single = frozenset(layers) - double

    def layers_at(step: int) -> frozenset[str]:
        if step < config.structure_transfer_step:
            return frozenset()
        lent_double = double if step <= config.extend_double_until else frozenset[str]()
        lent_single = single if step <= config.extend_single_until else frozenset[str]()
        return lent_double | lent_single

    return layers_at
