"""Does anything grow under steady traffic? `make soak MINUTES=60`, or `python -m bench.soak --minutes 60`.

A whole local stack takes pictures, runs insertions to their end, cancels some, refuses some, streams events,
sends webhooks and deletes everything again; memory, descriptors and keys of every process are sampled and
their slopes fitted. What is kept for a time by design has a key that expires: only keys that do not can leak.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Annotated

import psutil
import typer

from api_schemas.insertions import InsertionRequest
from bench.examples import example, request
from bench.figures import Figures, with_interval
from bench.growth import Slope, slope
from bench.http_server import Handler, serving
from bench.report import JsonFile, report
from client.client import Addit
from client.errors import ApiError, ClientError
from client.operator import running
from job_store.audit import violations
from job_store.connection import connect
from runtime.settings import Settings
from runtime.up import Stack

WARM_UP = 1 / 3
"""Of the time: allocators, caches and pools fill first."""
SAMPLES = 240
CANCELED_EVERY, REFUSED_EVERY = 5, 7
SETTLE_SECONDS = 30.0
SETTINGS = Settings(
    port=0, log_level="WARNING", allow_loopback_egress=True, image_retain_seconds=10, reconcile_seconds=0.5
)
KIB, MIB = 2**10, 2**20

Sample = Mapping[str, float]
"""What was seen at a moment: "jobs" done, "seconds" gone, and quantities such as "gateway descriptors"."""


@dataclass
class Soaked:
    """What became of a run: samples in time's order, and what the audit found in the end."""

    samples: list[Sample] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def slopes(self, unit: str) -> dict[str, Slope]:
        """The growth of every quantity per job or second ("jobs", "seconds"), the warm-up left out."""
        settled = self.samples[round(WARM_UP * len(self.samples)) :]
        names = set.intersection(*({*sample} for sample in settled)) - {"jobs", "seconds"}
        at = [sample[unit] for sample in settled]
        return {name: slope(at, [sample[name] for sample in settled]) for name in sorted(names)}


class Traffic:
    """One tenant's clients, each going round and round until told to stop."""

    def __init__(self, stack: Stack, key: str, asked: InsertionRequest, webhook: str) -> None:
        self._stack, self._key, self._webhook = stack, key, webhook
        self._asked, self._stop = asked, Event()
        self.jobs, self.errors = 0, list[str]()

    @contextmanager
    def going(self, clients: int) -> Iterator[None]:
        """So many at a time while the context lasts."""
        threads = [Thread(target=self._go) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _go(self) -> None:
        with Addit(self._stack.url, self._key) as addit:
            while not self._stop.is_set():
                try:
                    self._round(addit)
                except ClientError as error:
                    self.errors.append(str(error))
                self.jobs += 1

    def _round(self, addit: Addit) -> None:
        """A job from its picture to its deletion."""
        image = addit.upload(example().path.read_bytes())
        asked = InsertionRequest.model_validate(
            self._asked.model_dump(mode="json", exclude_none=True)
            | {
                "source": self._asked.source.model_dump(mode="json", exclude_none=True)
                | {"image": {"id": image.id}}
            }
            | {"webhook": {"url": self._webhook}}
        )
        if self.jobs % REFUSED_EVERY == 0:
            with suppress(ApiError):
                addit.submit(asked.model_copy(update={"subject": "nothing of it"}))
        job = addit.submit(asked)
        if self.jobs % CANCELED_EVERY == 0:
            with suppress(ApiError):  # it may be over already
                addit.cancel(job.id)
        for _ in addit.events(job.id):
            pass
        result = addit.job(job.id).result
        for picture in result.images if result else []:
            addit.download(picture.url)
        addit.delete(job.id)


@contextmanager
def webhook_receiver() -> Iterator[str]:
    """The address of one on this machine that takes everything."""

    class Taker(Handler):
        def do_POST(self) -> None:
            self.body()
            self.answer(204)

    with serving(Taker) as address:
        yield f"{address}/hook"


def processes_of(stack: Stack) -> dict[str, psutil.Process]:
    """Every process of the stack by a name that stays: its part's, and which child of it in what order."""
    found = {}
    for part in stack.parts:
        parent = psutil.Process(part.process.pid)
        children = sorted(parent.children(recursive=True), key=lambda child: child.create_time())
        found[part.name] = parent
        found |= {f"{part.name}/{number}": child for number, child in enumerate(children, 1)}
    return found


def look(stack: Stack) -> dict[str, float]:
    """Memory and descriptors of every process, keys and memory of the store, files of the artifacts."""
    seen: dict[str, float] = {}
    for name, process in processes_of(stack).items():
        with suppress(psutil.NoSuchProcess):
            seen[f"{name} memory"] = process.memory_info().rss
            seen[f"{name} descriptors"] = process.num_fds()
    with connect(stack.settings.redis_url) as redis:
        keys = redis.info("keyspace").get("db0", {"keys": 0, "expires": 0})
        seen["store memory"] = redis.info("memory")["used_memory"]
        seen["store keys that do not expire"] = keys["keys"] - keys["expires"]
    walk = os.walk(stack.folder / "artifacts")  # unlike rglob it bears folders that go meanwhile
    seen["artifacts files"] = sum(len(files) for _, _, files in walk)
    return seen


def soak(
    folder: Path,
    minutes: float,
    settings: Settings = SETTINGS,
    clients: int = 4,
    asked: InsertionRequest | None = None,
) -> Soaked:
    """Run the traffic on a fresh stack. asked: what is inserted; `bench.examples.request` if None.

    Raises RuntimeError if a call went wrong.
    """
    soaked = Soaked()
    with running(folder, settings, workers=1) as (stack, key), webhook_receiver() as url:
        traffic, began = Traffic(stack, key, asked or request([1]), url), time.monotonic()
        with traffic.going(clients):
            while (gone := time.monotonic() - began) < 60 * minutes:
                soaked.samples.append({"jobs": traffic.jobs, "seconds": gone, **look(stack)})
                time.sleep(60 * minutes / SAMPLES)
        if traffic.errors:
            raise RuntimeError(f"{len(traffic.errors)} calls went wrong, first: {traffic.errors[0]}")
        soaked.violations = settled(stack)
    return soaked


def settled(stack: Stack) -> list[str]:
    """What the audit finds once the last webhooks are out, or too long after."""
    until = time.monotonic() + SETTLE_SECONDS
    with connect(stack.settings.redis_url) as redis:
        while (found := violations(redis)) and time.monotonic() < until:
            time.sleep(0.2)
    return found


def to_figures(soaked: Soaked) -> Figures:
    """A row a quantity: what it was after the warm-up and in the end, and its slopes with their intervals."""
    first, last = soaked.samples[round(WARM_UP * len(soaked.samples))], soaked.samples[-1]
    by_job, by_second = soaked.slopes("jobs"), soaked.slopes("seconds")
    rows = []
    for name, growth in by_job.items():
        unit = MIB if name.endswith("memory") else 1
        hourly = by_second[name]
        rows.append(
            [
                f"{name}, MiB" if unit == MIB else name,
                f"{first[name] / unit:.1f}",
                f"{last[name] / unit:.1f}",
                with_interval((hourly.value, hourly.low, hourly.high), 3600 / unit, 1),
                with_interval((growth.value, growth.low, growth.high), 1000 / unit, 2),
            ]
        )
    columns = ["quantity", "warm", "end", "an hour (95 %)", "a thousand jobs (95 %)"]
    title = (
        f"Growth over {last['jobs']:.0f} jobs in {last['seconds'] / 60:.1f} minutes, "
        f"{len(soaked.violations)} violations found by the audit"
    )
    values = {name: [growth.value, growth.low, growth.high] for name, growth in by_job.items()}
    return Figures(title, columns, rows, {"per_job": values, "violations": soaked.violations})


def main(
    minutes: Annotated[float, typer.Option(min=0.5, help="How long the traffic lasts.")] = 60.0,
    file: JsonFile = Path("bench-results/soak.json"),
) -> None:
    """Print the slopes, write the values."""
    with tempfile.TemporaryDirectory(prefix="addit-soak-") as folder:
        report("soak", to_figures(soak(Path(folder), minutes)), file, docs=False)


if __name__ == "__main__":
    typer.run(main)
