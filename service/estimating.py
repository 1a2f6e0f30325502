"""From a submission to an estimate: all that admission does but for making the job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from api_schemas.estimates import Estimate, EstimatedCost
from api_schemas.forwards import LARGE, forwards, forwards_at_most
from api_schemas.insertions import GeneratedSource, InsertionRequest
from api_schemas.models import ModelCard
from job_store.errors import QueueFull, QuotaExceeded, RateLimited
from job_store.jobs import source_id_of
from job_store.outlook import shape_of
from service.admission import check_webhook, choose_card, work_in
from service.errors import Refusal
from service.gateway import Gateway
from service.problems import to_problem, to_refusal
from service.regions import check_areas
from service.resolve import resolve
from service.sources import take_source
from service.standing import eta_behind
from service.submission import Submission


@dataclass(frozen=True)
class Judged:
    """A request that would be accepted, as understood.

    size: (width, height) of its source's picture; key: where that lies, None for one that came along
    """

    request: InsertionRequest
    card: ModelCard
    size: tuple[int, int]
    key: str | None


SourceId = Callable[[InsertionRequest, str], str]
"""(request as understood, model) to the source's id; of a scene's step it goes by the scene."""


def estimate(
    gateway: Gateway,
    tenant: str,
    submission: Submission,
    scope: Mapping[str, object],
    source_id: SourceId | None = None,
) -> Estimate:
    """What submitting it would come to. Raises `StoreError`."""
    try:
        judged = _judge(gateway, tenant, submission)
    except (Refusal, QueueFull, QuotaExceeded, RateLimited) as error:
        return Estimate(accepted=False, problem=to_problem(to_refusal(error), scope))
    asked, request, card = submission.request, judged.request, judged.card
    known = _remembered(gateway, tenant, judged, source_id)
    shape = shape_of(*judged.size, card.max_pixels)
    ahead = gateway.outlook.ahead(card.name, tenant, request.priority, shape)
    given, told = _texts(asked), _texts(request)
    return Estimate(
        accepted=True,
        request=request.model_copy(update={"seeds": asked.seeds}),
        inferred=[name for name, text in told.items() if text is not None and text != given[name]],
        left_open=[name for name, text in told.items() if text is None],
        cost=_cost(judged),
        source_remembered=known,
        workers=ahead.serving,
        jobs_before=ahead.count,
        eta_seconds=eta_behind(ahead, work_in(request, card, known)),
    )


def _judge(gateway: Gateway, tenant: str, submission: Submission) -> Judged:
    """Raises what submitting it would."""
    card = choose_card(gateway, submission.request.model)
    check_webhook(submission.request, gateway.settings.allow_loopback_egress)
    source = take_source(gateway, tenant, submission)
    size = source.size
    request = resolve(submission.request, card, size, lambda: 0)
    check_areas(request, size)
    gateway.store.check_room(card.name, tenant)
    if isinstance(request.source, GeneratedSource):
        size = (request.source.width or card.native_width, request.source.height or card.native_height)
    assert size is not None, "an image source has a size"
    return Judged(request, card, size, source.key)


def _remembered(gateway: Gateway, tenant: str, judged: Judged, source_id: SourceId | None) -> bool:
    """A picture that comes along is a new source each time."""
    source, model = judged.request.source, judged.card.name
    if source_id is not None:
        return gateway.outlook.remembered(source_id(judged.request, model))
    if judged.key is None and not isinstance(source, GeneratedSource):
        return False
    return gateway.outlook.remembered(source_id_of(tenant, model, judged.key, source))


def _texts(request: InsertionRequest) -> dict[str, object]:
    return {
        "source.prompt": request.source.prompt,
        "prompt": request.prompt,
        "subject": request.subject,
    }


def _cost(judged: Judged) -> EstimatedCost | None:
    request, card = judged.request, judged.card
    large = judged.size[0] * judged.size[1] > LARGE * card.max_pixels
    new, known = forwards(request, card, known=False), forwards(request, card, known=True)
    most = forwards_at_most(request, card, large=large)
    if new is None or known is None or most is None:
        return None
    figures = {"forwards": new, "forwards_remembered": known, "forwards_at_most": most}
    return EstimatedCost(**{name: round(figure, 3) for name, figure in figures.items()})
