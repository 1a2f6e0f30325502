"""What a client's key makes once: nothing is left of what was prepared for a repetition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from job_store.errors import IdempotencyKeyReused


class Named(Protocol):
    """A record with an id of its own."""

    @property
    def id(self) -> str: ...


Record = TypeVar("Record", bound=Named)


def make_once(
    record_id: str, make: Callable[[], Record], take_back: Callable[[], None]
) -> tuple[Record, bool]:
    """(what was made, whether it is new or what the same key made before). Raises what `make` raises.

    record_id: of what is to be made; take_back: called where that was not, for the key had made another
    """
    try:
        record = make()
    except IdempotencyKeyReused:
        take_back()
        raise
    fresh = record.id == record_id
    if not fresh:
        take_back()
    return record, fresh
