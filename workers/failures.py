"""What an exception of a run means: for the caller, the engine and the record. The one place that says so."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import cast, get_args

from api_schemas.errors import JobError, JobErrorCode
from job_store.artifacts import ArtifactMissing, StorageFull, StorageUnavailable
from runtime.moderation import ContentRefused, ModeratorUnavailable
from workers.runner import RunError

TOO_LATE = JobError(code="deadline_exceeded", message="The job was started but not done in time.")


@dataclass(frozen=True)
class Failure:
    """`fatal`: the engine must be replaced. `elsewhere`: not the job's fault, another try may work out."""

    error: JobError
    fatal: bool = False
    elsewhere: bool = False

    @property
    def doubtful(self) -> bool:
        """Whether the engine may be the cause, not the request."""
        return self.error.code in ("internal", "invalid_output", "out_of_memory")


def explain(error: Exception) -> Failure:
    """The meaning of what a run, the reading of its source or the writing of its pictures raised."""
    if isinstance(error, RunError):
        return Failure(
            JobError(code=_code(error.code), message=str(error), data=error.data), fatal=error.fatal
        )
    if is_out_of_memory(error):
        return _failure("out_of_memory", "Not enough memory for this size and number of variations.")
    if is_broken_device(error):
        return _failure("worker_crashed", "The device failed.", fatal=True, elsewhere=True)
    if isinstance(error, ArtifactMissing):
        return _failure("source_unavailable", "The source picture is gone.")
    if isinstance(error, StorageFull | StorageUnavailable):
        return _failure("internal", "The pictures could not be read or stored.", elsewhere=True)
    if isinstance(error, ContentRefused):
        return _failure("result_refused", f"The result is not delivered: {error}.")
    if isinstance(error, ModeratorUnavailable):
        return _failure("moderation_unavailable", "Nobody could judge the result; try again later.")
    return _failure("internal", "Something went wrong; the operator's log has the details.")


def is_out_of_memory(error: Exception) -> bool:
    """Of the host or a device. By name: this process may have no torch."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"


def is_broken_device(error: Exception) -> bool:
    """A CUDA error stays with its process for ever; only a new process works again."""
    return type(error).__name__ == "AcceleratorError" or "CUDA error" in str(error)


def let_go(error: BaseException) -> None:
    """Forget what its frames held, tensors of the accelerator above all: it may be told of for a while."""
    told: BaseException | None = error
    while told is not None:
        traceback.clear_frames(told.__traceback__)
        told = told.__cause__ or told.__context__


def where(error: Exception, with_message: bool) -> str:
    """The traceback for the log. Messages can quote prompts: left out unless prompts may be logged."""
    if with_message:
        return "".join(traceback.format_exception(error))
    return "".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__


def _failure(code: JobErrorCode, message: str, *, fatal: bool = False, elsewhere: bool = False) -> Failure:
    return Failure(JobError(code=code, message=message), fatal=fatal, elsewhere=elsewhere)


def _code(code: str) -> JobErrorCode:
    return cast(JobErrorCode, code) if code in get_args(JobErrorCode) else "internal"
