"""`addit`: the API on a terminal. `up`, `keys`, `cells`, `models`, `verify` and `bench` are an operator's."""

from __future__ import annotations

from base64 import b64encode
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.table import Table

from api_schemas.insertions import ImageRef, ImageSource, InsertionRequest, Output, Region
from api_schemas.jobs import InsertionJob
from api_schemas.masks import MaskRequest
from api_schemas.subjects import as_said
from client.admin_commands import admin
from client.batch_commands import batch
from client.client import Addit
from client.report import progress_bar, result_of, summary, timings_table, understood
from client.scene_commands import scene
from client.terminal import HERE, ApiKey, JobId, Url, console, service
from client.webhook_commands import webhooks

app = typer.Typer(no_args_is_help=True, help="Add an object to a picture from a sentence.")
app.add_typer(webhooks, name="webhooks")
app.add_typer(admin, name="admin")
app.add_typer(scene, name="scene")
app.add_typer(batch, name="batch")
Out = Annotated[Path, typer.Option(help="The result; with several seeds, one file each.")]
MaskOut = Annotated[Path | None, typer.Option(help="Save where the subject is, too.")]
RESULT = Path("result.png")


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
    out: Out = RESULT,
    mask: MaskOut = None,
    seed: Annotated[
        list[int] | None, typer.Option(help="Repeat for variations; random if not given.")
    ] = None,
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
        _show(addit, job, out, mask)


def _show(addit: Addit, job: InsertionJob, out: Path, mask: Path | None) -> None:
    """Tell of a succeeded job and save its pictures."""
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
def estimate(
    photo: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A PNG, JPEG or WebP.")],
    prompt: Annotated[str, typer.Option(help='"add a dog", or what the picture shall show then.')],
    source_prompt: Annotated[str | None, typer.Option(help="What it shows now.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Repeat it for variations.")] = None,
    model: Annotated[str | None, typer.Option(help="A served model.")] = None,
    url: Url = HERE,
    key: ApiKey = None,
) -> None:
    """What an insertion would cost and when it would be done, in JSON; exit code 1 where it would be
    refused."""
    image = ImageRef(data=b64encode(photo.read_bytes()).decode())
    source = ImageSource(image=image, prompt=source_prompt)
    with service(url, key) as addit:
        asked = InsertionRequest(source=source, prompt=prompt, seeds=seed or [], model=model)
        found = addit.estimate(asked)
    console.print_json(found.model_dump_json(exclude={"request"}))
    raise typer.Exit(0 if found.accepted else 1)


@app.command()
def vary(
    job_id: JobId,
    prompt: Annotated[str | None, typer.Option(help="Other words than the job's.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Repeat it for variations.")] = None,
    gamma: Annotated[float | None, typer.Option(help="extended_scale: higher adds more boldly.")] = None,
    out: Out = RESULT,
    mask: MaskOut = None,
    url: Url = HERE,
    key: ApiKey = None,
) -> None:
    """Another insertion into the same picture; with nothing said, by a new seed."""
    options = {"extended_scale": gamma} if gamma is not None else None
    said = {"prompt": prompt, "seeds": seed or None, "options": options}
    changes = {name: value for name, value in said.items() if value is not None}
    with service(url, key) as addit:
        with progress_bar(console) as show:
            job = addit.until_succeeded(addit.vary(job_id, changes).id, show)
        _show(addit, job, out, mask)


@app.command()
def remask(
    job_id: JobId,
    localizer: Annotated[str | None, typer.Option(help="Another way of finding the subject.")] = None,
    by: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Or a mask: white where it is kept.")
    ] = None,
    out: Out = RESULT,
    mask: MaskOut = None,
    url: Url = HERE,
    key: ApiKey = None,
) -> None:
    """The same insertion with its subject cut out differently."""
    given = {"mask": {"data": b64encode(by.read_bytes()).decode()}} if by else {"localizer": localizer}
    try:
        asked = MaskRequest.model_validate(given)
    except ValidationError as error:
        raise typer.BadParameter(str(error.errors()[0]["msg"])) from None
    with service(url, key) as addit:
        with progress_bar(console) as show:
            job = addit.until_succeeded(addit.remask(job_id, asked).id, show)
        _show(addit, job, out, mask)


@app.command("list")
def list_jobs(
    status: Annotated[str | None, typer.Option(help="Only jobs in this state.")] = None,
    parent: Annotated[str | None, typer.Option(help="Only jobs made from this one.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
    url: Url = HERE,
    key: ApiKey = None,
) -> None:
    """The newest jobs, one a line."""
    with service(url, key) as addit:
        for job in addit.insertions(status=status, parent=parent, limit=limit).data:
            console.print(f"{job.id} {job.status} {job.request.prompt!r}", markup=False)


@app.command()
def status(job_id: JobId, url: Url = HERE, key: ApiKey = None) -> None:
    """A job as the service tells it, in JSON."""
    with service(url, key) as addit:
        console.print_json(addit.job(job_id).model_dump_json())


@app.command()
def usage(url: Url = HERE, key: ApiKey = None) -> None:
    """What your jobs of the last 30 days came to, by UTC day."""
    table = Table("day", "succeeded", "failed", "canceled", "expired", "GPU s", "MB stored")
    with service(url, key) as addit:
        for day in addit.usage().data:
            ends = [str(count) for count in (day.succeeded, day.failed, day.canceled, day.expired)]
            table.add_row(f"{day.day}", *ends, f"{day.gpu_seconds:.1f}", f"{day.stored_bytes / 1e6:.1f}")
    console.print(table)


@app.command()
def drop(job_id: JobId, seed: int, url: Url = HERE, key: ApiKey = None) -> None:
    """Let go of one seed of a job; the others go on."""
    with service(url, key) as addit:
        job = addit.drop_seed(job_id, seed)
        left = [str(one) for one in job.request.seeds if one not in job.dropped_seeds]
        console.print(f"{job_id} {job.status}, seeds left: {', '.join(left) or 'none'}")


@app.command()
def cancel(job_id: JobId, url: Url = HERE, key: ApiKey = None) -> None:
    """Stop a job; a running one stops within a step."""
    with service(url, key) as addit:
        console.print(f"{job_id} {addit.cancel(job_id).status}")


if find_spec("redis"):  # a client alone has no use for them, and not the packages
    from client.cell_commands import cells
    from client.operator import keys, up

    app.command()(up)
    app.add_typer(keys, name="keys")
    app.add_typer(cells, name="cells")

if find_spec("redis") and find_spec("diffusers"):  # on a machine that loads models
    from client.model_commands import bench, models, verify

    app.command()(verify)
    app.add_typer(models, name="models")
    app.add_typer(bench, name="bench")
