"""As much of PromQL as tells what an expression asks for: metrics, labels, and whether its brackets close."""

from __future__ import annotations

import re
from dataclasses import dataclass

PAIRS = {")": "(", "]": "[", "}": "{"}
TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
MATCHERS = re.compile(r"\{([^}]*)\}")
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
NAME = re.compile(r"(?<![\w$.:{])[a-zA-Z_:][\w:]*(?![\w:]*\s*\()")
WORDS = frozenset({"by", "without", "on", "ignoring", "and", "or", "unless", "bool", "offset"})


@dataclass(frozen=True)
class Query:
    """What an expression names."""

    metrics: frozenset[str]
    labels: frozenset[str]


def is_bracketed(expression: str) -> bool:
    """Whether every bracket outside of texts has its partner."""
    open_ones: list[str] = []
    for letter in TEXT.sub('""', expression):
        if letter in PAIRS.values():
            open_ones.append(letter)
        elif letter in PAIRS and (not open_ones or open_ones.pop() != PAIRS[letter]):
            return False
    return not open_ones


def parse(expression: str) -> Query:
    """The metrics it reads, and the labels it selects, groups and joins by."""
    plain = TEXT.sub('""', expression)
    labels = {
        re.split(r"[=!]", matcher)[0].strip()
        for found in MATCHERS.findall(plain)
        for matcher in found.split(",")
    }
    for group in GROUPING.findall(plain):
        labels |= {label.strip() for label in group.split(",")}
    bare = re.sub(r"\[[^]]*\]", "", GROUPING.sub(" ", MATCHERS.sub("", plain)))
    return Query(frozenset(NAME.findall(bare)) - WORDS, frozenset(labels - {""}))
