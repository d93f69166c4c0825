"""Running commands: in this process through click's own runner, or as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from portal.cli import porchlight
from tests.conftest import SECRET

Run = Callable[..., Result]


@pytest.fixture
def environ(database_url: str, tmp_path: Path) -> dict[str, str]:
    """The settings of a house on each kind of database, and nothing of this machine's own."""
    return {
        "SECRET_KEY": SECRET,
        "BASE_URL": "http://127.0.0.1:8000",
        "DATABASE_URL": database_url,
        "QUEUE_URL": f"sqlite:///{tmp_path}/queue.db",
        "MEDIA_ROOT": str(tmp_path / "media"),
    }


@pytest.fixture
def run(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process; `run("shop", "list")` gives click's result."""

    def running(*words: str, typed: str | None = None, **more: str) -> Result:
        with monkeypatch.context() as patch:
            for name in SETTINGS:
                patch.delenv(name, raising=False)
            for name, value in {**environ, **more}.items():
                patch.setenv(name, value)
            return CliRunner().invoke(porchlight, words, input=typed)

    return running


@pytest.fixture
def fern(run: Run) -> str:
    """The slug of a first shop."""
    made = run("shop", "create", "fern", "--name", "Fern & Fable", "--currency", "EUR")
    assert made.exit_code == 0, made.output
    return "fern"


SETTINGS = [
    name
    for name in os.environ
    if name.startswith(("EASYPOST", "STRIPE", "SMTP", "TWILIO", "MAIL_", "REDIS", "METRICS"))
]


def process(*words: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command as an operator runs it: a process in a folder, with these settings alone."""
    plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [str(Path(sys.executable).with_name("porchlight")), *words],
        cwd=cwd,
        env=plain | environ,
        capture_output=True,
        text=True,
        timeout=120,
    )
