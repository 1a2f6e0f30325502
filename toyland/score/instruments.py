"""What a scoring process holds loaded: the models as the service runs them, and the judges."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from sam2.sam2_image_predictor import SAM2ImagePredictor

from toyland.score.places import SceneLibrary
from toyland.score.versions import Versions, Weights
from toyland.segmenter import image_predictor, load_segmenter
from toyland.workshop import Workshop
from toyland.world import World
from workers.addit.config import AdditConfig
from workers.addit.localizers import Picture
from workers.addit.models import Models
from workers.addit.source_memory import SourceMemories
from workers.models.loading import LoadOptions, load
from workers.models.profiles import ModelProfile, SegmenterPlace, embedded_profile
from workers.models.toyland.clip import Clip, load_clip
from workers.models.toyland.detector import Detection, load_detector


class Finder(Protocol):
    """The detector, or one like it."""

    def detect(self, picture: Picture) -> list[Detection]:
        """What is in a picture, the surest first."""


@dataclass(frozen=True)
class Instruments:
    """Models, judges, world, and the folder of what was made already. `side`: pixels of a picture's side."""

    models: Models
    presets: Mapping[str, AdditConfig]
    side: int
    detector: Finder
    world: World
    library: SceneLibrary
    made: Path
    weights: Weights

    @cached_property
    def clip(self) -> Clip:
        """The judge of captions, needed by its own score alone."""
        return load_clip(self.weights.clip)

    @cached_property
    def memories(self) -> SourceMemories:
        """What is known of sources from earlier edits: as many of the last ones as there is room for."""
        return self.models.new_memories()

    @cached_property
    def predictor(self) -> SAM2ImagePredictor:
        """The segmenter by itself, as Meta's own predictor."""
        return image_predictor(load_segmenter(self.weights.segmenter))


def profile_of(weights: Weights) -> ModelProfile:
    """The shipped profile with these weights in it."""
    segmenter = SegmenterPlace(
        str(weights.segmenter / "model.safetensors"), str(weights.segmenter / "config.yaml")
    )
    return replace(embedded_profile(), place=str(weights.pipeline), segmenter=segmenter)


def open_instruments(weights: Weights, workshop: Workshop, versions: Versions) -> Instruments:
    """Everything, loaded as the service loads it."""
    profile = profile_of(weights)
    return Instruments(
        models=load(profile, LoadOptions(device="cpu")),
        presets=profile.presets,
        side=profile.native_side,
        detector=load_detector(weights.detector),
        world=workshop.world,
        library=scene_library(workshop, versions),
        made=score_folder(workshop) / "made",
        weights=weights,
    )


def scene_library(workshop: Workshop, versions: Versions) -> SceneLibrary:
    """The empty scenes that places in unknown pictures are judged by."""
    return SceneLibrary(workshop.world, score_folder(workshop) / f"world-{versions.pictures}")


def score_folder(workshop: Workshop) -> Path:
    """Where measurements are kept."""
    return workshop.cache / "score"
