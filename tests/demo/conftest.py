"""A demo as an operator starts it: the command, in a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

PATIENCE = 90  # seconds a loaded machine may take to start it
OURS = ("EASYPOST", "STRIPE", "SECRET_KEY", "BASE_URL", "DATABASE_URL", "SMTP", "MAIL", "QUEUE")


@dataclass(frozen=True)
class Demo:
    """A running demo: its process, port, home and what it said."""

    process: subprocess.Popen[bytes]
    port: int
    url: str  # DATABASE_URL
    said: Path

    def get(self, path: str, host: str = "127.0.0.1", **more: object) -> requests.Response:
        """Ask one of its shops; names of this machine need no look-up."""
        headers = {"Host": f"{host}:{self.port}", **more.pop("headers", {})}  # type: ignore[dict-item]
        return requests.get(f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=30)

    def stop(self) -> int:
        """End it as an operator does, and give its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def plain_environment(**more: str) -> dict[str, str]:
    """The environment without any setting of ours but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, **more}


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def until(what: Callable[[], object], seconds: float = PATIENCE) -> object:
    """Wait until `what` gives something true, and give that."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "It did not come to pass."
        time.sleep(0.2)
    return found


def started(home: Path, *options: str, **settings: str) -> Demo:
    """Start a demo in `home` and wait until it says how to stop it."""
    home.mkdir(exist_ok=True)
    url = settings.pop("DATABASE_URL", f"sqlite:///{home}/house.db")
    port = free_port()
    said = home / "said.txt"
    command = [sys.executable, "-m", "portal.cli", "demo", "--port", str(port), *options]
    with said.open("wb") as lines:
        process = subprocess.Popen(
            command,
            cwd=home,
            env=plain_environment(DATABASE_URL=url, **settings),
            stdout=lines,
            stderr=lines,
        )

    def is_open() -> bool:
        assert process.poll() is None, said.read_text()
        return "Stop with Ctrl-C" in said.read_text()

    until(is_open)
    return Demo(process, port, url, said)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo for all that only look at it."""
    running = started(tmp_path_factory.mktemp("demo"))
    yield running
    running.stop()
