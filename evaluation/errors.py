"""What a person who runs the evaluation can mend; its text is all that is shown of it."""

from __future__ import annotations


class EvaluationError(Exception):
    """Says what is missing or wrong, and what to do about it."""
