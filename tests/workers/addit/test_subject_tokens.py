from __future__ import annotations

from types import SimpleNamespace

import pytest

from workers.addit.errors import SubjectNotInPrompt
from workers.addit.subject_tokens import find_subject, find_subject_in_chat

PIECES = {"a": [1], "cat": [2], "caterpillar": [2, 9], "on": [3], "fire": [4], "truck": [5, 6], "mat": [7]}


def tokenizer(text: str, add_special_tokens: bool) -> SimpleNamespace:
    assert not add_special_tokens
    return SimpleNamespace(input_ids=[piece for word in text.split() for piece in PIECES.get(word, [0])])


def test_all_pieces_of_a_subject_count() -> None:
    assert find_subject(tokenizer, "a fire truck on a mat", "fire truck", 64) == (1, 2, 3)


def test_the_first_occurrence_counts() -> None:
    assert find_subject(tokenizer, "a cat on a cat", "cat", 64) == (1,)


@pytest.mark.parametrize("subject", ["dog", "mat cat", ""])
def test_a_missing_subject_is_an_error_that_names_both(subject: str) -> None:
    with pytest.raises(SubjectNotInPrompt) as caught:
        find_subject(tokenizer, "a cat on a mat", subject, 64)
    assert repr(subject) in str(caught.value)
    assert "a cat on a mat" in str(caught.value)


def test_a_subject_beyond_the_text_length_is_missing() -> None:
    with pytest.raises(SubjectNotInPrompt):
        find_subject(tokenizer, "a a a a cat", "cat", 4)


CHAT = [8, 2, 8, 1, 2, 3, 1, 7, 8]  # "… cat … a cat on a mat …"


def test_in_a_chat_only_the_prompts_own_words_count() -> None:
    assert find_subject_in_chat(tokenizer, CHAT, "a cat on a mat", "cat") == (4,)


def test_a_chat_that_was_cut_off_names_nothing() -> None:
    with pytest.raises(SubjectNotInPrompt):
        find_subject_in_chat(tokenizer, CHAT[:6], "a cat on a mat", "cat")
