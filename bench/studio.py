"""`python -m bench.studio`: walks through the studio on a real stack, and saves what each step looks like to
docs/assets/studio/."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright
from pydantic import SecretStr

from client.examples import FOLDER
from client.operator import running
from runtime.settings import Settings
from tests.studio.conftest import NAMES, studio, visit, write_scenes, write_study
from tests.studio.visitor import PATIENCE, Visitor

ASSETS = Path("docs/assets/studio")
SETTINGS = Settings(port=0, threads=1, grace_seconds=3, admin_key=SecretStr("operate"))
WIDE, PHONE = 1280, 390


def main() -> None:
    """Writes the pictures anew."""
    ASSETS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, browsing() as browser:
        study, scenes = write_study(Path(folder) / "study"), write_scenes(Path(folder) / "scenes")
        with running(Path(folder) / "stack", SETTINGS, workers=1) as (stack, key):
            words = ("--key", key, "--admin-url", stack.admin_url or "")
            with studio(stack.url, *words, "--study", str(study), "--scenes", str(scenes)) as (address, _):
                judge(browser, address)
                outline(browser, address)
                walk(browser, address)
                operate(browser, address)
                on_a_phone(browser, address)
                with visit(browser, address, color_scheme="dark") as person:
                    place(person)
                    shoot(person, "dark")
        with studio("http://127.0.0.1:9", "--key", "any") as (address, _):
            with visit(browser, address) as person:
                person.open()
                person.see("trouble", "does not answer")
                shoot(person, "offline")


@contextmanager
def browsing() -> Iterator[Browser]:
    """Headless Chromium."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        with playwright.chromium.launch(executable_path=found, args=["--no-sandbox"]) as browser:
            yield browser


def shoot(person: Visitor, name: str) -> None:
    """The whole page as a picture, in few colours: it is for reading, and lies in the repository."""
    person.page.wait_for_timeout(700)  # what fades in has faded in
    file = ASSETS / f"{name}.png"
    person.page.screenshot(path=file, full_page=True)
    Image.open(file).convert("RGB").quantize(192).save(file, optimize=True)


def place(person: Visitor) -> None:
    """An example with its words, placed in three tries."""
    person.open()
    person.show("Examples")
    person.page.locator("#examples img").first.click()
    expect(person.page.locator("#add textarea")).to_have_value("a sheep", timeout=PATIENCE)
    person.page.locator("#tries input[type=number]").fill("3")
    person.press("place")
    person.steps(2)
    person.idle()


def walk(browser: Browser, address: str) -> None:
    """From an empty page to a scene of two objects."""
    with visit(browser, address) as person:
        page = person.page
        person.open()
        person.see("add", "objects")
        shoot(person, "1_empty")
        person.bring(FOLDER / "meadow.png")
        person.write("source-prompt", "a photo of a meadow")
        person.write("add", "a sheep")
        person.see("understood", "forwards")
        shoot(person, "2_understood")
        person.unfold("knobs")
        person.write("seed", "1")
        page.locator("#tries input[type=number]").fill("4")
        shoot(person, "3_knobs")
        person.fold("knobs")
        person.press("place")
        expect(page.locator("#previews img")).to_have_count(4, timeout=PATIENCE)
        person.see("live", re.compile("step"))
        shoot(person, "4_forming")
        person.steps(2)
        person.idle()
        shoot(person, "5_results")
        page.get_by_label("Mask", exact=True).check()
        page.get_by_label("Attention", exact=True).check()
        person.unfold("repeat")
        page.wait_for_timeout(2500)
        shoot(person, "6_overlays")
        person.fold("repeat")
        person.unfold("comparing")
        person.press("compare")
        expect(page.locator("#compared img")).to_have_count(3, timeout=PATIENCE)
        shoot(person, "7_compare")
        person.fold("comparing")
        person.unfold("cutting")
        page.wait_for_timeout(2500)
        person.drag(page.locator("#mask-editor canvas").first, (0.3, 0.6), (0.5, 0.65))
        shoot(person, "cutting")
        person.fold("cutting")
        person.unfold("where")
        person.drag(page.locator("#outline svg"), (0.55, 0.55), (0.95, 0.9))
        expect(page.locator("#outline rect")).to_have_count(1, timeout=PATIENCE)
        shoot(person, "where")
        person.write("box", "")
        person.show("Paint")
        page.wait_for_timeout(2500)
        person.drag(page.locator("#editor canvas").first, (0.6, 0.7), (0.8, 0.72))
        shoot(person, "8_painted")
        page.locator("#tries input[type=number]").fill("3")
        person.write("add", "a dog")
        person.press("place")
        person.steps(3)
        person.idle()
        shoot(person, "9_second")


def on_a_phone(browser: Browser, address: str) -> None:
    """The same page, narrow."""
    with visit(browser, address, width=PHONE) as person:
        place(person)
        shoot(person, "phone")


def judge(browser: Browser, address: str) -> None:
    """The study, and what its votes come to."""
    with visit(browser, address) as person:
        person.open("study")
        person.page.locator("#study-left img").wait_for()
        shoot(person, "study")
        person.page.keyboard.press("1")
        person.see("question", "2 of 2")
        person.unfold("win-rates")
        person.press("count")
        person.see("rates", "%")
        shoot(person, "study_rates")


def outline(browser: Browser, address: str) -> None:
    """Plausible boxes, two in a scene."""
    with visit(browser, address) as person:
        person.open("boxes")
        person.see("boxes-progress", "Scene 1 of 2")
        person.write("scene-source", "a photo of a meadow")
        person.write("scene-prompt", "a photo of a meadow with a sheep")
        person.write("scene-subject", "sheep")
        picture, boxes = person.page.locator("#scene-picture svg"), person.page.locator("#scene-picture rect")
        for count, (start, end) in enumerate([((0.1, 0.6), (0.45, 0.9)), ((0.55, 0.55), (0.9, 0.8))], 1):
            person.drag(picture, start, end)
            expect(boxes).to_have_count(count, timeout=PATIENCE)
        person.see("boxes-progress", "1 done")
        shoot(person, "boxes")


def operate(browser: Browser, address: str) -> None:
    """The operators' page, some glances in."""
    with visit(browser, address) as person:
        person.open("operate")
        person.write("admin-key", "operate")
        person.press("watch")
        person.see("figures", "worker")
        person.page.wait_for_timeout(6000)
        shoot(person, "operate")


if __name__ == "__main__":
    main()
