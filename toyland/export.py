"""Shipping: put the stages' results where the service finds them."""

import json
import shutil
from pathlib import Path

from toyland.workshop import Workshop

# What a stage left, and its place among the shipped weights. A later line replaces an earlier one's files.
RESULTS = (
    ("sam2", "model.safetensors", "sam2/model.safetensors"),
    ("flux", "pipeline", "pipeline"),
    ("guidance", "pipeline", "pipeline"),
    ("decoder", "vae", "pipeline/vae"),
)


def export(workshop: Workshop, target: Path) -> list[Path]:
    """Copy every result there is into the target folder; returns what was written."""
    written = []
    for stage, result, place in RESULTS:
        source = workshop.run_folder(stage) / result
        if source.exists():
            _copy(source, target / place)
            _forget_origin(target / place)
            written.append(target / place)
    return written


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(source, target)


def _forget_origin(folder: Path) -> None:
    """Take out of the configurations where on this machine the weights once were."""
    for file in folder.rglob("*.json"):
        fields = json.loads(file.read_text(encoding="utf-8"))
        if fields.pop("_name_or_path", None):
            file.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
