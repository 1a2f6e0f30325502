"""What an exception means."""

from __future__ import annotations

import weakref

import pytest

from job_store.artifacts import ArtifactMissing, StorageFull, StorageUnavailable
from tests.workers.scripted_runner import OutOfMemoryError
from workers.failures import explain, let_go, where
from workers.runner import RunError


class AcceleratorError(RuntimeError):
    """Named as torch names its own."""


@pytest.mark.parametrize(
    ("error", "code", "fatal", "elsewhere"),
    [
        (RunError("unsupported_size", "too large"), "unsupported_size", False, False),
        (RunError("internal", "broken", fatal=True), "internal", True, False),
        (RunError("no_such_code", "?"), "internal", False, False),
        (MemoryError(), "out_of_memory", False, False),
        (OutOfMemoryError("tried to allocate"), "out_of_memory", False, False),
        (AcceleratorError("illegal memory access"), "worker_crashed", True, True),
        (RuntimeError("CUDA error: device-side assert"), "worker_crashed", True, True),
        (ArtifactMissing("t/a/i/b.png"), "source_unavailable", False, False),
        (StorageFull("no space"), "internal", False, True),
        (StorageUnavailable("500"), "internal", False, True),
        (KeyError("x"), "internal", False, False),
    ],
)
def test_every_error_has_one_meaning(error: Exception, code: str, fatal: bool, elsewhere: bool) -> None:
    failure = explain(error)
    assert (failure.error.code, failure.fatal, failure.elsewhere) == (code, fatal, elsewhere)


def test_only_what_the_model_means_for_the_caller_reaches_the_caller() -> None:
    told = explain(RunError("unsupported_size", "at most 512", data={"max": 512})).error
    assert (told.message, told.data) == ("at most 512", {"max": 512})
    assert "secret" not in explain(ValueError("/secret/path")).error.message


def test_the_log_says_where_but_not_with_which_words() -> None:
    def run() -> None:
        raise KeyError("a dog in a room")

    with pytest.raises(KeyError) as raised:
        run()
    *places, last = where(raised.value, with_message=False).splitlines()
    assert any("test_failures.py" in place for place in places)
    assert last == "KeyError"
    assert "a dog in a room" in where(raised.value, with_message=True)


def test_what_an_error_s_frames_held_is_let_go_with_those_of_its_cause() -> None:
    class Large:
        """Stands for tensors."""

    held = list[weakref.ref[Large]]()

    def breaks() -> None:
        large = Large()
        held.append(weakref.ref(large))
        raise KeyError("broken")

    def run() -> None:
        large = Large()
        held.append(weakref.ref(large))
        try:
            breaks()
        except KeyError as error:
            raise RunError("internal", "broken") from error

    with pytest.raises(RunError) as raised:
        run()
    assert all(each() for each in held)
    let_go(raised.value)
    assert not any(each() for each in held)
    assert "test_failures.py" in where(raised.value, with_message=False)
