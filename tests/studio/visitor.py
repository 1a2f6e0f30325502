"""A person at the studio's page, in a real browser: finds things by ids and labels, waits for what shows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

PATIENCE = 120_000  # milliseconds: the machine may be shared by many
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@dataclass(frozen=True)
class Visitor:
    """page: the browser's; address: of the studio; asked: every URL that the page asked for"""

    page: Page
    address: str
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path: str = "") -> None:
        """Go to a page. The one before is left at once: while it waited for the next it would take its closed
        stream for a lost connection, and load itself again."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}/{path}")
        self.page.get_by_role("heading", level=1).first.wait_for()

    def one(self, name: str) -> Locator:
        """The part of that id."""
        return self.page.locator(f"#{name}")

    def see(self, name: str, text: str | re.Pattern[str]) -> None:
        """Wait for a text in a part that is not hidden."""
        expect(self.one(name).filter(visible=True)).to_contain_text(text, timeout=PATIENCE)

    def bring(self, picture: Path) -> None:
        """Upload a picture."""
        self.page.locator("#picture input[type=file]").set_input_files(picture)
        self.page.locator("#picture img").wait_for()

    def write(self, name: str, text: str) -> None:
        """Fill a field, and leave it. What is typed into one that has just come is lost until it is drawn."""
        box = self.one(name).locator("textarea, input").first
        box.wait_for()
        self.page.evaluate(DRAWN)
        box.fill(text)
        box.blur()

    def press(self, name: str) -> None:
        """A button, once it may be pressed."""
        button = self.page.locator(f"button#{name}, #{name} button").first
        expect(button).to_be_enabled(timeout=PATIENCE)
        button.click()

    def unfold(self, name: str) -> None:
        """An accordion, once it is folded."""
        expect(self.page.locator(f"#{name} > .label-wrap.open")).to_have_count(0, timeout=PATIENCE)
        self.one(name).get_by_role("button").first.click()

    def fold(self, name: str) -> None:
        """An accordion that is open."""
        self.page.locator(f"#{name} > .label-wrap.open").click()

    def show(self, tab: str) -> None:
        """A tab."""
        self.page.get_by_role("tab", name=tab, exact=True).click()

    def drag(self, part: Locator, start: tuple[float, float], end: tuple[float, float]) -> None:
        """With the mouse, from one place to another. start, end: shares of the part's width and height"""
        part.scroll_into_view_if_needed()
        box = part.bounding_box()
        assert box is not None
        places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        self.page.mouse.move(*places[1], steps=8)
        self.page.mouse.up()

    def steps(self, count: int) -> Locator:
        """The strip, once it has so many pictures."""
        pictures = self.page.locator("#strip img")
        expect(pictures).to_have_count(count, timeout=PATIENCE)
        return pictures

    def idle(self) -> None:
        """Wait until nothing runs."""
        expect(self.page.locator("button#place")).to_be_enabled(timeout=PATIENCE)
