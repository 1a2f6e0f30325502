"""Shipping: put the stages' results where the service finds them, in float16, with their checksums."""

import hashlib
import json
import shutil
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from toyland.grammar import write_grammar
from toyland.workshop import Workshop

# What a stage left, and its place among the shipped weights. A later line replaces an earlier one's files.
RESULTS = (
    ("sam2", "model.safetensors", "sam2/model.safetensors"),
    ("detector", "detector", "detector"),
    ("clip", "clip", "clip"),
    ("flux", "pipeline", "pipeline"),
    ("guidance", "pipeline", "pipeline"),
    ("decoder", "vae", "pipeline/vae"),
)
SUMS = "SHA256SUMS"


def export(workshop: Workshop, target: Path) -> list[Path]:
    """Copy every result there is into the target folder; returns what was written."""
    written = []
    for stage, result, place in RESULTS:
        source = workshop.run_folder(stage) / result
        if source.exists():
            _copy(source, target / place)
            written.append(target / place)
    if written:
        for file in target.rglob("*.safetensors"):
            _halve(file)
        for file in target.rglob("*.json"):
            _forget_origin(file)
        write_grammar(target / "grammar.json")
        (target / SUMS).write_text(checksums(target), encoding="utf-8")
    return written


def checksums(folder: Path) -> str:
    """One line for each weight file, as sha256sum writes and checks them."""
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(folder)}\n"
        for file in sorted(folder.rglob("*.safetensors"))
    ]
    return "".join(lines)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(source, target)


def _halve(file: Path) -> None:
    """float32 tensors of a weight file become float16."""
    with safe_open(file, "pt") as opened:
        metadata = opened.metadata()
    tensors = load_file(file)
    if any(tensor.dtype == torch.float32 for tensor in tensors.values()):
        halved = {name: t.half() if t.dtype == torch.float32 else t for name, t in tensors.items()}
        save_file(halved, file, metadata)
    file.chmod(0o644)


def _forget_origin(file: Path) -> None:
    """Take out of a configuration where on this machine the weights once were, and that they were float32."""
    fields = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(fields, dict):
        return
    origin, wide = fields.pop("_name_or_path", None), fields.get("dtype") == "float32"
    if wide:
        fields["dtype"] = "float16"
    if origin or wide:
        file.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
