"""The pictures of single objects: Fluent Emoji 3D (Microsoft, MIT), as published on npm by @lobehub."""

import subprocess
import tarfile
from functools import cache
from pathlib import Path

from PIL import Image

from toyland.objects import ObjectKind

PACKAGE = "@lobehub/fluent-emoji-3d@1.1.0"


def fetch_sprites(cache_folder: Path) -> Path:
    """Folder of the emoji pictures, downloaded with `npm pack` the first time."""
    assets = cache_folder / "package" / "assets"
    if not assets.is_dir():
        cache_folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", "--silent", PACKAGE]
        packed = subprocess.run(command, cwd=cache_folder, check=True, capture_output=True, text=True)
        with tarfile.open(cache_folder / packed.stdout.strip().splitlines()[-1]) as archive:
            archive.extractall(cache_folder, filter="data")
    return assets


@cache
def load_sprite(folder: Path, codepoint: str) -> Image.Image:
    """The emoji as RGBA, cut to its visible box."""
    with Image.open(folder / f"{codepoint}.webp") as picture:
        sprite = picture.convert("RGBA")
    return sprite.crop(sprite.getbbox())


def draw_sprite(folder: Path, kind: ObjectKind, longest: int, mirrored: bool) -> Image.Image:
    """The object as RGBA with its longer side `longest` pixels."""
    sprite = load_sprite(folder, kind.codepoint)
    scale = longest / max(sprite.size)
    width, height = (max(1, round(side * scale)) for side in sprite.size)
    sprite = sprite.resize((width, height), Image.Resampling.LANCZOS)
    return sprite.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else sprite
