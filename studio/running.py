"""The job that runs for a visitor, known to all handlers of the visit: one follows it, others stop it."""

from __future__ import annotations

from dataclasses import dataclass

from api_schemas.jobs import InsertionJob
from client.async_client import AsyncAddit


@dataclass
class Running:
    """Changes in place: what the page itself keeps comes to a handler as it was when its button was pressed.

    job_id: empty while the service has not answered, and when nothing runs; seeds: of the job
    stop_asked: whether Stop was pressed since the last begin
    """

    job_id: str = ""
    seeds: tuple[int, ...] = ()
    stop_asked: bool = False

    def begin(self) -> None:
        """A job is about to be submitted; from now on Stop means that one."""
        self.job_id, self.seeds, self.stop_asked = "", (), False

    async def submitted(self, addit: AsyncAddit, job: InsertionJob) -> None:
        """The service has it; a Stop that came before is passed on. Raises ClientError."""
        self.job_id, self.seeds = job.id, tuple(job.request.seeds)
        if self.stop_asked:
            await addit.cancel(job.id)

    async def stop(self, addit: AsyncAddit) -> None:
        """Asks for its end, now or as soon as the service has it. Raises ClientError."""
        self.stop_asked = True
        if self.job_id:
            await addit.cancel(self.job_id)

    def end(self) -> None:
        """It runs no more, or nobody looks at it here."""
        self.job_id, self.seeds = "", ()
