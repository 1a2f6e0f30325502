"""Words of a sentence, and the closed classes by which English tells where a noun phrase begins and ends.

Open classes are not listed but for the commonest adjectives: an unknown word counts as part of a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


def each_word(words: str) -> frozenset[str]:
    """The set of the words between spaces."""
    return frozenset(words.split())


DETERMINERS = each_word(
    "a an the this these those some another each every any no my your his her its our their one two three "
    "four five six seven eight nine ten several many few both"
)
DEFINITE = each_word("the this these those my your his her its our their")
WITH = each_word("with featuring including plus containing")
AND = frozenset({"and", "or", "but", "&", ","})
PLACING = each_word(
    "in on at by under over above below beneath underneath behind beside besides near nearby next close "
    "between among amongst around across against along alongside inside outside into onto through toward "
    "towards to from of off up down upon atop within beyond past during for as like amid"
)
VERBS = each_word(
    "is are was were be been being has have had do does that which who while where when there it they he "
    "she him them me you full made taken seen shown built sat hung lit held worn grown drawn driven thrown "
    "stuck caught sits stands lies lays flies runs walks hangs floats rests swims looks plays holds wears "
    "rides jumps sleeps sails hovers leans grows drives eats perches watches shows"
)
"""Words after which no noun phrase goes on: of verbs the auxiliaries and the commonest forms."""

ING_NOUNS = each_word(
    "ring king wing string building painting ceiling clothing earring lightning pudding wedding swing spring "
    "sling thing morning evening drawing railing awning duckling carving sibling herring bling"
)
ED_NOUNS = each_word("steed moped biped flowerbed sunbed airbed bobsled seaweed")
PLACES = each_word(
    "left right front back top bottom middle center centre side corner edge background foreground distance "
    "rest"
)
SETTINGS = each_word(
    "day daytime night nighttime sunset sunrise dawn dusk noon midday midnight morning evening afternoon "
    "winter summer autumn fall rain snow fog mist weather light lighting sunlight moonlight daylight "
    "sunshine hour style resolution"
)
PICTURES = each_word(
    "photo photograph picture image painting illustration drawing render rendering shot close-up closeup "
    "view scene snapshot portrait sketch"
)
ADJECTIVES = each_word(
    "red orange yellow green blue purple pink brown black white gray grey silver beige turquoise "
    "violet crimson teal colorful colourful dark bright pale light small big large little tiny huge giant "
    "gigantic enormous tall short long wide old new young ancient modern vintage antique rustic cute "
    "beautiful pretty lovely cosy cozy happy sad angry friendly fluffy furry shiny soft smooth rough round "
    "square wooden metal metallic plastic leather ceramic fresh ripe empty open closed realistic majestic "
    "elegant simple fancy adorable playful lone single nice good great other second third real wild tame "
    "warm cold wet dry clean dirty striped spotted"
)
"""Left out of a subject: attention finds an object by its name."""


@dataclass(frozen=True)
class Word:
    """A word or a punctuation mark: in lower case, and where it stands in the sentence (characters)."""

    text: str
    start: int
    end: int


def split(text: str) -> list[Word]:
    """Words with their inner hyphens and apostrophes, and every punctuation mark by itself."""
    pattern = r"[^\W_]+(?:['’\-][^\W_]+)*|[^\w\s]|_"
    return [Word(match[0].lower(), *match.span()) for match in re.finditer(pattern, text)]


def is_name(word: str) -> bool:
    """Whether it may be part of a noun phrase's name."""
    return word[0].isalnum() and not any(
        word in closed for closed in (DETERMINERS, WITH, AND, PLACING, VERBS)
    )


def with_article(name: str) -> str:
    """The name with "a" or "an" before it; as it is where it looks like a plural."""
    if re.search(r"(?<![su])s$", name) and not name.endswith("is"):
        return name
    return f"{'an' if _begins_with_vowel(name) else 'a'} {name}"


def _begins_with_vowel(name: str) -> bool:
    """By sound, as spelling tells it: a ufo, a unicorn, an hour."""
    lowered = name.lower()
    return re.match(r"(?!u(fo|ni|s[aeiu]|k)|eu|one\b|once)[aeiou]|hour|honest|heir", lowered) is not None
