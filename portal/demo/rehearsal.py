"""A rehearsal's settings and processes: stand-in, web, worker, and what they are told.

The true path end to end: the site's own client asks the stand-in over HTTP, its signed webhooks
come in at the real hook, and a real worker does the work. No keys, no network.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from portal.config import DEMO_MAIL, Settings, read_settings
from portal.demo.place import FILE, keep, read_kept

LIVE_PREFIXES = ("EZAK", "sk_live_", "rk_live_")
MADE = "PORCHLIGHT_MADE"  # in the kept file: the database this demo made, the only one it may wipe
SANDBOX = "PORCHLIGHT_SANDBOX"  # where the demo's own stand-in listens; absent with a given base


class Refused(Exception):
    """The rehearsal will not start; the sentence says why and what to do."""


@dataclass(frozen=True)
class Rehearsal:
    """Everything a rehearsal runs on. `environ` is what its processes get."""

    home: Path
    environ: dict[str, str]
    settings: Settings
    sandbox_port: int | None  # None: EASYPOST_API_BASE was given, so nothing stands in

    @property
    def sandbox(self) -> str:
        """The stand-in's root, without /v2."""
        return f"http://127.0.0.1:{self.sandbox_port}"


def prepare(port: int, environ: Mapping[str, str], *, live: bool) -> Rehearsal:
    """Complete the settings for a rehearsal on `port` and keep what was made up.

    Raises Refused for live keys without `live`, SettingsError for settings that are wrong.
    """
    given = dict(environ)
    named = [key for key in ("EASYPOST_API_KEY", "STRIPE_SECRET_KEY") if _is_live(given, key)]
    if named and not live:
        raise Refused(f"{named[0]} is a live key. Rehearse with a test key, or say --live.")
    home = _home(given)
    kept = read_kept(home)
    made = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "EASYPOST_API_KEY": f"EZTKdemo{secrets.token_hex(12)}",
        "EASYPOST_WEBHOOK_SECRET": secrets.token_urlsafe(24),
        "SMTP_URL": DEMO_MAIL,
        "MAIL_FROM": "Porchlight demo <demo@porchlight.invalid>",
        **{key: value for key, value in kept.items() if key not in given},
        "BASE_URL": f"http://127.0.0.1:{port}",
    }
    sandbox_port = None if "EASYPOST_API_BASE" in given else _free_port(port + 1)
    if sandbox_port is not None:
        made["EASYPOST_API_BASE"] = f"http://127.0.0.1:{sandbox_port}/v2"
        made[SANDBOX] = f"http://127.0.0.1:{sandbox_port}"
    else:
        made.pop("EASYPOST_API_BASE", None)
        made.pop(SANDBOX, None)
    everything = {**made, **given}
    settings = read_settings(everything)
    if "DATABASE_URL" not in given:
        everything["DATABASE_URL"] = settings.database_url
    keep(home, made)
    return Rehearsal(home, everything, settings, sandbox_port)


def wipe(environ: Mapping[str, str]) -> None:
    """Throw away what an earlier demo made; anything else is refused."""
    home = _home(environ)
    kept = read_kept(home)
    settings = read_settings({k: v for k, v in environ.items() if k == "DATABASE_URL"})
    if not settings.is_sqlite or not settings.sqlite_path.exists():
        if settings.is_sqlite:
            return
        raise Refused("--fresh wipes only a SQLite file that a demo made.")
    if kept.get(MADE) != str(settings.sqlite_path):
        raise Refused(f"{settings.sqlite_path} was not made by a demo, so it is not wiped.")
    path = settings.sqlite_path
    for each in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", ".lock"))):
        each.unlink(missing_ok=True)
    for each in home.glob("queue.db*"):
        each.unlink(missing_ok=True)
    shutil.rmtree(home / "media", ignore_errors=True)
    (home / FILE).unlink(missing_ok=True)


def note_made(rehearsal: Rehearsal) -> None:
    """Remember that this demo made the database, so that a later --fresh may wipe it."""
    if rehearsal.settings.is_sqlite:
        kept = read_kept(rehearsal.home)
        keep(rehearsal.home, {**kept, MADE: str(rehearsal.settings.sqlite_path)})


def tell_sandbox(
    root: str, path: str, body: Mapping[str, Any], key: str = "demo"
) -> dict[str, Any]:
    """Speak to the stand-in over HTTP, as its account's owner."""
    request = urllib.request.Request(  # noqa: S310 - the address is our own loopback server's
        root + path,
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        told: dict[str, Any] = json.load(answer)
    return told


def parcel_for_sandbox(
    carrier: str, number: str, kind: str, ends: datetime, seconds: int | None
) -> dict[str, Any]:
    """How the stand-in is told of a parcel. `ends` pins its times over restarts."""
    told: dict[str, Any] = {
        "tracking_code": number,
        "carrier": carrier,
        "kind": kind,
        "ends": ends.isoformat(),
        "local_times": True,
    }
    return told | ({"seconds": seconds} if seconds else {})


def _is_live(given: Mapping[str, str], key: str) -> bool:
    return given.get(key, "").startswith(LIVE_PREFIXES)


def _home(given: Mapping[str, str]) -> Path:
    settings = read_settings({k: v for k, v in given.items() if k == "DATABASE_URL"})
    return settings.sqlite_path.parent if settings.is_sqlite else Path("instance").resolve()


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_taken(port: int) -> bool:
    """Whether somebody listens on this port of this machine already."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def environment(rehearsal: Rehearsal) -> dict[str, str]:
    """The environment of the rehearsal's processes."""
    return {**os.environ, **rehearsal.environ}
