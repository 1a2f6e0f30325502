"""Parameters to have a job again."""

from __future__ import annotations

import json
import shlex

from api_schemas.insertions import InsertionRequest
from studio.repeat import as_curl, as_json
from tests.studio.samples import image, job


def test_the_parameters_are_a_request_of_the_same_picture() -> None:
    again = InsertionRequest.model_validate_json(as_json(job(image())))
    before = job(image()).request
    assert (again.source, again.prompt, again.seeds) == (before.source, before.prompt, before.seeds)
    assert again.model == "m"


def test_what_was_inferred_by_looking_is_said() -> None:
    inferred = {"source_prompt": "a bed", "prompt": "a bed and a dog", "subject": "dog"}
    said = json.loads(as_json(job(image(), result={"inferred": inferred})))
    assert (said["source"]["prompt"], said["prompt"], said["subject"]) == ("a bed", "a bed and a dog", "dog")


def test_the_line_for_a_shell_carries_the_parameters_and_no_key() -> None:
    words = shlex.split(as_curl(job(image()), "http://here"), posix=True)
    assert "Authorization: Bearer $ADDIT_KEY" in words
    assert json.loads(words[-1]) == json.loads(as_json(job(image())))
