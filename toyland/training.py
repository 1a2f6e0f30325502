"""One training loop for every model of the toy world: resumable at any step, deterministic from its seed.

It knows no model and no data: a recipe gives the module to train and the loss of one batch.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from torch import Tensor, nn


class Recipe(Protocol):
    """What to train and how a batch is judged."""

    @property
    def trained(self) -> nn.Module:
        """The module whose parameters that require gradients are trained."""

    def loss(self, generator: torch.Generator) -> Tensor:
        """The loss (scalar) of one batch, everything random in it drawn from the generator."""


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train. A run ends at `steps` or `minutes`, whichever comes first; only a run
    bounded by steps is the same on every machine, since the learning rate follows the share that is done."""

    learning_rate: float
    steps: int | None = None
    minutes: float | None = None
    warmup_steps: int = 50
    decay_from: float = 0.0  # share of the run after which the rate falls, in a line, to `final_rate`
    final_rate: float = 0.02  # of `learning_rate`
    weight_decay: float = 0.01
    ema_decay: float = 0.999
    seed: int = 0
    save_minutes: float = 3.0
    log_steps: int = 25
    judge_steps: int = 250


@dataclass
class Run:
    """A training run at some step: all that must be kept to go on as if it had never stopped."""

    recipe: Recipe
    plan: Plan
    optimizers: list[torch.optim.Optimizer]
    flattened: list[tuple[nn.Parameter, nn.Parameter]]  # what Muon trains, with its view as a matrix
    average: list[Tensor]  # exponential moving average of the trained parameters
    generator: torch.Generator
    step: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """The parameters that are trained."""
        return _trained_parameters(self.recipe)

    @property
    def share(self) -> float:
        """How much of the run is done, 0..1."""
        by_steps = self.step / self.plan.steps if self.plan.steps else 0.0
        by_time = self.seconds / 60 / self.plan.minutes if self.plan.minutes else 0.0
        return min(1.0, max(by_steps, by_time))

    @property
    def learning_rate(self) -> float:
        """The rate of the next step: a short climb, level, then a line down."""
        plan = self.plan
        climb = min(1.0, (self.step + 1) / plan.warmup_steps)
        fall = min(1.0, (1 - self.share) / (1 - plan.decay_from))
        return plan.learning_rate * climb * max(plan.final_rate, fall)

    def advance(self) -> float:
        """Take one step and return its loss."""
        began = time.monotonic()
        loss = self.recipe.loss(self.generator)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for parameter, matrix in self.flattened:
            matrix.grad = None if parameter.grad is None else parameter.grad.flatten(1)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.learning_rate
            optimizer.step()
        self.recipe.trained.zero_grad()
        self.step += 1
        decay = min(self.plan.ema_decay, self.step / (self.step + 9))  # short memory while all is new
        with torch.no_grad():
            torch._foreach_lerp_(self.average, [*self.parameters], 1 - decay)
        self.seconds += time.monotonic() - began
        return float(loss.detach())

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs."""
        return {
            "parameters": [parameter.detach() for parameter in self.parameters],
            "average": self.average,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "generator": self.generator.get_state(),
            "step": self.step,
            "seconds": self.seconds,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a saved state."""
        _copy_into(self.parameters, state["parameters"])
        _copy_into(self.average, state["average"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.generator.set_state(state["generator"])
        self.step, self.seconds = state["step"], state["seconds"]

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The average in the parameters' place for a while."""
        kept = [parameter.detach().clone() for parameter in self.parameters]
        self.use_average()
        try:
            yield
        finally:
            _copy_into(self.parameters, kept)

    def use_average(self) -> None:
        """Replace the parameters by their average: the model to keep."""
        _copy_into(self.parameters, self.average)


def start_run(recipe: Recipe, plan: Plan, folder: Path, matrices: Sequence[nn.Parameter] = ()) -> Run:
    """A fresh run, or the one saved in the folder."""
    parameters = _trained_parameters(recipe)
    average = [parameter.detach().clone() for parameter in parameters]
    flattened = [(matrix, nn.Parameter(matrix.detach().flatten(1))) for matrix in matrices]
    optimizers = build_optimizers(parameters, plan, flattened)
    run = Run(recipe, plan, optimizers, flattened, average, torch.Generator().manual_seed(plan.seed))
    if (folder / "checkpoint.pt").exists():
        run.restore(torch.load(folder / "checkpoint.pt", weights_only=True))
    return run


def build_optimizers(
    parameters: Sequence[nn.Parameter], plan: Plan, flattened: Sequence[tuple[nn.Parameter, nn.Parameter]]
) -> list[torch.optim.Optimizer]:
    """AdamW; for the weights of hidden layers Muon, with updates as large as AdamW's.

    Muon (K. Jordan, 2024; arXiv 2502.16982) needs about half the steps. It takes matrices: a convolution's
    weight is one row an output channel.
    """
    by_muon = {id(parameter) for parameter, _ in flattened}
    others = [parameter for parameter in parameters if id(parameter) not in by_muon]
    adamw = torch.optim.AdamW(
        others, plan.learning_rate, betas=(0.9, 0.98), weight_decay=plan.weight_decay, fused=True
    )
    if not flattened:
        return [adamw]
    muon = torch.optim.Muon(
        [matrix for _, matrix in flattened],
        plan.learning_rate,
        weight_decay=plan.weight_decay,
        adjust_lr_fn="match_rms_adamw",
    )
    return [adamw, muon]


def train(
    recipe: Recipe,
    plan: Plan,
    folder: Path,
    matrices: Sequence[nn.Parameter] = (),
    judge: Callable[[], float] | None = None,
) -> Run:
    """Train to the plan's end, saving on the way; an interrupt saves and returns early.

    matrices: those of the trained parameters, contiguous, that Muon is right for
    judge: an error on what is held out, asked of the average every `judge_steps`: where it rises while the
        loss still falls, pictures are learned by heart

    The folder gets `checkpoint.pt` and `losses.jsonl` (step, seconds, mean loss since the last line, rate,
    and where it was asked for, held_out).
    """
    folder.mkdir(parents=True, exist_ok=True)
    run = start_run(recipe, plan, folder, matrices)
    with _interrupts() as interrupted, _progress() as bar:
        task = bar.add_task("training", total=1.0)
        saved = run.seconds
        while run.share < 1 and not interrupted:
            run.losses.append(run.advance())
            if run.step % plan.log_steps == 0:
                bar.update(task, completed=run.share, description=_log(run, folder, _held_out(run, judge)))
            if run.seconds - saved > 60 * plan.save_minutes:
                save_run(run, folder)
                saved = run.seconds
    save_run(run, folder)
    return run


def save_run(run: Run, folder: Path) -> None:
    """Write the checkpoint; the old one stays whole until the new one is."""
    partial = folder / "checkpoint.pt.part"
    torch.save(run.state(), partial)
    os.replace(partial, folder / "checkpoint.pt")


def _trained_parameters(recipe: Recipe) -> list[nn.Parameter]:
    return [parameter for parameter in recipe.trained.parameters() if parameter.requires_grad]


@torch.no_grad()
def _copy_into(targets: list[Any], values: list[Tensor]) -> None:
    for target, value in zip(targets, values, strict=True):
        target.copy_(value)


def _held_out(run: Run, judge: Callable[[], float] | None) -> dict[str, float]:
    if judge is None or run.step % run.plan.judge_steps:
        return {}
    with run.averaged():
        return {"held_out": judge()}


def _log(run: Run, folder: Path, held_out: dict[str, float]) -> str:
    """Add a line to the loss curve and return it in words."""
    mean = sum(run.losses) / len(run.losses)
    run.losses.clear()
    line = {"step": run.step, "seconds": round(run.seconds, 1), "loss": mean, "rate": run.learning_rate}
    line |= held_out
    with (folder / "losses.jsonl").open("a", encoding="utf-8") as curve:
        curve.write(json.dumps(line) + "\n")
    return f"step {run.step}, loss {mean:.4f}"


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """A list that is empty until the process is asked to stop."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _progress() -> Progress:
    description = TextColumn("{task.description}")
    return Progress(description, BarColumn(), "{task.percentage:>3.0f}%", TimeElapsedColumn())
