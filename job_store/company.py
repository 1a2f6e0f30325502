"""What a job must be like for a worker to take it while its engine has others."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Company:
    """A job over which no worker died: whoever may kill an engine is alone in it.

    size: of its source; empty: it needs the model after the others, and any will do. With a size it takes
    turns with one of that size, so it is in exact mode, without LoRAs, of `rows` seeds at most, and has
    another source than `source_id`: what one learns of a source is no use to the other before its end. It has
    waited for `waited_ms`: an idle worker would have taken it.
    """

    size: str = ""
    rows: int = 0
    source_id: str = ""
    waited_ms: int = 100

    def told(self) -> str:
        """As the claim reads it."""
        return json.dumps(asdict(self))
