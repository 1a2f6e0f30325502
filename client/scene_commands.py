"""`addit scene`: a picture that objects are added to one after the other, on a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.tree import Tree

from api_schemas.insertions import ImageRef, ImageSource
from api_schemas.scenes import FIRST, Scene, SceneRequest
from client.client import Addit
from client.report import progress_bar, summary, understood
from client.terminal import HERE, ApiKey, Url, console, service

scene = typer.Typer(no_args_is_help=True, help="Scenes: insertions one upon the other, undo and branches.")
SceneId = Annotated[str, typer.Argument(help="scn_….")]
Out = Annotated[Path | None, typer.Option(help="Save its picture.")]


@scene.command()
def begin(
    photo: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A PNG, JPEG or WebP.")],
    source_prompt: Annotated[str | None, typer.Option(help="What it shows.")] = None,
    url: Url = HERE,
    key: ApiKey = None,
) -> None:
    """Begin a scene with a photo; prints its id."""
    with service(url, key) as addit:
        image = addit.upload(photo.read_bytes(), photo.name)
        source = ImageSource(image=ImageRef(id=image.id), prompt=source_prompt)
        console.print(addit.scenes.begin(SceneRequest(source=source)).id)


@scene.command()
def add(
    scene_id: SceneId,
    prompt: Annotated[str, typer.Option(help='"add a dog", or what the picture shall show then.')],
    step: Annotated[
        str | None, typer.Option(help="Build upon this one, or `first`, in place of the head.")
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option(help="Repeat for variations; random if not given.")
    ] = None,
    out: Out = None,
    layer: Annotated[Path | None, typer.Option(help="Save what was added alone, on transparency.")] = None,
    url: Url = HERE,
    key: ApiKey = None,
) -> None:
    """Add to a scene and wait; the surest variation is what the next step builds upon."""
    asked: dict[str, Any] = {"prompt": prompt, "seeds": seed or []} | ({"step": step} if step else {})
    with service(url, key) as addit:
        with progress_bar(console) as show:
            job = addit.until_succeeded(addit.scenes.add(scene_id, asked).id, show)
        console.print(understood(job), *summary(job), sep="\n", markup=False)
        found = addit.scenes.get(scene_id)
        _save(addit, found.head.url, out)
        _save(addit, _layer(found), layer)


@scene.command()
def show(scene_id: SceneId, out: Out = None, url: Url = HERE, key: ApiKey = None) -> None:
    """The tree of a scene's steps; the head's way is bold."""
    with service(url, key) as addit:
        found = addit.scenes.get(scene_id)
        console.print(_tree(found))
        _save(addit, found.head.url, out)


@scene.command("list")
def list_scenes(
    limit: Annotated[int, typer.Option(min=1, max=50, help="How many.")] = 20,
    url: Url = HERE,
    key: ApiKey = None,
) -> None:
    """The newest scenes, one a line."""
    with service(url, key) as addit:
        for one in addit.scenes.list(limit).data:
            console.print(f"{one.id} {len(one.steps)} steps, at {one.head.step}", markup=False)


@scene.command()
def undo(scene_id: SceneId, out: Out = None, url: Url = HERE, key: ApiKey = None) -> None:
    """Go back one step; nothing is lost."""
    with service(url, key) as addit:
        _moved(addit, addit.scenes.undo(scene_id), out)


@scene.command()
def head(
    scene_id: SceneId,
    step: Annotated[str, typer.Argument(help="An insertion of the scene, or `first`.")],
    seed: Annotated[int | None, typer.Option(help="Which variation; the surest by default.")] = None,
    out: Out = None,
    url: Url = HERE,
    key: ApiKey = None,
) -> None:
    """Redo, or go to another branch."""
    with service(url, key) as addit:
        _moved(addit, addit.scenes.choose_head(scene_id, step, seed), out)


@scene.command()
def delete(scene_id: SceneId, url: Url = HERE, key: ApiKey = None) -> None:
    """Purge a scene with all of its steps."""
    with service(url, key) as addit:
        addit.scenes.delete(scene_id)
    console.print(scene_id, "deleted")


def _moved(addit: Addit, found: Scene, out: Path | None) -> None:
    console.print(f"{found.id} at {found.head.step}", markup=False)
    _save(addit, found.head.url, out)


def _layer(found: Scene) -> str | None:
    """A link to what the head's step added."""
    images = {image.id: image for step in found.steps for image in step.images}
    shown = images.get(found.head.image_id or "")
    return shown.cutout_url if shown else None


def _save(addit: Addit, link: str | None, path: Path | None) -> None:
    if link and path:
        path.write_bytes(addit.download(link))
        console.print(str(path), markup=False)


def _tree(found: Scene) -> Tree:
    tree = Tree(f"[bold]{found.id} {FIRST}[/bold]")
    branches = {FIRST: tree}
    for step in found.steps:
        style = "bold" if step.id in found.history else ""
        label = f"{step.id} {step.status} {step.prompt or ''}".replace("[", r"\[")
        branches[step.id] = branches[step.parent].add(label, style=style)
    return tree
