"""`addit admin`: tenants, queues, workers, jobs that crashed and what was done, with the operators' key."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.table import Table

from api_schemas.admin import ActInfo, JobInfo, OwnLimits, QueueInfo, TenantState, WorkerInfo
from client.admin_key_commands import keys
from client.cell_column import table_of, with_cell
from client.terminal import ADMIN_HERE, AdminKey, AdminUrl, JobId, console, service

admin = typer.Typer(no_args_is_help=True, help="Operate a service, with its ADDIT_ADMIN_KEY.")
admin.add_typer(keys, name="keys")
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@admin.command()
def tenants(key: AdminKey, url: AdminUrl = ADMIN_HERE) -> None:
    """Who submits, what it may do and what it has; limits of its own have a star."""
    with service(url, key) as addit:
        console.print(_table(addit.admin.tenants()))


@admin.command()
def tenant(name: str, key: AdminKey, url: AdminUrl = ADMIN_HERE) -> None:
    """What one tenant may do and has; it need not have submitted anything yet."""
    with service(url, key) as addit:
        console.print(_table([addit.admin.tenant(name)]))


@admin.command()
def limit(
    tenant: str,
    key: AdminKey,
    weight: Annotated[float | None, typer.Option(help="Of its share while others wait too.")] = None,
    max_running: Annotated[int | None, typer.Option(min=0, help="Jobs that run at a time.")] = None,
    max_queued: Annotated[int | None, typer.Option(min=0, help="Jobs that wait.")] = None,
    per_minute: Annotated[int | None, typer.Option(min=0, help="Submissions a minute.")] = None,
    max_retain_seconds: Annotated[
        int | None, typer.Option(min=60, help="Longest that pictures are kept.")
    ] = None,
    url: AdminUrl = ADMIN_HERE,
) -> None:
    """Give a tenant these limits, and the settings' for what is left out."""
    own = OwnLimits.model_construct(
        weight=weight,
        max_running=max_running,
        max_queued=max_queued,
        per_minute=per_minute,
        max_retain_seconds=max_retain_seconds,
    )
    with service(url, key) as addit:
        found = addit.admin.limit(tenant, own)
    console.print(found.name, *_limits(found), markup=False)


@admin.command()
def purge_tenant(
    tenant: str,
    key: AdminKey,
    keys: Annotated[bool, typer.Option("--keys", help="Its API keys as well.")] = False,
    yes: Yes = False,
    url: AdminUrl = ADMIN_HERE,
) -> None:
    """Remove all jobs, scenes, batches and pictures of a tenant. There is no way back."""
    if not yes:
        typer.confirm(f"Remove all that {tenant} has?", abort=True)
    with service(url, key) as addit:
        gone = addit.admin.purge_tenant(tenant, revoke_keys=keys)
    told = gone.model_dump(exclude={"object", "tenant"})
    console.print(tenant, *(f"{name} {count}" for name, count in told.items()), markup=False)


@admin.command()
def purge_queue(model: str, key: AdminKey, yes: Yes = False, url: AdminUrl = ADMIN_HERE) -> None:
    """Cancel all jobs that wait for a model, of all tenants."""
    if not yes:
        typer.confirm(f"Cancel all that waits for {model}?", abort=True)
    with service(url, key) as addit:
        console.print(f"{model} canceled {addit.admin.purge_queue(model).canceled}", markup=False)


@admin.command()
def queues(key: AdminKey, url: AdminUrl = ADMIN_HERE) -> None:
    """What waits for each model, and how much of it might start now."""
    with service(url, key) as addit:
        rows = [(queue.cell, _queue(queue)) for queue in addit.admin.queues()]
    console.print(table_of(("model", "state", "queued", "claimable", "workers"), rows))


@admin.command()
def pause(model: str, key: AdminKey, url: AdminUrl = ADMIN_HERE) -> None:
    """Start nothing of a model; submissions are accepted."""
    with service(url, key) as addit:
        console.print(model, _state(addit.admin.pause(model)), markup=False)


@admin.command()
def resume(model: str, key: AdminKey, url: AdminUrl = ADMIN_HERE) -> None:
    """Start a model's jobs again."""
    with service(url, key) as addit:
        console.print(model, _state(addit.admin.resume(model)), markup=False)


@admin.command()
def workers(key: AdminKey, url: AdminUrl = ADMIN_HERE) -> None:
    """Workers that spoke lately."""
    with service(url, key) as addit:
        rows = [(worker.cell, _worker(worker)) for worker in addit.admin.workers()]
    console.print(table_of(("worker", "model", "state", "drained", "since"), rows))


@admin.command()
def drain(worker: str, key: AdminKey, url: AdminUrl = ADMIN_HERE) -> None:
    """Let a worker end its job and take no other."""
    with service(url, key) as addit:
        console.print(worker, _drained(addit.admin.drain(worker)), markup=False)


@admin.command()
def undrain(worker: str, key: AdminKey, url: AdminUrl = ADMIN_HERE) -> None:
    """Let a drained worker take jobs again."""
    with service(url, key) as addit:
        console.print(worker, _drained(addit.admin.undrain(worker)), markup=False)


@admin.command()
def front(job_id: JobId, key: AdminKey, url: AdminUrl = ADMIN_HERE) -> None:
    """Make a queued job the next of its model, whatever its tenant's share."""
    with service(url, key) as addit:
        console.print(_line(addit.admin.move_to_front(job_id)), markup=False)


@admin.command()
def dead(key: AdminKey, url: AdminUrl = ADMIN_HERE) -> None:
    """Jobs that failed as their workers crashed over them, one a line, the latest first."""
    with service(url, key) as addit:
        for job in addit.admin.dead():
            console.print(_line(job), markup=False)


@admin.command()
def replay(job_id: JobId, key: AdminKey, url: AdminUrl = ADMIN_HERE) -> None:
    """Submit a job that crashed its workers once more; prints the new one."""
    with service(url, key) as addit:
        console.print(_line(addit.admin.replay(job_id)), markup=False)


@admin.command()
def acts(
    key: AdminKey,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 100,
    url: AdminUrl = ADMIN_HERE,
) -> None:
    """What operators did and with which key, what was before and after; one a line, the latest first."""
    with service(url, key) as addit:
        for act in addit.admin.acts(limit):
            console.print(with_cell(_act(act), act.cell), markup=False)


def _act(act: ActInfo) -> str:
    before, after = (json.dumps(state) if state is not None else "-" for state in (act.before, act.after))
    return f"{act.at:%Y-%m-%d %H:%M:%S} [{act.by}] {act.what} {act.to} {before} -> {after}"


def _table(tenants: list[TenantState]) -> Table:
    limits = ("weight", "max running", "max queued", "per minute", "kept s")
    columns = ("tenant", *limits, "queued", "running")
    rows = [(one.cell, [one.name, *_limits(one), str(one.queued), str(one.running)]) for one in tenants]
    return table_of(columns, rows)


def _queue(queue: QueueInfo) -> list[str]:
    return [queue.model, _state(queue), str(queue.queued), str(queue.claimable), str(queue.workers)]


def _worker(worker: WorkerInfo) -> list[str]:
    since = f"{worker.started_at:%Y-%m-%d %H:%M}"
    return [worker.name, worker.model, worker.state, _drained(worker), since]


def _limits(tenant: TenantState) -> list[str]:
    return [f"{value:g}{'*' if name in tenant.own else ''}" for name, value in tenant.limits]


def _state(queue: QueueInfo) -> str:
    return "paused" if queue.paused else "open"


def _drained(worker: WorkerInfo) -> str:
    return "drained" if worker.drained else "takes jobs"


def _line(job: JobInfo) -> str:
    return with_cell(f"{job.id} {job.status} {job.tenant} {job.model}", job.cell)
