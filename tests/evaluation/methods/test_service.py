"""A running service as a method: what its client gets is what is judged."""

from __future__ import annotations

import pytest

from client.errors import ClientError
from evaluation.errors import EvaluationError
from evaluation.methods.method import Workbench
from evaluation.methods.service import RunningService
from tests.client.conftest import Served
from tests.client.conftest import served as served
from tests.evaluation.samples import TOLD, picture
from workers.models.profiles import embedded_profile


def bench(key: str) -> Workbench:
    return Workbench(embedded_profile(), service_key=key)


def test_pictures_come_over_http(served: Served) -> None:
    method, ours = RunningService(served.url), bench(served.key)
    method.prepare(ours)
    made = method.edit(ours, TOLD, picture(), 3)
    assert made.picture.shape == picture().shape
    assert made.mask is not None
    assert made.mask.shape == picture().shape[:2]


def test_a_wrong_key_and_a_dead_service_are_told_apart_from_a_bad_picture(served: Served) -> None:
    with pytest.raises(EvaluationError, match="does not answer"):
        RunningService(served.url).prepare(bench("wrong"))
    with pytest.raises(ClientError):
        RunningService(served.url, model="no such model").edit(bench(served.key), TOLD, picture(), 3)


def test_the_key_is_no_setting() -> None:
    assert "secret" not in repr(bench("secret"))
