"""Which files of which repositories a profile is loaded from: these are fetched, and checked later."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Literal

from workers.models.profiles import ModelProfile

Kind = Literal["pipeline", "transformers", "sam2"]
CONFIGURATION = (".json", ".txt", ".model", ".jinja")
"""Endings of configurations, vocabularies and chat templates."""
OTHER_PRECISION = re.compile(r"\.(fp16|bf16|fp8)(?=[.-])")
"""Of a second copy of the weights, which nothing here loads."""


@dataclass(frozen=True)
class Repository:
    """owner/name on the hub, and how it is opened."""

    name: str
    kind: Kind


def repositories(profile: ModelProfile) -> tuple[Repository, ...]:
    """The pipeline, SAM-2 unless it is a local file, then what the localizers and the captioner open."""
    found = [Repository(profile.place, "pipeline")]
    if profile.segmenter is not None and not profile.segmenter.config:
        found.append(Repository(profile.segmenter.checkpoint, "sam2"))
    opening = (profile.detector, profile.text_segmenter, profile.captioner)
    found += [Repository(part.args[0], "transformers") for part in opening if isinstance(part, partial)]
    return tuple(found)


def wanted(repository: Repository, paths: Sequence[str], index: str = "{}") -> list[str]:
    """Those of a repository's `paths` that loading reads; `index` is a pipeline's model_index.json."""
    if repository.kind == "sam2":
        return [path for path in paths if path in _sam2_checkpoints()]
    if repository.kind == "transformers":
        return _of_folder(path for path in paths if "/" not in path)
    parts = [name for name, made in json.loads(index).items() if isinstance(made, list) and made[0]]
    inside = [_of_folder(path for path in paths if path.startswith(f"{part}/")) for part in parts]
    return ["model_index.json", *(path for part in inside for path in part)]


def _of_folder(paths: Iterable[str]) -> list[str]:
    """Configuration and weights: safetensors, or the older format where there are none."""
    kept = sorted(path for path in paths if not OTHER_PRECISION.search(path))
    weights = [path for path in kept if path.endswith(".safetensors")]
    old = [path for path in kept if path.endswith(".bin")]
    settings = [path for path in kept if path.endswith(CONFIGURATION) and not _is_index_of_old(path)]
    return settings + (weights or old)


def _is_index_of_old(path: str) -> bool:
    return PurePosixPath(path).name.endswith(".bin.index.json")


def _sam2_checkpoints() -> frozenset[str]:
    from sam2.build_sam import HF_MODEL_ID_TO_FILENAMES  # imports all of SAM-2

    return frozenset(checkpoint for _, checkpoint in HF_MODEL_ID_TO_FILENAMES.values())
