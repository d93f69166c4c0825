"""A rehearsal's settings and what its stand-in is told.

The true path end to end: the site's own client asks the stand-in over HTTP, its signed webhooks
come in at the real hook, and a real worker does the work. No keys, no network.
"""

from __future__ import annotations

import json
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
from portal.demo.place import FILE, MADE, SERVES, home_of, identity, keep, read_kept

LIVE = {"EASYPOST_API_KEY": ("EZAK",), "STRIPE_SECRET_KEY": ("sk_live_", "rk_live_")}
SANDBOX = "PORCHLIGHT_SANDBOX"  # where the stand-in for EasyPost is told of parcels
PARCELS = "demo-parcels.jsonl"
LOG = "demo.log"  # what web and worker say, beside the database
SERVICES = {"UPS": "Ground", "USPS": "GroundAdvantage", "FedEx": "FEDEX_GROUND"}


class Refused(Exception):
    """The rehearsal will not start; the sentence says why and what to do."""


@dataclass(frozen=True)
class Rehearsal:
    """Everything a rehearsal runs on. `environ` is what its processes get."""

    port: int
    home: Path
    environ: dict[str, str]
    settings: Settings
    sandbox_port: int | None  # None: both providers are given, so nothing stands in

    @property
    def sandbox(self) -> str | None:
        """Where the stand-in for EasyPost is told of parcels, without /v2; None without one."""
        return self.environ.get(SANDBOX)


def prepare(port: int, environ: Mapping[str, str], *, live: bool) -> Rehearsal:
    """Complete the settings for a rehearsal on `port` and keep what was made up.

    Raises Refused for live keys without `live`, SettingsError for settings that are wrong.
    """
    given = read_settings(environ)
    alive = live_keys(given, live=live)
    home = home_of(given.database_url)
    kept = read_kept(home)
    named = {name.removesuffix("_FILE") for name in environ}
    sandbox_port, bases = _stand_ins(port, named, alive)
    base = {"BASE_URL": f"http://127.0.0.1:{port}", SERVES: identity(given.database_url)}
    ours = {name: value for name, value in kept.items() if name not in _BASES}
    made = {**_secrets(), **ours, **base, **bases}
    keep(home, made)
    everything = {**environ, **{name: value for name, value in made.items() if name not in named}}
    everything.setdefault("DATABASE_URL", given.database_url)
    return Rehearsal(port, home, everything, read_settings(everything), sandbox_port)


def _secrets() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "EASYPOST_API_KEY": f"EZTKdemo{secrets.token_hex(12)}",
        "EASYPOST_WEBHOOK_SECRET": secrets.token_urlsafe(24),
        "STRIPE_SECRET_KEY": f"sk_test_demo{secrets.token_hex(12)}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(16)}",
        "SMTP_URL": DEMO_MAIL,
        "MAIL_FROM": "Porchlight demo <demo@porchlight.invalid>",
    }


_BASES = ("EASYPOST_API_BASE", "STRIPE_API_BASE", SANDBOX)


def live_keys(given: Settings, *, live: bool) -> set[str]:
    """The live keys among these settings. Raises Refused where there are any without `live`."""
    alive = {name for name, starts in LIVE.items() if _value(given, name).startswith(starts)}
    if alive and not live:
        raise Refused(f"{min(alive)} is a live key. Rehearse with a test key, or say --live.")
    return alive


def _stand_ins(port: int, named: set[str], alive: set[str]) -> tuple[int | None, dict[str, str]]:
    """The stand-in's port and the settings that lead to it; a provider that is given is left be."""
    easypost = "EASYPOST_API_BASE" not in named and "EASYPOST_API_KEY" not in alive
    stripe = "STRIPE_API_BASE" not in named and "STRIPE_SECRET_KEY" not in alive
    if not (easypost or stripe):
        return None, {}
    found = _free_port(port + 1)
    root = f"http://127.0.0.1:{found}"
    bases = {"EASYPOST_API_BASE": f"{root}/v2", SANDBOX: root} if easypost else {}
    return found, bases | ({"STRIPE_API_BASE": f"{root}/stripe"} if stripe else {})


def _value(settings: Settings, name: str) -> str:
    return str(getattr(settings, name.lower()))


def is_made(settings: Settings) -> bool:
    """Whether a demo made this database, so that a demo may wipe it."""
    kept = read_kept(home_of(settings.database_url))
    return kept.get(MADE) == identity(settings.database_url)


def note_made(rehearsal: Rehearsal) -> None:
    """Remember that this demo made the database, so that a later --fresh may wipe it."""
    made = {MADE: identity(rehearsal.settings.database_url)}
    keep(rehearsal.home, {**read_kept(rehearsal.home), **made})


def wipe(settings: Settings) -> None:
    """Throw away the files of a demo: its SQLite database, queue, pictures, log and settings."""
    home = home_of(settings.database_url)
    if settings.is_sqlite:
        for each in home.glob(f"{settings.sqlite_path.name}*"):
            each.unlink()
    for each in home.glob("queue.db*"):
        each.unlink()
    shutil.rmtree(home / "media", ignore_errors=True)
    for name in (PARCELS, LOG, FILE):
        (home / name).unlink(missing_ok=True)


def tell_sandbox(
    root: str, path: str, body: Mapping[str, Any], key: str = "demo", verb: str = "POST"
) -> dict[str, Any]:
    """Speak to the stand-in over HTTP, as its account's owner."""
    request = urllib.request.Request(  # noqa: S310 - the address is our own loopback server's
        root + path,
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
        method=verb,
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        told: dict[str, Any] = json.load(answer)
    return told


def parcel_for_sandbox(
    carrier: str, number: str, kind: str, ends: datetime, seconds: int | None, route: str
) -> dict[str, Any]:
    """How the stand-in is told of a parcel. `ends` pins its times over restarts."""
    told: dict[str, Any] = {
        "tracking_code": number,
        "carrier": carrier,
        "service": SERVICES.get(carrier, "ExpressWorldwide"),
        "kind": kind,
        "ends": ends.isoformat(),
        "local_times": True,
        "route": route,
    }
    return told | ({"seconds": seconds} if seconds else {})


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except (OSError, OverflowError):
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_taken(port: int) -> bool:
    """Whether somebody listens on this port of this machine already."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
