"""The operators' page: workers, queues, throughput, source memory, dead letters; opened by the admin key."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import gradio as gr
import pandas as pd

from api_schemas.admin import JobInfo
from client.client import Addit
from client.errors import ClientError
from studio import words
from studio.connection import Connection
from studio.measures import Glance, Sample, glance, hit_rate, per_minute, samples, share, size, total

LOOK_SECONDS = 2.0
KEPT = 150  # glances: five minutes
WORKERS = ["Worker", "Model", "State", "Drained", "Last proof", "Accelerator's memory", "Process"]
QUEUES = ["Model", "Waiting", "May start", "Workers", "Paused"]
DEAD = ["Job", "Tenant", "Model", "Ended", "Crashes"]


@dataclass(frozen=True)
class Watch:
    """What an operator's visit keeps."""

    key: str = ""
    glances: tuple[Glance, ...] = ()


@dataclass(frozen=True)
class Panel:
    """Components, in the order in which `_read` fills them."""

    trouble: Any
    figures: Any
    bare: Any
    speed: Any
    waiting: Any
    memory: Any
    workers: Any
    queues: Any
    dead: Any


def draw(page: gr.Blocks, connection: Connection) -> None:
    """Draws the page; inside its Blocks."""
    gr.Markdown("# Operate\nWorkers, queues and what they remember, every two seconds.")
    watch = gr.State(Watch())
    with gr.Group() as login:
        key = gr.Textbox(
            label="Admin key", type="password", elem_id="admin-key", info="ADDIT_ADMIN_KEY of the gateway."
        )
        enter = gr.Button("Watch", variant="primary", elem_id="watch")
    trouble = gr.HTML(elem_id="operator-trouble")
    with gr.Column(visible=False) as panel_column:
        panel = _panel(trouble)
        with gr.Row():
            job = gr.Textbox(label="Job to run once more", placeholder="ins_…", elem_id="replay-id")
            replay = gr.Button("Replay", elem_id="replay", min_width=120)
        replayed = gr.HTML(elem_id="replayed")
    timer = gr.Timer(LOOK_SECONDS, active=False)
    parts = list(vars(panel).values())

    def look(watch: Watch) -> list[Any]:
        return _read(connection, watch)

    def begin(said: str) -> list[Any]:
        first = _read(connection, Watch(said.strip()))
        let_in = bool(first[0].glances)
        return [gr.update(visible=not let_in), gr.update(visible=let_in), gr.update(active=let_in), *first]

    def again(watch: Watch, job_id: str) -> str:
        try:
            with connection.operate(watch.key) as addit:
                return words.note(f"{job_id.strip()} runs again as {addit.admin.replay(job_id.strip()).id}.")
        except ClientError as error:
            return words.alert(words.told(error))

    for event in (enter.click, key.submit):
        event(begin, key, [login, panel_column, timer, watch, *parts], show_progress="hidden")
    timer.tick(look, watch, [watch, *parts], show_progress="hidden")
    panel.dead.select(_chosen, None, job, show_progress="hidden")
    replay.click(again, [watch, job], replayed, show_progress="hidden")


def _chosen(event: gr.SelectData) -> str:
    """The job of the row that was chosen."""
    return str(event.row_value[0])


def _panel(trouble: Any) -> Panel:
    figures, bare = gr.HTML(elem_id="figures"), gr.HTML(elem_id="bare")
    with gr.Row():
        speed = _over_time("Throughput", "jobs a minute", "speed")
        waiting = _over_time("Waiting", "jobs", "waiting")
        memory = _over_time("Source memory held", "MiB", "memory", color="tier")
    workers = gr.Dataframe(headers=WORKERS, label="Workers", interactive=False, elem_id="workers")
    queues = gr.Dataframe(headers=QUEUES, label="Queues", interactive=False, elem_id="queues")
    dead = gr.Dataframe(
        headers=DEAD, label="Dead letters: jobs that crashed their workers; choose one to replay it",
        interactive=False, elem_id="dead",
    )  # fmt: skip
    return Panel(trouble, figures, bare, speed, waiting, memory, workers, queues, dead)


def _over_time(title: str, y: str, name: str, color: str | None = None) -> Any:
    return gr.LinePlot(
        x="seconds", y=y, color=color, title=title, y_lim=[0, None], height=220, elem_id=name, min_width=280
    )


def _read(connection: Connection, watch: Watch) -> list[Any]:
    """The watch, then the panel's values; where the service says no, the reason and everything as it was."""
    try:
        with connection.operate(watch.key) as addit:
            return _told(addit, watch)
    except ClientError as error:
        return [watch, words.alert(words.told(error)), *_unchanged(8)]


def _told(addit: Addit, watch: Watch) -> list[Any]:
    workers, queues, dead = addit.admin.workers(), addit.admin.queues(), addit.admin.dead()
    found = samples(addit.admin.metrics())
    glances = (*watch.glances, glance(found, time.monotonic()))[-KEPT:]
    lacking, plots = _plots(glances)
    lacking += [] if dead else [words.NO_DEAD]
    return [
        Watch(watch.key, glances),
        "",
        _figures(found, len(workers)),
        words.note(" ".join(lacking)) if lacking else "",
        *plots,
        [
            [
                one.name,
                one.model,
                one.state,
                _yes(one.drained),
                f"{one.last_ok:%H:%M:%S}" if one.last_ok else "-",
                share(one.memory_used_bytes, one.memory_total_bytes),
                size(one.resident_bytes),
            ]
            for one in workers
        ],
        [[one.model, one.queued, one.claimable, one.workers, _yes(one.paused)] for one in queues],
        gr.update(value=[_crashed(one) for one in dead], visible=bool(dead)),
    ]


def _crashed(one: JobInfo) -> list[Any]:
    ended = f"{one.completed_at:%H:%M:%S}" if one.completed_at else "-"
    return [one.id, one.tenant, one.model, ended, one.crashes]


def _figures(found: list[Sample], workers: int) -> str:
    rate = hit_rate(found)
    jobs = {
        status: total(found, "addit_jobs_total", status=status)
        for status in ("succeeded", "failed", "canceled")
    }
    counted = ", ".join(f"{count:g} {status}" for status, count in jobs.items())
    remembered = "no source asked for yet" if rate is None else f"sources remembered in {rate:.0%} of jobs"
    return words.note(f"{workers} worker{'s' if workers != 1 else ''}; {counted}; {remembered}.")


def _plots(glances: tuple[Glance, ...]) -> tuple[list[str], list[Any]]:
    """What is not plotted yet, in sentences; throughput, waiting and memory, hidden where they were bare."""
    speed = pd.DataFrame(per_minute(list(glances)), columns=["seconds", "jobs a minute"])
    waiting = [(round(one.at - glances[-1].at), one.waiting) for one in glances]
    memory = _memory(glances)
    is_told = [len(glances) > 1, len(glances) > 1, bool(memory["MiB"].sum()) and len(glances) > 1]
    frames = [speed, pd.DataFrame(waiting, columns=["seconds", "jobs"]), memory]
    sentences = [words.NO_SPEED, words.NO_WAITING, words.NO_MEMORY]
    lacking = [sentence for sentence, told in zip(sentences, is_told, strict=True) if not told]
    shown = zip(frames, is_told, strict=True)
    return lacking, [gr.update(value=frame, visible=told, y_lim=_bounds(frame)) for frame, told in shown]


def _bounds(frame: pd.DataFrame) -> list[float]:
    """From zero to a little above the highest; an axis about nothing but zeros would say 0.000000."""
    return [0.0, max([1.0, *(1.1 * frame.iloc[:, 1])])]


def _memory(glances: tuple[Glance, ...]) -> pd.DataFrame:
    """MiB that remembered sources hold, by tier."""
    last = glances[-1].at
    rows = [(round(one.at - last), held / 2**20, tier) for one in glances for tier, held in one.held.items()]
    return pd.DataFrame(rows, columns=["seconds", "MiB", "tier"])


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def _unchanged(count: int) -> list[Any]:
    return [gr.skip() for _ in range(count)]
