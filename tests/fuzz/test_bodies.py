"""Any body of a submission is accepted or refused by name; what was accepted, sent again, is the same."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, get_args

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from api_schemas.errors import Problem
from api_schemas.insertions import Extra, InsertionRequest, Inversion, Localizer, Mode, WebhookEvent
from api_schemas.jobs import InsertionJob
from job_store.jobs import JobStore
from job_store.workers import WorkerRegistry
from tests.service.conftest import BODY, put_worker

pytestmark = pytest.mark.usefixtures("worker")
ALL = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
Body = dict[str, Any]


def optional(fields: Mapping[str, SearchStrategy[Any]]) -> SearchStrategy[Body]:
    """Some of the fields."""
    return st.fixed_dictionaries({}, optional=dict(fields))


SEED = st.integers(0, 2**32 - 1)
GAMMA = st.floats(0.5, 2)
STEP = st.integers(0, 99)
PIXEL = st.integers(-8192, 16_384)
PROMPT = st.sampled_from(
    ["a photo of a dog", "add a dog", "a dog and a red bed", "a bed of a dog", "a zebra"]
)
SCHEDULE = st.lists(
    st.fixed_dictionaries({"step": STEP, "double": GAMMA, "single": GAMMA}), min_size=1, max_size=4
)
IMAGE = optional({"id": st.just("img_0"), "part": st.just("photo"), "data": st.text(max_size=9)})
REGION = optional(
    {
        "box": st.lists(PIXEL, min_size=3, max_size=5),
        "points": st.lists(st.lists(PIXEL, min_size=2, max_size=2), max_size=3),
        "mask": IMAGE,
    }
)
OPTIONS = optional(
    {
        "num_inference_steps": st.integers(2, 100),
        "guidance_scale": st.floats(1, 10),
        "extended_scale": GAMMA | st.just("auto") | SCHEDULE,
        "source_scale": GAMMA | SCHEDULE,
        "structure_transfer_step": STEP,
        "structure_transfer_t": st.floats(0, 1),
        "blend_steps": st.lists(STEP, max_size=9),
        "localizer": st.sampled_from(get_args(Localizer)),
        "source_shift": st.lists(st.floats(-64, 64), min_size=2, max_size=2),
        "inversion": st.sampled_from(get_args(Inversion)),
        "use_offset": st.booleans(),
        "softness": st.floats(0, 8),
        "strict_background": st.booleans(),
        "keep_shadow": st.booleans(),
        "keep_best": st.integers(1, 8),
    }
)
SOURCE = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.just("generated"), "prompt": PROMPT},
        optional={"seed": SEED, "width": st.integers(16, 8192), "height": st.sampled_from([64, 128, 256])},
    ),
    st.fixed_dictionaries({"kind": st.just("image"), "image": IMAGE}, optional={"prompt": PROMPT}),
    st.fixed_dictionaries(
        {"kind": st.just("scene"), "scene_id": st.text(max_size=70)}, optional={"seed": SEED}
    ),
)
FIELDS: Mapping[str, SearchStrategy[Any]] = {
    "source": SOURCE,
    "prompt": PROMPT,
    "subject": st.sampled_from(["dog", "bed", ["dog", "red bed"], [], "zebra"]),
    "region": REGION,
    "avoid": REGION,
    "preset": st.sampled_from(["real", "made", "other"]),
    "seeds": st.lists(SEED, max_size=9),
    "options": OPTIONS,
    "output": optional(
        {
            "format": st.sampled_from(["png", "jpeg", "webp", "gif"]),
            "include": st.lists(st.sampled_from(get_args(Extra)), max_size=6),
            "previews": st.integers(0, 5),
        }
    ),
    "model": st.sampled_from(["small", "other"]),
    "mode": st.sampled_from(get_args(Mode)),
    "loras": st.dictionaries(st.text(max_size=9), st.floats(-2, 2), max_size=3)
    | st.lists(optional({"name": st.text(max_size=9), "scale": st.floats(-3, 3)}), max_size=5),
    "webhook": optional(
        {
            "url": st.sampled_from(["https://example.com/hook", "http://127.0.0.1/", "ftp://x", "https://"]),
            "events": st.lists(st.sampled_from(get_args(WebhookEvent)), max_size=4),
        }
    ),
    "if_not_added": st.sampled_from(["report", "retry"]),
    "priority": st.sampled_from(["interactive", "bulk"]),
    "deadline_seconds": st.integers(1, 86_400),
    "retain_seconds": st.integers(60, 2_592_000),
    "metadata": st.dictionaries(
        st.text(max_size=9),
        st.text(max_size=9) | st.floats(allow_nan=False, allow_infinity=False),
        max_size=4,
    ),
}
"""Of `InsertionRequest`: values that mostly pass alone, and some that never do."""
FINITE = st.floats(allow_nan=False, allow_infinity=False)
STRANGE = st.sampled_from(["\0", "../../etc/passwd", "{{7*7}}", "9" * 3000]) | st.integers(10**30, 10**40)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(max_size=20) | STRANGE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
"""JSON that nobody should send."""


MOST_CHANGES = 4


def test_every_field_of_a_request_is_fuzzed() -> None:
    assert set(FIELDS) == set(InsertionRequest.model_fields)


@st.composite
def changes(draw: st.DrawFn) -> Body:
    """A few of the fields: of many, one is sure to be refused."""
    names = draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=MOST_CHANGES, unique=True))
    return {name: draw(FIELDS[name]) for name in names}


@st.composite
def damaged(draw: st.DrawFn) -> Body:
    """A request with something odd anywhere in it, or an odd field more."""
    body: Body = {**BODY, **draw(changes())}
    place = body
    while True:
        name = draw(st.sampled_from([*place, "more"]))
        inner = place.get(name)
        if not isinstance(inner, dict) or draw(st.booleans()):
            place[name] = draw(ODD)
            return body
        place[name] = place = dict(inner)


def post(client: httpx.Client, body: object) -> httpx.Response:
    """As bytes: JSON may hold what httpx's own encoder refuses to send."""
    return client.post(
        "/v1/insertions", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )


def check_refused(answer: httpx.Response) -> None:
    problem = Problem.model_validate_json(answer.content)
    assert (answer.status_code, problem.status) == (422, 422), answer.text


def test_options_in_any_combination_are_accepted_or_refused(
    client: httpx.Client, store: JobStore, worker: WorkerRegistry
) -> None:
    statuses = Counter[int]()

    @ALL
    @given(changes=changes())
    def submit(changes: Body) -> None:
        put_worker(worker)
        answer = post(client, {**BODY, **changes})
        statuses[answer.status_code] += 1
        if answer.status_code != 202:
            check_refused(answer)
            return
        job = InsertionJob.model_validate_json(answer.content)
        assert store.get(job.id).request == job.request
        again = post(client, json.loads(job.request.model_dump_json(exclude_none=True)))
        assert again.status_code == 202, again.text
        assert InsertionJob.model_validate_json(again.content).request == job.request

    submit()
    assert statuses[202] > statuses.total() / 10, statuses


def test_what_nobody_should_send_is_never_our_fault(client: httpx.Client, worker: WorkerRegistry) -> None:
    @ALL
    @given(body=damaged() | ODD)
    def submit(body: object) -> None:
        put_worker(worker)
        answer = post(client, body)
        if answer.status_code != 202:
            check_refused(answer)

    submit()


@pytest.mark.parametrize("text", ['{"prompt": "\\ud800"}', '{"seeds": [NaN]}', "{", "", "[" * 5000])
def test_what_is_no_json_is_malformed(client: httpx.Client, text: str) -> None:
    answer = client.post("/v1/insertions", content=text, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
