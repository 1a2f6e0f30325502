from __future__ import annotations

from types import SimpleNamespace

import pytest

from workers.addit.errors import SubjectNotInPrompt
from workers.addit.subject_tokens import find_subjects, find_subjects_in_chat

PIECES = {"a": [1], "cat": [2], "caterpillar": [2, 9], "on": [3], "fire": [4], "truck": [5, 6], "mat": [7]}


def tokenizer(text: str, add_special_tokens: bool) -> SimpleNamespace:
    assert not add_special_tokens
    return SimpleNamespace(input_ids=[piece for word in text.split() for piece in PIECES.get(word, [0])])


def find(source_prompt: str, prompt: str, *subjects: str) -> tuple[tuple[int, ...], ...]:
    return find_subjects(tokenizer, source_prompt, prompt, subjects, 64)


def test_all_pieces_of_a_subject_count() -> None:
    assert find("a mat", "a fire truck on a mat", "fire truck") == ((1, 2, 3),)


@pytest.mark.parametrize(
    ("source_prompt", "prompt", "subjects", "places"),
    [
        ("a mat", "a cat on a cat", ["cat"], [(1,)]),
        ("a cat", "a cat on a cat", ["cat"], [(4,)]),
        ("a cat on a cat", "a cat on a cat", ["cat"], [(4,)]),
        ("a mat", "a cat on a cat", ["cat", "cat"], [(1,), (4,)]),
        ("a cat", "a cat on a cat a cat", ["cat", "cat"], [(4,), (6,)]),
        ("a mat", "a fire truck on a truck", ["truck", "fire truck"], [(6, 7), (1, 2, 3)]),
        ("a mat", "a mat on a cat", ["cat", "mat"], [(4,), (1,)]),
        ("a caterpillar", "a caterpillar on a cat", ["cat"], [(5,)]),
    ],
)
def test_each_subject_is_an_occurrence_that_the_source_has_not(
    source_prompt: str, prompt: str, subjects: list[str], places: list[tuple[int, ...]]
) -> None:
    assert find(source_prompt, prompt, *subjects) == tuple(places)


def test_a_subject_without_an_occurrence_of_its_own_is_missing() -> None:
    with pytest.raises(SubjectNotInPrompt):
        find("a mat", "a cat on a mat", "cat", "cat")


@pytest.mark.parametrize("subject", ["dog", "mat cat", ""])
def test_a_missing_subject_is_an_error_that_names_both(subject: str) -> None:
    with pytest.raises(SubjectNotInPrompt) as caught:
        find("a mat", "a cat on a mat", "cat", subject)
    assert repr(subject) in str(caught.value)
    assert "a cat on a mat" in str(caught.value)


def test_a_subject_beyond_the_text_length_is_missing() -> None:
    with pytest.raises(SubjectNotInPrompt):
        find_subjects(tokenizer, "a", "a a a a cat", ["cat"], 4)


CHAT = [8, 2, 8, 1, 2, 3, 1, 7, 8]  # "… cat … a cat on a mat …"


def test_in_a_chat_only_the_prompts_own_words_count() -> None:
    assert find_subjects_in_chat(tokenizer, CHAT, "a", "a cat on a mat", ["mat", "cat"]) == ((7,), (4,))


def test_a_chat_that_was_cut_off_names_nothing() -> None:
    with pytest.raises(SubjectNotInPrompt):
        find_subjects_in_chat(tokenizer, CHAT[:6], "a", "a cat on a mat", ["cat"])
