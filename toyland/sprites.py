"""The pictures of single objects: Fluent Emoji 3D (Microsoft, MIT), as published on npm by @lobehub."""

import subprocess
import tarfile
from functools import cache, lru_cache
from pathlib import Path

from PIL import Image

from toyland.objects import find_object
from toyland.paint import WHITE_LIGHT, Tint, tint_picture
from toyland.recolour import recolour

PACKAGE = "@lobehub/fluent-emoji-3d@1.1.0"
LARGEST = 160  # px: no object is drawn larger, so larger sprites need not be kept


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
def sprite_size(folder: Path, name: str, longest: int) -> tuple[int, int]:
    """Width and height of the object's picture whose longer side is `longest` pixels."""
    width, height = load_sprite(folder, name, "", WHITE_LIGHT).size
    scale = longest / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


@lru_cache(maxsize=1024)
def load_sprite(folder: Path, name: str, colour: str, tint: Tint) -> Image.Image:
    """The object as RGBA, cut to its visible box, in a colour (empty: its own) and in coloured light."""
    with Image.open(folder / f"{find_object(name).codepoint}.webp") as picture:
        sprite = picture.convert("RGBA")
    sprite = sprite.crop(sprite.getbbox())
    sprite.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    if colour:
        sprite = recolour(sprite, colour)
    return sprite if tint == WHITE_LIGHT else tint_picture(sprite, tint)


@lru_cache(maxsize=1024)
def draw_sprite(folder: Path, name: str, colour: str, tint: Tint, size: tuple[int, int]) -> Image.Image:
    """The object as RGBA of this width and height."""
    return load_sprite(folder, name, colour, tint).resize(size, Image.Resampling.BICUBIC)
