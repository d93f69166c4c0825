"""What the README tells a shop owner to type does what it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from portal.cli import porchlight
from tests.demo.conftest import Demo, plain_environment

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.S)


def the_block(begin: str) -> str:
    """The one block of commands that begins so."""
    (found,) = [block for block in BLOCKS if block.startswith(begin)]
    return found


def run(commands: str, home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Type the commands in a folder of their own, with the installed console script at hand."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euc", commands],
        cwd=home,
        env=plain_environment(PATH=path, **settings),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_the_quick_start_is_the_demo_command() -> None:
    said = subprocess.run(
        ["make", "-n", "run", "PORT=9000"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "porchlight demo --port 9000" in said.stdout


def test_a_shop_of_ones_own_is_made_as_written(tmp_path: Path) -> None:
    commands = the_block("export SECRET_KEY").replace("porchlight doctor", "")
    done = run(commands, tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip().splitlines()[-1]) > 30  # the token, alone on the last line
    assert (tmp_path / "porchlight.db").exists()


def test_an_order_handed_in_as_written_answers_with_its_page(demo: Demo, tmp_path: Path) -> None:
    made = run(
        "porchlight token create --shop fern --scope orders", tmp_path, DATABASE_URL=demo.url
    )
    token = made.stdout.strip().splitlines()[-1]
    command = the_block("curl").replace("127.0.0.1:8000", f"127.0.0.1:{demo.port}")
    number = '"number": "README-1"'
    done = run(command.replace('"number": "1042"', number), tmp_path, TOKEN=token)
    order = json.loads(done.stdout)
    assert order["tracking_url"].startswith(f"http://fern.localhost:{demo.port}/t/")
    path = order["tracking_url"].split(f":{demo.port}")[1]
    assert demo.get(path, "fern.localhost").status_code == 200


@pytest.mark.parametrize("name", sorted(set(re.findall(r"porchlight ([a-z]+)", "".join(BLOCKS)))))
def test_every_command_named_is_there(name: str) -> None:
    assert CliRunner().invoke(porchlight, [name, "--help"]).exit_code == 0


@pytest.mark.parametrize("target", re.findall(r"\]\((?!http)([^)]+)\)", README))
def test_links_and_pictures_are_there_and_small(target: str) -> None:
    path = ROOT / target
    assert path.is_file()
    if path.suffix == ".webp":
        assert path.stat().st_size < 80_000
