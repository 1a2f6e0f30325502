"""Batches: many insertions in one go."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api_schemas.base import ResponseModel, Timestamp
from api_schemas.errors import Problem
from api_schemas.jobs import InsertionJob

BatchStatus = Literal["accepting", "in_progress", "completed", "canceling", "canceled"]


class BatchCounts(ResponseModel):
    """Where a batch's lines are."""

    total: int = Field(description="Lines.")
    refused: int = Field(description="No job was made of them; the results tell why.")
    left: int = Field(description="Not looked at: yet, or because it was canceled before.")
    queued: int = Field(description="Jobs.")
    running: int = Field(description="Jobs.")
    succeeded: int = Field(description="Jobs.")
    failed: int = Field(description="Jobs.")
    canceled: int = Field(description="Jobs.")
    expired: int = Field(description="Jobs.")
    deleted: int = Field(description="Jobs that are gone, with what they made.")


class Batch(ResponseModel):
    """Many insertions as one."""

    id: str = Field(description="`bat_…`.")
    object: Literal["batch"] = Field(default="batch", description="What this is.")
    status: BatchStatus = Field(
        description="completed and canceled: nothing changes any more, and there are results."
    )
    created_at: Timestamp = Field(description="When it was submitted.")
    expires_at: Timestamp = Field(description="When it is forgotten; its jobs go as their retention says.")
    counts: BatchCounts = Field(description="Where its lines are.")
    results_url: str | None = Field(description="JSONL of a `BatchResult` a line; null until it has ended.")


class BatchList(ResponseModel):
    """A page of a tenant's batches, newest first."""

    object: Literal["list"] = Field(default="list", description="What this is.")
    data: list[Batch] = Field(description="The batches.")
    next_cursor: str | None = Field(default=None, description="`cursor` of the next page; null on the last.")


class BatchResult(ResponseModel):
    """What became of a line."""

    line: int = Field(description="Its number, from 1; empty lines count.")
    insertion: InsertionJob | None = Field(default=None, description="Its job, unless that is gone.")
    problem: Problem | None = Field(default=None, description="Why there is none, where it was refused.")
