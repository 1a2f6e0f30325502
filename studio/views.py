"""What the page shows: of a desk, of a job that begins and ends, and of nothing yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from api_schemas.scenes import FIRST
from client.async_client import AsyncAddit
from studio import history, results, words
from studio.connection import Connection
from studio.controls import Controls
from studio.desk import Desk
from studio.forming import unformed
from studio.guard import Updates
from studio.repeat import as_curl, as_json
from studio.showing import Showing


@dataclass(frozen=True)
class Views:
    """The page's parts, and what they show.

    kept, kept_job: the scene's id and the running job's, in the browser
    """

    connection: Connection
    controls: Controls
    showing: Showing
    desk: Any
    kept: Any
    kept_job: Any
    thumbnails: history.Thumbnails

    def is_let_in(self, desk: Desk) -> bool:
        """Whether there is a key to ask the service with."""
        return bool(self.connection.key or desk.key)

    def begun(self) -> Updates:
        """As soon as something is asked for, before the service knows."""
        return {self.showing.live: words.note(words.SENDING), **self.busy(True)}

    def busy(self, busy: bool) -> Updates:
        """While a job runs, and after it."""
        return {
            self.controls.place: gr.update(interactive=not busy),
            self.controls.stop: gr.update(interactive=busy),
            **({} if busy else unformed(self.showing.previews)),
        }

    @property
    def idle(self) -> Updates:
        """After an error: usable, nothing running."""
        return {**self.busy(False), self.showing.live: ""}

    def emptied(self) -> Updates:
        """Without the understood texts and the boxes, which spoke of another picture."""
        said = [*self.controls.texts, *self.controls.boxes]
        return {**dict.fromkeys(said, ""), self.controls.understood: ""}

    def anew(self) -> Updates:
        """Nothing placed, nothing chosen."""
        return {
            self.kept: "",
            self.kept_job: "",
            self.controls.picture: None,
            self.controls.scene: "",
            self.controls.add: "",
            self.showing.live: words.note(words.NOTHING_YET),
            self.showing.verdicts: "",
            self.showing.here: words.note(words.NO_HISTORY),
            self.showing.strip: gr.update(value=[], visible=False),
            self.showing.undo: gr.update(interactive=False),
            **self.emptied(),
        }

    def job(self, desk: Desk) -> Updates:
        """Everything about the job as a whole."""
        assert desk.job is not None
        return {
            self.showing.gallery: [(one.picture, results.caption(one.told)) for one in desk.shown],
            self.showing.verdicts: results.verdicts(desk.job),
            self.showing.json: as_json(desk.job),
            self.showing.curl: as_curl(desk.job, self.connection.public_url or self.connection.url),
        }

    def look(self, desk: Desk, overlays: Sequence[str] = ()) -> Updates:
        """Everything about the chosen result."""
        look = desk.look
        assert look is not None
        return {
            self.showing.slider: gr.update(
                value=(look.before or look.picture, look.picture),
                slider_position=results.uncovered_from(look.mask),
            ),
            self.showing.picture: results.drawn(look, overlays),
            self.showing.cutout: look.cutout,
            self.showing.overlays: list(overlays),
            self.showing.cutting.painted: gr.update(interactive=False),
        }

    async def history(self, addit: AsyncAddit, desk: Desk) -> Updates:
        """The scene's steps. Raises ClientError."""
        assert desk.scene is not None
        strip = await history.strip(addit, desk.scene, self.thumbnails)
        return {
            self.showing.strip: gr.update(value=strip, visible=bool(strip)),
            self.showing.here: words.note(history.here(desk.scene)),
            self.showing.undo: gr.update(interactive=desk.scene.head.step != FIRST),
            self.kept: desk.scene.id,
        }


def under_brush(picture: Any) -> dict[str, Any] | None:
    """For an editor: the picture, its path or None; nothing painted on it."""
    return {"background": picture, "layers": [], "composite": None} if picture else None
