"""How the operator wants a model to be loaded, from the settings."""

from __future__ import annotations

from runtime.settings import Settings
from workers.models.loading import LoadOptions
from workers.models.memory_presets import MEMORY_PRESETS, MemoryPreset
from workers.models.profiles import SegmenterPlace


def load_options(settings: Settings) -> LoadOptions:
    """The operator's choices; a memory preset stands in place of single ones."""
    segmenter = SegmenterPlace(settings.segmenter, settings.segmenter_config) if settings.segmenter else None
    chosen = MemoryPreset(settings.quantization, settings.offload)
    memory = MEMORY_PRESETS[settings.memory] if settings.memory else chosen
    return LoadOptions(
        device=settings.device,
        dtype=settings.dtype,
        memory=memory,
        segmenter=segmenter,
        compiled=settings.compile_blocks,
        cuda_graphs=settings.cuda_graphs,
        accepted_licences=settings.accept_licences,
    )
