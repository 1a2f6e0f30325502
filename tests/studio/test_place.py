"""A person's whole path on the real stack, in a real browser."""

from __future__ import annotations

import re
import subprocess
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import Browser, expect

from client.examples import FOLDER
from tests.studio.conftest import visit
from tests.studio.visitor import PATIENCE

pytestmark = pytest.mark.timeout(600)


def test_a_person_adds_watches_compares_undoes_cuts_anew_and_stops(
    browser: Browser, embedded: tuple[str, subprocess.Popen[bytes]]
) -> None:
    address, process = embedded
    with visit(browser, address) as person:
        page = person.page
        person.open()
        person.see("add", "knows 65 objects")
        person.bring(FOLDER / "meadow.png")
        person.write("source-prompt", "a photo of a meadow")
        person.write("add", "a sheep")
        expect(page.locator("#prompt textarea")).to_have_value(
            "a photo of a meadow with a sheep", timeout=PATIENCE
        )
        expect(page.locator("#subject textarea")).to_have_value("sheep")
        person.see("understood", re.compile(r"forwards where the scene is remembered"))
        person.unfold("knobs")
        person.write("seed", "1")
        person.press("place")
        person.see("live", re.compile(r"step \d+ of \d+"))
        page.locator("#previews img").first.wait_for()
        person.see("verdicts", "Seed 1: added")
        person.see("verdicts", "from “a photo of a meadow” to “a photo of a meadow with a sheep”")
        person.steps(2)
        expect(page.locator("#slider img")).to_have_count(2)

        plain = page.locator("#result img").get_attribute("src")
        page.get_by_label("Mask", exact=True).check()
        page.get_by_label("Attention", exact=True).check()
        expect(page.locator("#result img")).not_to_have_attribute("src", plain or "", timeout=PATIENCE)
        page.locator("#cutout img").wait_for()
        person.unfold("repeat")
        person.see("repeat", "/v1/insertions")

        page.locator("#tries input[type=number]").fill("3")
        person.write("add", "a dog")
        person.press("place")
        page.locator("#preview-1 img").wait_for()
        person.press("let-go-1")
        person.see("verdicts", "Seed 2: let go by you")
        expect(page.locator("#gallery img")).to_have_count(2, timeout=PATIENCE)
        person.steps(3)
        person.see("here", "step 2, with dog")
        person.press("undo")
        person.see("here", "step 1, with sheep")
        person.press("undo")
        person.see("here", "first picture")

        person.unfold("cutting")
        person.press("remask")
        person.see("verdicts", "28 forwards")
        person.idle()
        with page.expect_response(lambda answer: "/file=" in answer.url):
            person.unfold("cutting")
        expect(page.locator("button#remask-painted")).to_be_enabled(timeout=PATIENCE)
        person.drag(page.locator("#mask-editor canvas").first, (0.3, 0.6), (0.45, 0.62))
        person.press("remask-painted")
        expect(person.one("cutting").get_by_role("button", name="Cut as painted")).to_be_hidden(
            timeout=PATIENCE
        )
        person.see("verdicts", "28 forwards")
        person.idle()

        page.locator("#tries input[type=number]").fill("8")
        person.write("add", "a horse")
        person.press("place")
        page.locator("#previews img").first.wait_for()
        person.press("stop")
        person.see("live", "Stopped, as you asked")
        person.idle()
        assert {urlsplit(url).hostname for url in person.asked if url.startswith("http")} == {"127.0.0.1"}
    peers = {link.raddr.ip for link in psutil.Process(process.pid).net_connections() if link.raddr}
    assert peers <= {"127.0.0.1"}


def test_gammas_stand_side_by_side_and_a_scene_goes_on_from_one(
    browser: Browser, embedded: tuple[str, subprocess.Popen[bytes]]
) -> None:
    with visit(browser, embedded[0]) as person:
        person.open()
        person.show("Examples")
        person.page.locator("#examples img").first.click()
        expect(person.page.locator("#add textarea")).to_have_value("a sheep", timeout=PATIENCE)
        person.press("place")
        person.see("verdicts", "Seed 1: added")
        person.unfold("comparing")
        person.write("gammas", "1.05, 1.3")
        person.press("compare")
        person.see("compared", "γ 1.3")
        person.see("compared", "2 of 2 from the remembered scene")
        person.page.locator("#compared img").last.click()
        person.press("go-on")
        person.see("here", "first picture")
        person.steps(1)


def test_what_is_not_added_is_said_with_every_try(
    browser: Browser, embedded: tuple[str, subprocess.Popen[bytes]]
) -> None:
    with visit(browser, embedded[0]) as person:
        person.open()
        person.bring(FOLDER / "meadow.png")
        person.write("source-prompt", "a photo of a meadow")
        person.write("add", "a sheep")
        person.unfold("knobs")
        person.write("seed", "4")
        person.write("gamma", "0.5")
        person.write("denoising-steps", "8")
        person.one("retry").get_by_role("checkbox").check()
        person.press("place")
        person.see("verdicts", "Seed 4: not added")
        person.see("verdicts", re.compile(r"γ 0\.5, from step \d+, seed 4: not added"))
        person.see("verdicts", re.compile(r"γ 0\.525, from step \d+, seed 4: not added"))
        person.see("gallery", "not added")
