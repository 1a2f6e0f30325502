"""The guess at the sentence for before."""

from __future__ import annotations

import pytest

from client.source_prompt import without_subject


@pytest.mark.parametrize(
    ("prompt", "subject", "before"),
    [
        ("a bedroom with a bed and a cat", "cat", "a bedroom with a bed"),
        ("a bedroom with a cat and a bed", "cat", "a bedroom and a bed"),
        ("a beach, and the red balloon", "red balloon", "a beach"),
        ("a cat", "cat", "a cat"),
        ("a category", "cat", "a category"),
    ],
)
def test_the_subject_is_taken_out_of_the_sentence(prompt: str, subject: str, before: str) -> None:
    assert without_subject(prompt, subject) == before
