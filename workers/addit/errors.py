"""What can be wrong with an edit, as the method itself sees it. Each error carries the code the API reports.

AdditError
├── SubjectNotInPrompt   the subject's tokens do not occur in the target prompt's
├── UnsupportedSize      a picture whose grid the model cannot work on
├── UnsupportedOption    a setting this model or its helpers cannot follow
├── RegionEmpty          a region that leaves the subject no place in the picture
└── InvalidOutput        the model gave something that is not a picture
"""

from __future__ import annotations


class AdditError(Exception):
    """An edit that cannot be done; `code` is stable."""

    code = "internal"


class SubjectNotInPrompt(AdditError):
    """The subject cannot be located in attention because the prompt does not name it."""

    code = "subject_not_in_prompt"

    def __init__(self, subject: str, prompt: str) -> None:
        super().__init__(f"{subject!r} does not occur in {prompt!r}")
        self.subject, self.prompt = subject, prompt


class UnsupportedSize(AdditError):
    """Height and width must be positive multiples of the model's patch."""

    code = "unsupported_size"


class UnsupportedOption(AdditError):
    """A step outside the schedule, or a localizer whose helper is not loaded."""

    code = "unsupported_option"


class RegionEmpty(AdditError):
    """Outside the picture, without a pixel, or all of it to be avoided."""

    code = "region_empty"


class InvalidOutput(AdditError):
    """Not finite: the wrong dtype or a broken checkpoint. Never delivered."""

    code = "invalid_output"
