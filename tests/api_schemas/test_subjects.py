from __future__ import annotations

import pytest
from pydantic import ValidationError

from api_schemas.insertions import GeneratedSource, InsertionRequest
from api_schemas.subjects import MAX_SUBJECTS, as_said, as_tuple


@pytest.mark.parametrize("subjects", [(), ("dog",), ("dog", "dog"), ("dog", "cat", "red ball")])
def test_what_is_said_is_what_was_meant(subjects: tuple[str, ...]) -> None:
    assert as_tuple(as_said(subjects)) == subjects


def test_one_subject_is_a_string_and_several_are_a_list() -> None:
    assert (as_said([]), as_said(["dog"]), as_said(("dog", "cat"))) == (None, "dog", ["dog", "cat"])


@pytest.mark.parametrize("subject", [[], "", [""], ["dog"] * (MAX_SUBJECTS + 1), ["a" * 201], 3])
def test_none_or_too_many_are_refused(subject: object) -> None:
    with pytest.raises(ValidationError):
        InsertionRequest.model_validate(
            {"source": GeneratedSource(prompt="a bed"), "prompt": "a bed and a dog", "subject": subject}
        )
