"""Every model by itself, on samples that no training saw, in chunks that can be measured one by one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import FluxPipeline

from toyland.score.component_detector import measure_detector
from toyland.score.component_places import measure_places
from toyland.score.component_segmenter import measure_segmenter
from toyland.score.instruments import Instruments
from toyland.score.ledger import Record, key_of
from toyland.score.measures import squared_error
from toyland.score.samples import decoded, samples_of
from toyland.score.statistics import Rows
from toyland.score.versions import Versions
from toyland.velocity_error import velocity_error

ALIKE = 64  # captions to choose from
CLIP_SAMPLES = 4 * ALIKE  # looked at for so many different captions


@dataclass(frozen=True)
class ComponentJob:
    """One component on chunk number `chunk` of the samples."""

    component: str
    chunk: int
    versions: Versions

    @property
    def key(self) -> str:
        """Of the component, and of all weights: these jobs are quick."""
        return key_of(self)

    def run(self, instruments: Instruments) -> Record:
        """The numbers of every item."""
        return {"numbers": COMPONENTS[self.component](instruments, self.chunk)}


def measure_autoencoder(instruments: Instruments, chunk: int) -> dict[str, Rows]:
    """Squared errors of decoding what was encoded."""
    errors = []
    for sample in samples_of(instruments, chunk):
        picture = np.asarray(sample.picture)
        errors.append([squared_error(picture, decoded(instruments, picture))])
    return {"autoencoder.psnr": errors}


def measure_clip(instruments: Instruments, chunk: int) -> dict[str, Rows]:
    """Whether each of 64 pictures finds its own among their captions, all of them different."""
    samples = {sample.caption: sample for sample in samples_of(instruments, chunk, CLIP_SAMPLES)}
    chosen = list(samples.values())[:ALIKE]
    pictures = instruments.clip.embed_pictures([np.asarray(sample.picture) for sample in chosen])
    texts = instruments.clip.embed_texts([sample.caption for sample in chosen])
    best = (pictures @ texts.T).argmax(dim=1)
    return {"clip.right_of_64": [[float(own == row)] for row, own in enumerate(best.tolist())]}


def measure_transformer(instruments: Instruments, chunk: int) -> dict[str, Rows]:
    """Mean squared velocity error of a chunk, over all tokens and over those of things."""
    samples = [sample for sample in samples_of(instruments, chunk) if sample.placed]
    if not samples:
        return {}
    pipeline = FluxPipeline.from_pretrained(instruments.weights.pipeline, dtype=torch.float32)
    everywhere, things = velocity_error(pipeline, samples)
    return {"transformer.velocity_error": [[everywhere]], "transformer.object_velocity_error": [[things]]}


COMPONENTS: Mapping[str, Callable[[Instruments, int], dict[str, Rows]]] = {
    "autoencoder": measure_autoencoder,
    "segmenter": measure_segmenter,
    "detector": measure_detector,
    "clip": measure_clip,
    "transformer": measure_transformer,
    "places": measure_places,
}
