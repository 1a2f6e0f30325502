"""Processes are kept busy, and nothing is begun before it is needed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from toyland.score.busy import kept_busy


def test_every_job_comes_back_with_its_result_and_one_waits_ahead() -> None:
    asked, go_on = list[int](), Event()

    def jobs() -> Iterator[int]:
        for job in range(9):
            asked.append(job)
            yield job

    def run(job: int) -> int:
        assert job < 2 or go_on.is_set()
        return job * job

    with ThreadPoolExecutor(2) as pool:
        done = kept_busy(lambda job: pool.submit(run, job), jobs(), processes=1)
        first = next(done)
        assert asked == [0, 1]
        go_on.set()
        assert sorted([first, *done]) == [(job, job * job) for job in range(9)]
