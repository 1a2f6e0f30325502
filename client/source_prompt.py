"""A guess at what a picture shows before the insertion, from the sentence for after it."""

from __future__ import annotations

import re

_JOINED = r"(?:,?\s*\b(?:and|with)\b)?\s*(?:\b(?:a|an|the|one)\s+)?"


def without_subject(prompt: str, subject: str) -> str:
    """`a bed and a cat`, `cat` -> `a bed`; the prompt itself if nothing would be left."""
    rest = re.sub(rf"{_JOINED}\b{re.escape(subject)}\b", "", prompt, count=1, flags=re.IGNORECASE)
    return " ".join(rest.split()) or prompt
