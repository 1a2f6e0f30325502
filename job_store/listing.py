"""Which of a tenant's jobs a list names. Its cursors are times of submission, in microseconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from api_schemas.jobs import JobStatus
from job_store.errors import BadCursor
from job_store.records import JobRecord

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Wanted:
    """All jobs, or those in a state, those that vary a job, those of a scene, those created from a moment on
    and before one.

    created_after is included, created_before is not: the ranges of a row of reports do not overlap.
    """

    status: JobStatus | None = None
    parent_id: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    scene_id: str | None = None

    def takes(self, record: JobRecord) -> bool:
        """Whether a job of the right time is wanted."""
        return (
            self.status in (None, record.status)
            and self.parent_id in (None, record.parent_id)
            and self.scene_id in (None, record.scene_id)
        )

    def bounds(self, cursor: str | None) -> tuple[str, str]:
        """(highest, lowest) score as ZRANGE spells them, going on before the cursor. Raises BadCursor."""
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 18):
            raise BadCursor(cursor)
        tops = [int(cursor)] if cursor else []
        tops += [_microseconds(self.created_before)] if self.created_before else []
        lowest = "-inf" if self.created_after is None else str(_microseconds(self.created_after))
        return f"({min(tops)}" if tops else "+inf", lowest


ALL = Wanted()
"""Every job of a tenant."""


def _microseconds(moment: datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round((aware - EPOCH).total_seconds() * 1e6)
