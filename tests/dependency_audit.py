"""`python -m tests.dependency_audit`: what is publicly known against the versions of constraints.txt.

The exit code is 1 for findings. That nobody could be asked is said, and no reason to stop: an outage of a
service elsewhere is not a flaw of ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

CONSTRAINTS = Path(__file__).parent.parent / "constraints.txt"
OSV = "https://api.osv.dev/v1/query"
UNREACHABLE = ("ConnectionError", "ConnectTimeout", "ReadTimeout", "Timeout", "ServiceError", "HTTPError")
"""How pip-audit's last line begins, or what it names, when the service did not answer."""


def main(
    versions: Annotated[Path, typer.Argument(help="Pinned, as pip takes them.")] = CONSTRAINTS,
    service: Annotated[str, typer.Option(help="An OSV query URL.")] = OSV,
) -> None:
    """Print a line a finding."""
    ran = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--requirement", str(versions), "--no-deps", "--disable-pip",
         "--vulnerability-service", "osv", "--osv-url", service, "--format", "json",
         "--progress-spinner", "off"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if not ran.stdout:
        last = ran.stderr.strip().splitlines()[-1]
        if not any(name in last for name in UNREACHABLE):
            typer.echo(ran.stderr)
            raise typer.Exit(ran.returncode)
        typer.echo(f"NOT AUDITED: could not reach {service}: {last}")
        return
    found = findings(json.loads(ran.stdout))
    typer.echo("\n".join(found) or f"nothing is known against the versions of {versions.name}")
    raise typer.Exit(bool(found))


def findings(report: dict[str, Any]) -> list[str]:
    """A sentence each, from pip-audit's JSON."""
    return [
        f"{package['name']} {package['version']}: {flaw['id']}, "
        f"mended in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for package in report["dependencies"]
        for flaw in package.get("vulns", [])
    ]


if __name__ == "__main__":
    typer.run(main)
