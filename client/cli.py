"""`addit`: the API on a terminal. Two of its commands, `up` and `keys`, are an operator's."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from api_schemas.insertions import ImageRef, ImageSource, InsertionRequest, Output, Region
from api_schemas.subjects import as_said
from client.client import Addit
from client.report import progress_bar, result_of, summary, timings_table, understood
from client.terminal import HERE, ApiKey, Url, console, service
from client.webhook_commands import webhooks

app = typer.Typer(
    no_args_is_help=True, help="Add an object to a picture from a sentence.", add_completion=False
)
app.add_typer(webhooks, name="webhooks")


@app.command()
def insert(
    photo: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A PNG, JPEG or WebP.")],
    prompt: Annotated[str, typer.Option(help='"add a dog", or what the picture shall show then.')],
    subject: Annotated[
        list[str] | None,
        typer.Option(
            help="The new object, in the words of the prompt, if that is not clear; repeat it for several."
        ),
    ] = None,
    source_prompt: Annotated[
        str | None, typer.Option(help="What it shows now, if the model should not say so itself.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The result; with several seeds, one file each.")] = Path(
        "result.png"
    ),
    mask: Annotated[Path | None, typer.Option(help="Save where the subject is, too.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Repeat it for variations; one at random.")] = None,
    region: Annotated[
        tuple[int, int, int, int] | None,
        typer.Option(metavar="LEFT TOP RIGHT BOTTOM", help="Where the object shall be, in pixels."),
    ] = None,
    avoid: Annotated[
        tuple[int, int, int, int] | None,
        typer.Option(metavar="LEFT TOP RIGHT BOTTOM", help="Where nothing of it shall be."),
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Named settings of the model.")] = None,
    model: Annotated[str | None, typer.Option(help="A served model.")] = None,
    url: Url = HERE,
    key: ApiKey = None,
) -> None:
    """Insert a subject, or several, into one photo and save the result."""
    with service(url, key) as addit:
        with progress_bar(console) as show:
            image = addit.upload(photo.read_bytes(), photo.name)
            request = InsertionRequest(
                source=ImageSource(image=ImageRef(id=image.id), prompt=source_prompt),
                prompt=prompt,
                subject=as_said(subject or ()),
                region=_area(region),
                avoid=_area(avoid),
                seeds=seed or [],
                preset=preset,
                model=model,
                output=Output(include=["mask"]),
            )
            job = addit.insert(request, show)
        console.print(timings_table(job), understood(job), *summary(job), sep="\n", markup=False)
        several = len(result_of(job).images) > 1
        for picture in result_of(job).images:
            _save(addit, picture.url, out, picture.seed if several else None)
            if mask and picture.mask_url:
                _save(addit, picture.mask_url, mask, picture.seed if several else None)


def _area(box: tuple[int, int, int, int] | None) -> Region | None:
    return Region(box=list(box)) if box else None


def _save(addit: Addit, link: str, path: Path, seed: int | None) -> None:
    target = path if seed is None else path.with_stem(f"{path.stem}-{seed}")
    target.write_bytes(addit.download(link))
    console.print(str(target), markup=False)


@app.command()
def status(job_id: str, url: Url = HERE, key: ApiKey = None) -> None:
    """A job as the service tells it, in JSON."""
    with service(url, key) as addit:
        console.print_json(addit.job(job_id).model_dump_json())


@app.command()
def cancel(job_id: str, url: Url = HERE, key: ApiKey = None) -> None:
    """Stop a job; a running one stops within a step."""
    with service(url, key) as addit:
        console.print(f"{job_id} {addit.cancel(job_id).status}")


if find_spec("redis"):  # a client alone has no use for them, and not the packages
    from client.operator import keys, up

    app.command()(up)
    app.add_typer(keys, name="keys")
