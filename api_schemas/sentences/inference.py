"""From what a caller said to what the method needs: source prompt, target prompt, subjects.

`understand` fills in whatever can be known from the sentences alone; a source prompt that only the picture
can tell stays None. Running it on its own answer changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api_schemas.sentences.errors import NotInferred
from api_schemas.sentences.instructions import Instruction, read_instruction, read_thing
from api_schemas.sentences.joining import join
from api_schemas.sentences.parting import without
from api_schemas.sentences.phrases import Phrase, is_framed, new_phrases, noun_phrases
from api_schemas.sentences.words import split
from api_schemas.subjects import MAX_SUBJECTS


@dataclass(frozen=True)
class Understood:
    """The texts of an edit. source_prompt: None where only the picture can tell; subjects: none where they
    depend on that. told: what is said of the target so far, to be judged before the picture is seen."""

    source_prompt: str | None
    prompt: str
    subjects: tuple[str, ...]
    told: str


def understand(source_prompt: str | None, prompt: str, subjects: Sequence[str] = ()) -> Understood:
    """Everything that follows from the sentences. Raises `NotInferred`.

    prompt: of the target, or an instruction to add something
    """
    given = tuple(subjects)
    if source_prompt is None:
        return _without_source(prompt, given)
    instruction = _instruction(source_prompt, prompt, given)
    if instruction is None:
        named = given or infer_subjects(source_prompt, prompt)
        return Understood(source_prompt, prompt, named, prompt)
    target = join(source_prompt, instruction)
    named = given or tuple(_told_apart(thing, target) for thing in instruction.things())
    return Understood(source_prompt, target, named, target)


def infer_subjects(source_prompt: str, prompt: str) -> tuple[str, ...]:
    """What the target prompt names and the source prompt does not. Raises `NotInferred`, for several things
    also where the target leaves out some of the source: it may be the same scene in other words."""
    told, known = noun_phrases(prompt), noun_phrases(source_prompt)
    things = new_phrases(told, known)
    if not things:
        raise NotInferred("the prompt names nothing that the source prompt does not name already")
    names = [thing.name for thing in things]
    left_out = {phrase.head for phrase in known} - {phrase.head for phrase in told}
    if len(things) > MAX_SUBJECTS or (len(things) > 1 and left_out):
        raise NotInferred("the prompt names several things that the source prompt does not", names)
    return tuple(_told_apart(thing, prompt) for thing in things)


def infer_source(prompt: str, subjects: Sequence[str]) -> str | None:
    """The target prompt without its subjects; None where nothing would be left, or it names one not."""
    rest: str | None = prompt
    for subject in sorted(subjects, key=len, reverse=True):  # else "dog" would take "another dog"
        rest = rest and _without_one(rest, subject)
    return rest


def _without_one(prompt: str, subject: str) -> str | None:
    named = [word.text for word in split(subject)]
    for index, phrase in enumerate(phrases := noun_phrases(prompt)):
        if _names(phrase, named):
            return without(prompt, phrases, index)
    return None


def _without_source(prompt: str, subjects: tuple[str, ...]) -> Understood:
    instruction = read_instruction(prompt)
    if instruction is not None:
        named = subjects or tuple(_told_apart(thing, instruction.thing) for thing in instruction.things())
        return Understood(None, prompt, named, instruction.told)
    if not subjects:
        return Understood(None, prompt, (), prompt)
    source = infer_source(prompt, subjects)
    alone = source is None and (read_thing(prompt) is not None or _names_only(prompt, subjects))
    return Understood(source, f"add {prompt}" if alone else prompt, subjects, prompt)


def _instruction(source_prompt: str, prompt: str, subjects: tuple[str, ...]) -> Instruction | None:
    """What it asks to add; None where it describes a picture, as one that begins as the source's."""
    if prompt.lower().startswith(source_prompt.lower().rstrip(" .")):
        return None
    instruction = read_instruction(prompt)
    if instruction is None and not subjects:
        instruction = read_thing(prompt)
        if instruction and _shared(instruction.phrases, noun_phrases(source_prompt)):
            return None
    return instruction


def _shared(phrases: list[Phrase], known: list[Phrase]) -> bool:
    """Whether something of the source is described anew, not just referred to ("the bed")."""
    heads = {phrase.head for phrase in known}
    return any(phrase.head in heads and not phrase.is_definite for phrase in phrases)


def _told_apart(thing: Phrase, prompt: str) -> str:
    """The thing's name; with its adjectives where the prompt has another thing of that name (`red dog`)."""
    same = [phrase for phrase in noun_phrases(prompt) if phrase.name == thing.name]
    if len(same) < 2:
        return thing.name
    determiner = f"{thing.determiner} " if thing.determiner in ("another", "second", "other") else ""
    return determiner + " ".join(thing.words) + thing.contents


def _names_only(prompt: str, subjects: Sequence[str]) -> bool:
    """Whether a prompt is a list of the subjects: `a dog and a cat`."""
    phrases, named = noun_phrases(prompt), [[word.text for word in split(subject)] for subject in subjects]
    lone = bool(phrases) and not is_framed(prompt)
    return lone and all(any(_names(phrase, one) for one in named) for phrase in phrases)


def _names(phrase: Phrase, named: list[str]) -> bool:
    """Whether the subject's words are in the phrase, its noun among them."""
    words = [*([phrase.determiner] if phrase.determiner else []), *phrase.words, *phrase.contents.split()]
    starts = range(len(words) - len(named) + 1)
    return phrase.head in named and any(words[start : start + len(named)] == named for start in starts)
