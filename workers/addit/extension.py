"""Which layers are lent the source at which step (paper A.1)."""

from __future__ import annotations

from workers.addit.backbones.backbone import Backbone
from workers.addit.config import AdditConfig
from workers.addit.sources import LayersAt


def extension_plan(backbone: Backbone, config: AdditConfig) -> LayersAt:
    """Double-stream blocks until one step, single-stream ones until a later one, none before the structure
    transfer."""
    double = backbone.double_layers
    single = frozenset(backbone.layers) - double

    def layers_at(step: int) -> frozenset[str]:
        if step < config.structure_transfer_step:
            return frozenset()
        lent_double = double if step <= config.extend_double_until else frozenset[str]()
        lent_single = single if step <= config.extend_single_until else frozenset[str]()
        return lent_double | lent_single

    return layers_at
