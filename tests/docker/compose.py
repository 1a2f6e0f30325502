"""The compose file and the Dockerfiles as data: what Docker would start, and how."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
BUILT = sorted(name for name, service in SERVICES.items() if "build" in service)


@dataclass(frozen=True)
class Dockerfile:
    """Its instructions in order, continuation lines joined."""

    instructions: list[tuple[str, str]]

    def all(self, name: str) -> list[str]:
        """What stands behind an instruction, each time it is given."""
        return [rest for instruction, rest in self.instructions if instruction == name]

    def last(self, name: str) -> str:
        """The one that counts."""
        return self.all(name)[-1]

    def env(self) -> dict[str, str]:
        """ENV of the whole file."""
        return {name: value for line in self.all("ENV") for name, value in re.findall(r"(\w+)=(\S+)", line)}


def dockerfile(path: Path) -> Dockerfile:
    lines = re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return Dockerfile([(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line.strip()])


def image_of(service: str) -> Dockerfile:
    """The Dockerfile that a built service is made from."""
    return dockerfile(ROOT / SERVICES[service]["build"]["dockerfile"])


def command(service: str) -> list[str]:
    """What the container runs: the compose file's command, else the image's."""
    given = SERVICES[service].get("command")
    return given or json.loads(image_of(service).last("CMD"))


def health_check(service: str) -> list[str]:
    """The command that tells whether a container is well, as argv."""
    given = SERVICES[service].get("healthcheck", {}).get("test")
    test = given or json.loads(re.sub(r"^.*?CMD ", "", image_of(service).last("HEALTHCHECK")))
    return test[1:] if test[0] == "CMD" else test


def environment(service: str) -> dict[str, str]:
    """ENV of the image and the environment of the compose file."""
    return image_of(service).env() | SERVICES[service]["environment"]
