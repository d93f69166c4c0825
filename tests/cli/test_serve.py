"""serve and worker as processes of their own: what they refuse, and how they stop."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from portal.cli import porchlight
from portal.cli.serve import refuse_network_disk
from tests.channels.conftest import free_port
from tests.conftest import settings_for

ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database is enough here: tests/jobs/test_kill.py runs workers on each."""
    return sqlite_url


@pytest.fixture
def start(environ: dict[str, str]) -> Iterator[Start]:
    """Start `porchlight …`; what still runs at the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def starting(*words: str, without: str = "", **more: str) -> subprocess.Popen[str]:
        given = {"PATH": os.environ["PATH"], **environ, **more}
        given.pop(without, None)
        process = subprocess.Popen(
            [sys.executable, "-m", "portal.cli", *words],
            cwd=ROOT,
            env=given,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield starting
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def refusal(process: subprocess.Popen[str]) -> str:
    """What a command said that did not start; no trace of ours is in it."""
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in said
    return said


def answer(url: str, process: subprocess.Popen[str]) -> tuple[int, str]:
    """The first answer from a server that is starting."""
    deadline = time.monotonic() + 60
    while True:
        try:
            got = requests.get(url, timeout=10)
            return got.status_code, got.text
        except requests.ConnectionError:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_serve_serves_until_it_is_told_to_stop(start: Start) -> None:
    port = free_port()
    process = start("serve", "--port", str(port), "--workers", "1")
    assert answer(f"http://127.0.0.1:{port}/readyz", process) == (200, '{"status":"ready"}\n')
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=40)
    assert process.returncode == 0


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_stops_when_it_is_told_to(start: Start, signum: int) -> None:
    process = start("worker")
    assert process.stderr is not None
    assert "at work" in process.stderr.readline()
    process.send_signal(signum)
    _, said = process.communicate(timeout=40)
    assert process.returncode == 0
    assert "stopped" in said


def test_a_worker_works_while_its_queue_is_down(start: Start) -> None:
    process = start("worker", QUEUE_URL=f"redis://127.0.0.1:{free_port()}/0")
    assert process.stderr is not None
    assert "at work" in process.stderr.readline()
    assert "queue cannot be read" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=40)
    assert process.returncode == 0


@pytest.mark.parametrize("command", ["serve", "worker"])
@pytest.mark.parametrize("missing", ["SECRET_KEY", "BASE_URL", "DATABASE_URL"])
def test_a_setting_that_is_missing_is_named(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, missing: str
) -> None:
    monkeypatch.chdir(tmp_path)
    given: dict[str, str | None] = {
        "SECRET_KEY": "0123456789abcdef0123456789abcdef",
        "BASE_URL": "http://127.0.0.1:8000",
        "DATABASE_URL": sqlite_url,
    }
    done = CliRunner(env=given | {missing: None}).invoke(porchlight, [command])
    assert done.exit_code == 2
    assert f"{missing} is not set" in done.stderr


def test_plain_http_is_served_to_this_machine_only(start: Start) -> None:
    said = refusal(start("serve", "--host", "192.0.2.1"))
    assert "plain http" in said
    assert "https://" in said


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_an_old_schema_is_refused_with_the_remedy(
    start: Start, tmp_path: Path, command: str
) -> None:
    said = refusal(start(command, DATABASE_URL=f"sqlite:///{tmp_path}/new.db"))
    assert "porchlight migrate" in said


def test_a_database_that_does_not_answer_is_refused_with_a_sentence(start: Start) -> None:
    url = f"postgresql://nobody:secret@127.0.0.1:{free_port()}/none"
    said = refusal(start("worker", DATABASE_URL=url))
    assert "does not answer" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("kind", "refused"), [("nfs4", True), ("cifs", True), ("ext4", False), ("overlay", False)]
)
def test_sqlite_on_a_network_disk_is_refused(tmp_path: Path, kind: str, refused: bool) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"disk / ext4 rw 0 0\nserver:/x {tmp_path} {kind} rw 0 0\n")
    settings = settings_for(f"sqlite:///{tmp_path}/porchlight.db")
    if not refused:
        refuse_network_disk(settings, mounts)
        return
    with pytest.raises(Exception, match=re.escape(f"network disk ({kind})")):
        refuse_network_disk(settings, mounts)
