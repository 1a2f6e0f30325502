"""A request's texts completed by what its picture shows. What sentences alone tell, the gateway has done."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import structlog
from PIL import Image

from api_schemas.insertions import MAX_PROMPT, InsertionRequest
from api_schemas.jobs import Inferred
from api_schemas.sentences.errors import NotInferred
from api_schemas.sentences.inference import understand
from api_schemas.subjects import as_said, as_tuple
from workers.addit.errors import AdditError
from workers.addit.models import Captioner
from workers.runner import RunError, RunOutput

log = structlog.get_logger()


def complete(
    request: InsertionRequest, picture: Image.Image | None, captioner: Captioner | None
) -> tuple[InsertionRequest, Inferred | None]:
    """(the request with source prompt, prompt and subject; these three if any of them is new).

    Raises `RunError`: source_prompt_required where nobody can tell what the picture shows,
    subject_not_inferred where the caption leaves it open what is to be added.
    """
    said = request.source.prompt
    try:
        texts = understand(said or _caption(picture, captioner), request.prompt, as_tuple(request.subject))
    except NotInferred as error:
        data = {"candidates": list(error.candidates)}
        raise RunError("subject_not_inferred", f"Not understood: {error}.", data=data) from error
    source = request.source.model_copy(update={"prompt": texts.source_prompt})
    completed = request.model_copy(
        update={"source": source, "prompt": texts.prompt, "subject": as_said(texts.subjects)}
    )
    return completed, None if completed == request else texts_of(completed)


def texts_of(request: InsertionRequest) -> Inferred:
    """The three texts of a completed request."""
    return Inferred.model_validate(
        {"source_prompt": request.source.prompt, "prompt": request.prompt, "subject": request.subject}
    )


def with_inferred(output: RunOutput, inferred: Inferred, seconds: float) -> RunOutput:
    """The output with the texts that were found by looking at the picture for so long."""
    timings = output.timings.model_copy(update={"encode": round(output.timings.encode + seconds, 4)})
    cost = output.cost.model_copy(update={"gpu_seconds": round(output.cost.gpu_seconds + seconds, 4)})
    return replace(output, inferred=inferred, timings=timings, cost=cost)


def _caption(picture: Image.Image | None, captioner: Captioner | None) -> str:
    if captioner is None or picture is None:
        raise RunError(
            "source_prompt_required", "This model cannot tell what a picture shows; give source.prompt."
        )
    try:
        caption = captioner(np.asarray(picture.convert("RGB"))).strip()
    except AdditError as error:
        log.error("the captioner does not open", error=str(error))
        raise RunError("source_prompt_required", "The captioner is not there; give source.prompt.") from error
    if not caption:
        raise RunError("source_prompt_required", "The captioner had nothing to say; give source.prompt.")
    return caption[:MAX_PROMPT]
