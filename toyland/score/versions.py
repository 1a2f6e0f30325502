"""Which weights and which world a measurement belongs to, as digests: another digest, another measurement."""

import ast
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from toyland.plausible import places_for
from toyland.score.tasks import SCORE_SEED
from toyland.world import World
from workers import addit
from workers.models.profiles import embedded_profile


@dataclass(frozen=True)
class Weights:
    """Folders of everything that is measured."""

    pipeline: Path
    segmenter: Path
    detector: Path
    clip: Path

    @classmethod
    def of(cls, shipped: Path, pipeline: Path | None = None) -> "Weights":
        """What is shipped; with another pipeline, one that a stage ended with."""
        return cls(pipeline or shipped / "pipeline", shipped / "sam2", shipped / "detector", shipped / "clip")


@dataclass(frozen=True)
class Versions:
    """Digests of the method and its settings, of the weights, and of what the world draws and allows."""

    method: str
    pipeline: str
    segmenter: str
    detector: str
    clip: str
    pictures: str
    places: str


def read_versions(weights: Weights, world: World) -> Versions:
    """As they are now."""
    pictures, places = digest_world(world)
    return Versions(
        method=digest_method(),
        pipeline=digest_folder(weights.pipeline),
        segmenter=digest_folder(weights.segmenter),
        detector=digest_folder(weights.detector),
        clip=digest_folder(weights.clip),
        pictures=pictures,
        places=places,
    )


def digest_method() -> str:
    """Of the method's code, comments apart, and of what the profile says beside weights and presets."""
    profile = embedded_profile()
    digest = hashlib.sha256(repr((profile.native_side, profile.text_len, profile.recorded_layers)).encode())
    digest.update(code_of(Path(addit.__path__[0])))
    return digest.hexdigest()[:16]


def code_of(folder: Path) -> bytes:
    """All modules of a folder as they run, comments and formatting apart."""
    files = sorted(folder.rglob("*.py"))
    return b"".join(ast.dump(ast.parse(file.read_text(encoding="utf-8"))).encode() for file in files)


def digest_folder(folder: Path) -> str:
    """Of all its files' names and bytes; of nothing where there is no such folder."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def digest_world(world: World) -> tuple[str, str]:
    """Of a picture of every scene, and of the places of the things in them."""
    pictures, places = hashlib.sha256(), hashlib.sha256()
    for scene in sorted(world.scenes):
        sample = world.draw(SCORE_SEED, 0, scene=scene, count=3)
        pictures.update(np.asarray(sample.picture).tobytes() + sample.caption.encode())
        for name in sample.objects:
            found = places_for(sample, name)
            places.update(b"" if found is None else found.region.tobytes())
    return pictures.hexdigest()[:16], places.hexdigest()[:16]
