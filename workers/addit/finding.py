"""Where the subjects are, and whether they came out: what the loop asks between two steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial

from torch import Tensor

from workers.addit.codec import show_source
from workers.addit.dropping import Foresee
from workers.addit.edits import Edit
from workers.addit.errors import AdditError
from workers.addit.guesses import Guesses
from workers.addit.instances import may_show
from workers.addit.localizers import (
    BOXED,
    Located,
    Search,
    check_supported,
    find_instances,
    given_to_each,
    locate,
)
from workers.addit.masks import resize
from workers.addit.models import Models
from workers.addit.placing import Prior
from workers.addit.sources import SourcePath
from workers.addit.stage_clock import StageClock
from workers.addit.verdicts import Verdict, foresee, judge_whole, seen_there


def locator(
    models: Models, edit: Edit, path: SourcePath, guesses: Guesses, clock: StageClock, prior: Prior | None
) -> Callable[[Tensor, Tensor], list[tuple[Located, ...]]]:
    localizer = edit.config.localizer
    if edit.config.blend_steps and edit.mask is None:
        check_supported(localizer, models.search(edit.subjects[0]))

    @cache
    def searched(subject: str) -> Search:
        """With the things of the subject's kind in the source, looked for once."""
        search = replace(models.search(subject), prior=prior)
        if localizer not in BOXED and not may_show(edit.source.prompt, subject):
            return search
        shown = show_source(models, path.memory, path.x0, guesses.grid)
        return replace(search, already=find_instances(shown, search))

    def find(maps: Tensor, x0: Tensor) -> list[tuple[Located, ...]]:
        with clock("localize"):
            if edit.mask is not None:
                return given_to_each(edit.mask, maps, len(edit.subjects))
            searches = [searched(subject) for subject in edit.subjects]
            return locate(localizer, maps, partial(guesses, x0), searches)

    return find


def foreseer(models: Models, edit: Edit, guesses: Guesses, clock: StageClock) -> Foresee:
    """With a look at the clean guesses where there is a detector; one that does not open has no say."""

    def seen(x0: Tensor, row: int, subject: str, located: Located) -> float | None:
        if models.detector is None or located.missing is not None:
            return None
        with suppress(AdditError):
            picture = guesses(x0, row)
            inside = resize(located.mask, *picture.shape[:2]) > 0.5
            return seen_there(models.detector(picture, subject), inside)
        return None

    def foresee_row(x0: Tensor, row: int, found: tuple[Located, ...]) -> Verdict:
        named = list(zip(edit.subjects, found, strict=True))
        each = [foresee(one, seen(x0, row, subject, one)) for subject, one in named]
        return judge_whole(edit.subjects, each)

    def foresee_rows(x0: Tensor, located: Sequence[tuple[Located, ...]]) -> list[Verdict]:
        with clock("localize"):
            return [foresee_row(x0, row, found) for row, found in enumerate(located)]

    return foresee_rows
