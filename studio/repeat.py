"""What it takes to have a job again: its parameters as JSON and as a line for a shell, without the key."""

from __future__ import annotations

import json
import shlex
from typing import Any

from api_schemas.insertions import Options
from api_schemas.jobs import InsertionJob
from api_schemas.subjects import as_said, as_tuple

OWN = {"metadata", "webhook", "priority", "retain_seconds", "deadline_seconds", "model"}


def parameters(job: InsertionJob) -> dict[str, Any]:
    """The request as it was understood, without what says nothing of the picture."""
    said = job.request.model_dump(mode="json", exclude_none=True, exclude=OWN)
    if job.result and (inferred := job.result.inferred):
        said |= {"prompt": inferred.prompt, "subject": as_said(as_tuple(inferred.subject))}
        said["source"]["prompt"] = inferred.source_prompt
    options = {name: value for name, value in said["options"].items() if name in Options.model_fields}
    return {**said, "options": options, "model": job.model}


def as_json(job: InsertionJob) -> str:
    """The parameters for a file."""
    return json.dumps(parameters(job), indent=2, ensure_ascii=False)


def as_curl(job: InsertionJob, url: str) -> str:
    """The parameters as a line that submits them once more."""
    body = shlex.quote(json.dumps(parameters(job), ensure_ascii=False))
    return (
        f'curl -sS {url}/v1/insertions -H "Authorization: Bearer $ADDIT_KEY" '
        f"-H 'Content-Type: application/json' -H 'Prefer: wait=60' \\\n  -d {body}"
    )
