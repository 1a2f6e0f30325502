"""What a request would cost and how long it would take, were it submitted now."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api_schemas.base import ResponseModel
from api_schemas.errors import Problem
from api_schemas.insertions import InsertionRequest


class EstimatedCost(ResponseModel):
    """Transformer forwards of batch 1, partial ones by their share of blocks: exact, but for what only the
    result tells."""

    forwards: float = Field(description="With a source that no worker remembers.")
    forwards_remembered: float = Field(description="With one that the worker remembers from an earlier job.")
    forwards_at_most: float = Field(
        description="With every retry of `if_not_added`, and every closer look at a large picture."
    )


class EtaSeconds(ResponseModel):
    """A time with its band."""

    p50: float = Field(ge=0, description="As likely sooner as later.")
    p90: float = Field(ge=0, description="Later in one of ten cases.")


class Estimate(ResponseModel):
    """A submission judged without being made."""

    object: Literal["estimate"] = Field(default="estimate", description="What this is.")
    accepted: bool = Field(description="Whether it would be accepted now.")
    problem: Problem | None = Field(default=None, description="Why not: what submitting it would answer.")
    request: InsertionRequest | None = Field(
        default=None, description="As it would be understood, defaults filled in, `seeds` as given."
    )
    inferred: list[str] = Field(
        default=[], description="The texts that were found in the sentences: `prompt`, `subject`, …"
    )
    left_open: list[str] = Field(default=[], description="The texts that only a look at the picture tells.")
    cost: EstimatedCost | None = Field(
        default=None, description="What it would cost; null where the model does not tell."
    )
    source_remembered: bool = Field(
        default=False,
        description="Whether a worker is known to remember the source: then it costs `forwards_remembered`.",
    )
    workers: int = Field(default=0, description="That serve its model now.")
    jobs_before: int = Field(default=0, description="That it would wait for, those being done not counted.")
    eta_seconds: EtaSeconds | None = Field(
        default=None,
        description="From submission to result, by what jobs of its size took lately; null where there was "
        "none.",
    )
