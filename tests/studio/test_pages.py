"""Keys, errors, the study, the operators' page, phones and darkness, in a real browser."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from client.client import Addit
from client.errors import ClientError
from client.examples import FOLDER
from studio.suite import scenes
from studio.votes import Study
from tests.studio.accessibility import faint, nameless
from tests.studio.conftest import studio, visit
from tests.studio.samples import request
from tests.studio.visitor import PATIENCE, Visitor

COVERED = """
() => [...document.querySelectorAll(".thumbnail-lg")].filter(it => {
  const [picture, words] = [it.querySelector("img"), it.querySelector(".caption-label")];
  return words && picture.getBoundingClientRect().bottom > words.getBoundingClientRect().top + 1;
}).map(it => it.innerText)
"""
COPIED = """
async data => {
  const picture = await (await fetch("data:image/png;base64," + data)).blob();
  await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
}
"""
pytestmark = pytest.mark.timeout(600)


def enter(person: Visitor, key: str) -> None:
    person.open()
    person.write("key", key)
    person.press("enter")


def fill(person: Visitor, prompt: str) -> None:
    """A picture, and words for the scripted model, which takes the whole prompt for a command."""
    inferred = person.page.locator("#prompt textarea")
    person.bring(FOLDER / "meadow.png")
    person.write("source-prompt", "a place")
    person.write("add", "a thing")
    expect(inferred).to_have_value("a place with a thing", timeout=PATIENCE)
    word(person, prompt)


def word(person: Visitor, prompt: str) -> None:
    person.write("prompt", prompt)
    person.write("subject", prompt.split()[0])


def tell(person: Visitor, prompt: str) -> None:
    """As `fill`, and placed."""
    fill(person, prompt)
    person.press("place")


def begin_anew(person: Visitor) -> None:
    """A new scene, once what was told of the one before is gone."""
    person.press("anew")
    person.see("live", "Nothing placed yet")


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def test_a_wrong_key_is_told_and_the_right_one_lets_in(
    browser: Browser, scripted: tuple[str, str, str]
) -> None:
    address, key, _ = scripted
    with visit(browser, address) as person:
        enter(person, "addit_wrong")
        person.see("trouble", "does not know this key")
        enter(person, key)
        expect(person.one("key")).to_be_hidden(timeout=PATIENCE)
        person.press("place")
        person.see("trouble", "Choose a picture first")
        person.bring(FOLDER / "meadow.png")
        person.press("place")
        person.see("trouble", "Say what to add")


def test_texts_inferred_for_other_words_go_however_the_new_ones_come(
    browser: Browser, scripted: tuple[str, str, str]
) -> None:
    address, key, _ = scripted
    with visit(browser, address) as person:
        enter(person, key)
        person.bring(FOLDER / "meadow.png")
        person.write("source-prompt", "a place")
        person.write("add", "a thing")
        texts = [person.page.locator(f"#{name} textarea") for name in ("prompt", "subject")]
        for change in ("paste", "delete"):
            expect(texts[0]).to_have_value(re.compile("a place with a thing"), timeout=PATIENCE)
            person.page.locator("#add textarea").focus()
            if change == "paste":
                person.page.keyboard.insert_text("umbob")
            else:
                person.page.keyboard.press("Backspace")
            for text in texts:
                expect(text).to_have_value("", timeout=PATIENCE)
            person.page.locator("#add textarea").blur()


def test_what_the_service_refuses_and_what_a_worker_fails_is_told_and_the_page_goes_on(
    browser: Browser, scripted: tuple[str, str, str]
) -> None:
    address, key, _ = scripted
    with visit(browser, address, width=390) as person:
        enter(person, key)
        tell(person, "nan thing")
        person.see("live", "not finite")
        person.idle()
        begin_anew(person)
        tell(person, "slow 200")
        person.see("live", re.compile("step"))
        person.press("stop")
        person.see("live", "Stopped, as you asked")
        person.idle()
        begin_anew(person)
        tell(person, "draw thing")
        person.see("verdicts", "added")
        person.steps(2)
        assert overflow(person.page) <= 0
        expect(person.one("results")).to_be_in_viewport(timeout=PATIENCE)
        assert person.page.evaluate(COVERED) == []


def test_a_service_that_is_gone_is_told_and_a_picture_can_be_pasted_meanwhile(browser: Browser) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    with (
        studio("http://127.0.0.1:9", "--key", "any") as (address, _),
        visit(browser, address, permissions=allowed) as person,
    ):
        person.open()
        person.see("trouble", "The service does not answer")
        person.page.evaluate(COPIED, b64encode((FOLDER / "meadow.png").read_bytes()).decode())
        person.page.get_by_label("Paste from clipboard").click()
        person.page.locator("#picture img").wait_for()
        for path, lacking in (("study", "No study here"), ("boxes", "No scenes here")):
            person.open(path)
            person.page.get_by_text(lacking).wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_overflows_is_faint_or_nameless_in_light_and_dark(
    browser: Browser, scripted: tuple[str, str, str], scheme: str
) -> None:
    with visit(browser, scripted[0], width=390, color_scheme=scheme) as person:
        for path in ("", "study", "boxes", "operate"):
            person.open(path)
            assert overflow(person.page) <= 0, path
            assert faint(person.page) == [], path
            assert nameless(person.page) == [], path


def test_a_stop_before_the_service_has_the_job_is_heeded(
    browser: Browser, scripted: tuple[str, str, str]
) -> None:
    address, key, _ = scripted
    with visit(browser, address) as person:
        enter(person, key)
        tell(person, "slow 400")
        person.press("stop")
        person.see("live", "Stopped, as you asked")
        person.idle()


def test_a_job_that_runs_or_ended_meanwhile_is_picked_up_when_the_page_is_opened_again(
    browser: Browser, scripted: tuple[str, str, str]
) -> None:
    address, key, _ = scripted
    with visit(browser, address) as person:
        enter(person, key)
        tell(person, "slow 4000")
        person.see("live", re.compile("step"))
        enter(person, key)
        person.see("live", re.compile("step"))
        person.press("stop")
        person.see("live", "Stopped, as you asked")
        person.idle()
        begin_anew(person)
        tell(person, "slow 20")
        person.see("live", re.compile("step"))
        enter(person, key)
        person.see("verdicts", "added")
        person.steps(2)


def test_where_it_may_go_is_dragged_typed_and_painted_red(
    browser: Browser, scripted: tuple[str, str, str]
) -> None:
    address, key, url = scripted
    with visit(browser, address) as person:
        page = person.page
        enter(person, key)
        fill(person, "draw thing")
        person.unfold("where")
        person.drag(page.locator("#outline svg"), (0.25, 0.5), (0.5, 0.75))
        expect(page.locator("#outline rect[data-of=box]")).to_have_count(1, timeout=PATIENCE)
        page.get_by_label("Where nothing of it may be", exact=True).check()
        person.drag(page.locator("#outline svg"), (0.6, 0.1), (0.9, 0.4))
        outside = page.locator("#outline rect[data-of=avoid]")
        expect(outside).to_have_count(1, timeout=PATIENCE)
        person.write("avoid", "")
        expect(outside).to_have_count(0, timeout=PATIENCE)
        person.show("Paint")
        page.locator("#editor").get_by_label("Color", exact=True).click()
        page.locator("#editor").get_by_label("Red", exact=True).click()
        page.keyboard.press("Escape")
        person.drag(page.locator("#editor canvas").first, (0.45, 0.6), (0.55, 0.62))
        person.press("place")
        person.see("verdicts", "added")
        expect(page.locator("#box :is(textarea, input)")).to_have_value("", timeout=PATIENCE)
    with Addit(url, key) as addit:
        asked = addit.insertions(limit=1).data[0].request
    with Image.open(FOLDER / "meadow.png") as picture:
        width, height = picture.size
    assert asked.region is not None
    assert asked.region.box == pytest.approx((0.25 * width, 0.5 * height, 0.5 * width, 0.75 * height), abs=2)
    assert asked.avoid is not None
    assert asked.avoid.mask is not None


def test_a_scene_from_words_begins_with_its_picture_and_branches_at_an_earlier_one(
    browser: Browser, scripted: tuple[str, str, str]
) -> None:
    address, key, _ = scripted
    with visit(browser, address) as person:
        page = person.page
        enter(person, key)
        person.show("From words")
        person.write("scene", "a place")
        for number in (1, 2):
            word(person, f"draw thing {number}")
            person.press("place")
            person.steps(number + 1)
            person.see("here", f"step {number}")
            person.idle()
        person.see("strip", "0 · start")
        page.get_by_role("button", name="1 · draw", exact=True).click()
        person.see("here", "step 1")
        word(person, "draw thing 3")
        person.press("place")
        person.steps(4)
        person.see("strip", "▸ 3 · draw (on 1)")


def test_who_waits_sees_the_place_in_the_queue_and_when_it_will_be_done(
    browser: Browser, scripted: tuple[str, str, str]
) -> None:
    address, key, _ = scripted
    with visit(browser, address) as first, visit(browser, address) as second:
        for person in (first, second):
            enter(person, key)
        tell(first, "slow 4000")
        first.see("live", re.compile("step"))
        tell(second, "draw thing")
        second.see("live", re.compile(r"Next in line, done in about \d+ s"))
        first.press("stop")
        second.see("verdicts", "added")


def test_boxes_are_drawn_by_mouse_or_in_numbers_and_kept_as_a_suite(
    browser: Browser, scripted: tuple[str, str, str], scene_folder: Path
) -> None:
    with visit(browser, scripted[0]) as person:
        page = person.page
        person.open("boxes")
        person.see("boxes-progress", "Scene 1 of 2, 0 done. This one lacks words.")
        person.write("scene-source", "a photo of a meadow")
        person.write("scene-prompt", "a photo of a meadow with a sheep")
        person.write("scene-subject", "sheep")
        person.see("boxes-progress", "Where could a sheep be?")
        lines = page.locator("#boxes textarea")
        person.drag(page.locator("#scene-picture svg"), (0.25, 0.5), (0.5, 0.75))
        expect(page.locator("#scene-picture rect")).to_have_count(1, timeout=PATIENCE)
        person.see("boxes-progress", "1 done")
        lines.fill(lines.input_value() + "\n5, 6, 40")
        person.see("boxes-trouble", "A box is four numbers")
        lines.fill(lines.input_value() + ", 50")
        expect(page.locator("#scene-picture rect")).to_have_count(2, timeout=PATIENCE)
        lines.blur()
        page.keyboard.press("n")
        person.see("boxes-progress", "Scene 2 of 2, 1 done")
        expect(lines).to_have_value("", timeout=PATIENCE)
        page.keyboard.press("ArrowLeft")
        person.see("boxes-progress", "Scene 1 of 2")
        expect(page.locator("#scene-picture rect")).to_have_count(2, timeout=PATIENCE)
        page.keyboard.press("Backspace")
        expect(page.locator("#scene-picture rect")).to_have_count(1, timeout=PATIENCE)
    drawn, untouched = scenes(scene_folder)
    with Image.open(drawn.picture) as picture:
        width, height = picture.size
    wanted = (0.25 * width, 0.5 * height, 0.5 * width, 0.75 * height)
    (box,) = drawn.boxes
    assert box == pytest.approx(wanted, abs=2)
    assert (drawn.texts[2], untouched.boxes) == ("sheep", ())


def test_votes_by_key_and_button_are_counted(
    browser: Browser, scripted: tuple[str, str, str], study_folder: Path
) -> None:
    study = Study(study_folder)
    with visit(browser, scripted[0]) as person:
        person.open("study")
        person.see("question", "(1 of 2)")
        person.page.locator("#study-left img").wait_for()
        person.page.keyboard.press("1")
        person.see("question", "Which has more sky? (2 of 2)")
        person.press("vote-tie")
        person.see("question", "judged all pairs")
        person.unfold("win-rates")
        person.press("count")
        person.see("rates", "75%")
    votes = study.votes
    assert [vote.pair for vote in votes] == ["1", "2"]
    assert votes[0].winner in ("addit", "other")
    assert votes[1].winner is None
    assert len({vote.voter for vote in votes}) == 1


def test_operators_see_workers_and_replay_what_crashed(
    browser: Browser, scripted: tuple[str, str, str]
) -> None:
    address, key, url = scripted
    with Addit(url, key) as addit:
        dead = addit.submit(request("segfault now"))
        with pytest.raises(ClientError):
            addit.until_succeeded(dead.id)
    with visit(browser, address) as person:
        person.open("operate")
        person.write("admin-key", "wrong")
        person.press("watch")
        person.see("operator-trouble", "does not know this key")
        person.write("admin-key", "operate")
        person.press("watch")
        person.see("figures", "1 worker")
        person.see("bare", "No worker remembers a source yet")
        person.see("workers", "scripted")
        person.see("workers", "GiB")
        person.see("dead", dead.id[:12])
        person.one("dead").get_by_role("gridcell", name=dead.id).click()
        expect(person.page.locator("#replay-id input, #replay-id textarea")).to_have_value(
            dead.id, timeout=PATIENCE
        )
        person.press("replay")
        person.see("replayed", "runs again as ins_")
    with Addit(url, key) as addit:
        again = addit.insertions(parent=dead.id).data
        assert json.loads(again[0].model_dump_json())["request"]["prompt"] == "segfault now"
