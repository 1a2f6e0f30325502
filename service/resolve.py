"""A request judged against a model's card and completed: texts, preset, options, seeds, sizes. Pure; no I/O.

What needs a tokenizer or weights is judged by the engine; all that can be known before is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from api_schemas.insertions import MAX_PROMPT, GeneratedSource, InsertionRequest, Options, kind_of
from api_schemas.models import ModelCard
from api_schemas.sentences.errors import NotInferred
from api_schemas.sentences.inference import Understood, understand
from api_schemas.subjects import MAX_SUBJECT, MAX_SUBJECTS, as_said, as_tuple
from service.errors import Refusal, invalid_field
from service.offers import check_offers

SPECIAL_TOKENS = 2
"""Start and end, which every tokenizer of the family adds."""


def resolve(
    request: InsertionRequest,
    card: ModelCard,
    picture_size: tuple[int, int] | None,
    draw_seed: Callable[[], int],
) -> InsertionRequest:
    """The request as the engine will run it: nothing is left open but what only the picture can tell.

    picture_size: (width, height) of the taken-in picture of an image source. Raises `Refusal`.
    """
    texts = _understood(request)
    _check_words(texts, card)
    if texts.source_prompt is None and not card.captioner:
        text = f"{card.name} cannot tell by itself what a picture shows; give source.prompt."
        raise Refusal("source_prompt_required", text)
    check_offers(request, card)
    preset = request.preset or card.default_presets[kind_of(request.source)]
    options = _options(request, card, preset)
    _check_steps(options)
    source = request.source.model_copy(update={"prompt": texts.source_prompt})
    size = picture_size
    if isinstance(source, GeneratedSource):
        size = _size(source, card)
        source = source.model_copy(update={"width": size[0], "height": size[1]})
    if size:
        _check_aspect(size, card.max_aspect)
    told = {"source": source, "prompt": texts.prompt, "subject": as_said(texts.subjects)}
    filled = {**told, "preset": preset, "options": options, "model": card.name}
    return request.model_copy(update={**filled, "seeds": request.seeds or [draw_seed()]})


def words(text: str) -> list[str]:
    """Lower-case words, punctuation aside."""
    return re.findall(r"\w+", text.lower())


def _understood(request: InsertionRequest) -> Understood:
    try:
        return understand(request.source.prompt, request.prompt, as_tuple(request.subject))
    except NotInferred as error:
        raise Refusal(
            "subject_not_inferred",
            f"Not understood: {error}. Name at most {MAX_SUBJECTS} new things, or say them in `subject`.",
            data={"candidates": list(error.candidates)},
        ) from None


def _check_words(texts: Understood, card: ModelCard) -> None:
    for subject in texts.subjects:
        _check_named(subject, texts)
    before = texts.source_prompt or ""
    for path, text, most in (
        ("prompt", texts.prompt, MAX_PROMPT),
        ("source.prompt", before, MAX_PROMPT),
        *(("subject", subject, MAX_SUBJECT) for subject in texts.subjects),
    ):
        _check_length(path, text, most, card.max_prompt_tokens)
    if card.vocabulary is not None:
        _check_known(words(f"{texts.told} {before}"), card.vocabulary)


def _check_named(subject: str, texts: Understood) -> None:
    """Every subject has an occurrence of its own; two equal ones have two."""
    if _occurrences(words(texts.told), words(subject)) >= texts.subjects.count(subject):
        return
    raise Refusal(
        "subject_not_in_prompt",
        f"The subject {subject!r} does not occur in the prompt {texts.prompt!r}"
        f"{' as often as it is to be added' if texts.subjects.count(subject) > 1 else ''}.",
        data={"subject": subject, "prompt": texts.prompt},
    )


def _occurrences(haystack: list[str], needle: list[str]) -> int:
    starts = range(len(haystack) - len(needle) + 1) if needle else ()
    return sum(haystack[start : start + len(needle)] == needle for start in starts)


def _check_length(path: str, prompt: str, max_characters: int, max_tokens: int) -> None:
    """A word or run of punctuation is at least one token: exact in a closed vocabulary, else a bound."""
    if len(prompt) > max_characters:
        raise invalid_field(path, f"comes to more than {max_characters} characters")
    tokens = len(re.findall(r"\w+|[^\w\s]+", prompt)) + SPECIAL_TOKENS
    if tokens > max_tokens:
        raise invalid_field(path, f"has at least {tokens} tokens; the model reads {max_tokens}")


def _check_known(used: list[str], vocabulary: list[str]) -> None:
    known = {word.lower() for word in vocabulary}
    unknown = [word for word in dict.fromkeys(used) if word not in known]
    if unknown:
        raise Refusal(
            "unknown_words",
            f"This model does not know: {', '.join(unknown)}. It knows: {', '.join(sorted(known))}.",
            data={"unknown": unknown, "known_words": sorted(known)},
        )


def _options(request: InsertionRequest, card: ModelCard, preset: str) -> Options:
    """What was asked for, over the preset; a real picture's background is strict unless told otherwise."""
    if preset not in card.presets:
        known = sorted(card.presets)
        text = f"There is no preset {preset!r}; {card.name} has: {', '.join(known)}."
        raise Refusal("unknown_preset", text, data={"known": known})
    given = request.options
    asked = {name: value for name in Options.model_fields if (value := getattr(given, name)) is not None}
    options = card.presets[preset]
    if request.options.num_inference_steps is not None:
        options = options.at_steps(request.options.num_inference_steps)
    options = options.model_copy(update=asked)
    if "structure_transfer_t" in asked:
        options = options.model_copy(update={"structure_transfer_step": None})
    if options.localizer is not None and options.localizer not in card.localizers:
        raise Refusal(
            "unsupported_option",
            f"{card.name} does not have the localizer {options.localizer!r}; it has: "
            f"{', '.join(card.localizers)}.",
            data={"option": "localizer", "known": list(card.localizers)},
        )
    strict = (
        kind_of(request.source) == "image" if options.strict_background is None else options.strict_background
    )
    return options.model_copy(update={"strict_background": strict})


def _check_steps(options: Options) -> None:
    steps = options.num_inference_steps
    if steps is None:
        return
    if (options.structure_transfer_step or 0) >= steps:
        message = f"{options.structure_transfer_step} is not below num_inference_steps ({steps})"
        raise invalid_field("options.structure_transfer_step", message)
    for index, step in enumerate(options.blend_steps or ()):
        if step >= steps:
            message = f"{step} is not below num_inference_steps ({steps})"
            raise invalid_field(f"options.blend_steps.{index}", message)
        if step < (options.structure_transfer_step or 0):
            message = f"{step} comes before structure_transfer_step ({options.structure_transfer_step})"
            raise invalid_field(f"options.blend_steps.{index}", message)


def _size(source: GeneratedSource, card: ModelCard) -> tuple[int, int]:
    """(width, height) to generate: a working size, for there is no original size to be given back at."""
    width, height = source.width or card.native_width, source.height or card.native_height
    if width % card.size_multiple or height % card.size_multiple or width * height > card.max_pixels:
        raise Refusal(
            "unsupported_size",
            f"{width}x{height}: only multiples of {card.size_multiple} up to {card.max_pixels} pixels.",
            data={"size_multiple": card.size_multiple, "max_pixels": card.max_pixels},
        )
    return width, height


def _check_aspect(size: tuple[int, int], max_aspect: float) -> None:
    width, height = size
    if max(size) > max_aspect * min(size):
        raise Refusal(
            "unsupported_size",
            f"{width}x{height} is too elongated: at most {max_aspect:g} to 1.",
            data={"max_aspect": max_aspect},
        )
