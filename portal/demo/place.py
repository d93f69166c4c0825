"""Where a rehearsal keeps the settings it made up: beside its database."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

FILE = "demo.json"
SERVES = "PORCHLIGHT_DEMO_OF"  # in the kept file: the database its settings belong to
MADE = "PORCHLIGHT_MADE"  # in the kept file: the database a demo made, the only one it may wipe
SQLITE = "sqlite:///"


def with_demo_settings(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment, completed by what `porchlight demo` keeps beside its database.

    Only for the database the demo ran on: another DATABASE_URL is another house.
    """
    given = dict(os.environ if environ is None else environ)
    url = given.get("DATABASE_URL", "")
    kept = read_kept(home_of(url))
    if kept.get(SERVES) != identity(url):
        return given
    taken = {name.removesuffix("_FILE") for name in given}
    return given | {name: value for name, value in kept.items() if name not in taken}


def home_of(url: str) -> Path:
    """The folder beside a database; for none and for a server it is `instance`."""
    named = url.startswith(SQLITE)
    return (Path(url.removeprefix(SQLITE)).parent if named else Path("instance")).resolve()


def identity(url: str) -> str:
    """What tells one database from another, without the password in its URL."""
    if not url:
        return str(home_of(url) / "porchlight.db")
    if url.startswith(SQLITE):
        return str(Path(url.removeprefix(SQLITE)).resolve())
    return hashlib.sha256(url.encode()).hexdigest()


def read_kept(home: Path) -> dict[str, str]:
    """The settings kept in `home`; none where no demo was made."""
    try:
        kept = json.loads((home / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in kept.items()} if isinstance(kept, dict) else {}


def keep(home: Path, made: Mapping[str, str]) -> None:
    """Keep what was made up, for the operator's eyes only."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / FILE
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(dict(made), file, indent=1)
