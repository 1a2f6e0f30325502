"""From what a caller said to what the method needs: source prompt, target prompt, subject.

`understand` fills in whatever can be known from the sentences alone; a source prompt that only the picture
can tell stays None. Running it on its own answer changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from api_schemas.sentences.errors import NotInferred
from api_schemas.sentences.instructions import Instruction, read_instruction, read_thing
from api_schemas.sentences.joining import join
from api_schemas.sentences.parting import without
from api_schemas.sentences.phrases import Phrase, new_phrases, noun_phrases
from api_schemas.sentences.words import split


@dataclass(frozen=True)
class Understood:
    """The texts of an edit. source_prompt: None where only the picture can tell; subject: None where it
    depends on that. told: what is said of the target so far, to be judged before the picture is seen."""

    source_prompt: str | None
    prompt: str
    subject: str | None
    told: str


def understand(source_prompt: str | None, prompt: str, subject: str | None) -> Understood:
    """Everything that follows from the sentences. Raises `NotInferred`.

    prompt: of the target, or an instruction to add something
    """
    if source_prompt is None:
        return _without_source(prompt, subject)
    instruction = _instruction(source_prompt, prompt, subject)
    if instruction is None:
        named = subject or infer_subject(source_prompt, prompt)
        return Understood(source_prompt, prompt, named, prompt)
    target = join(source_prompt, instruction)
    named = subject or _told_apart(instruction.the_one(), target)
    return Understood(source_prompt, target, named, target)


def infer_subject(source_prompt: str, prompt: str) -> str:
    """The one thing that the target prompt names and the source prompt does not. Raises `NotInferred`."""
    things = new_phrases(noun_phrases(prompt), noun_phrases(source_prompt))
    if len(things) == 1:
        return _told_apart(things[0], prompt)
    if things:
        names = [thing.name for thing in things]
        raise NotInferred("the prompt names several things that the source prompt does not", names)
    raise NotInferred("the prompt names nothing that the source prompt does not name already")


def infer_source(prompt: str, subject: str) -> str | None:
    """The target prompt without its subject; None where nothing would be left, or it names no subject."""
    named = [word.text for word in split(subject)]
    for index, phrase in enumerate(phrases := noun_phrases(prompt)):
        if _names(phrase, named):
            return without(prompt, phrases, index)
    return None


def _without_source(prompt: str, subject: str | None) -> Understood:
    instruction = read_instruction(prompt)
    if instruction is not None:
        named = subject or instruction.the_one().name
        return Understood(None, prompt, named, instruction.told)
    if subject is None:
        return Understood(None, prompt, None, prompt)
    source = infer_source(prompt, subject)
    alone = source is None and read_thing(prompt) is not None
    return Understood(source, f"add {prompt}" if alone else prompt, subject, prompt)


def _instruction(source_prompt: str, prompt: str, subject: str | None) -> Instruction | None:
    """What it asks to add; None where it describes a picture, as one that begins as the source's."""
    if prompt.lower().startswith(source_prompt.lower().rstrip(" .")):
        return None
    instruction = read_instruction(prompt)
    if instruction is None and subject is None:
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


def _names(phrase: Phrase, named: list[str]) -> bool:
    """Whether the subject's words are in the phrase, its noun among them."""
    words = [*([phrase.determiner] if phrase.determiner else []), *phrase.words, *phrase.contents.split()]
    starts = range(len(words) - len(named) + 1)
    return phrase.head in named and any(words[start : start + len(named)] == named for start in starts)
