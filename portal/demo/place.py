"""Where a rehearsal keeps the settings it made up: beside its database."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

FILE = "demo.json"


def with_demo_settings(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment, completed by what `porchlight demo` keeps beside its database.

    Only for the database the demo made: another DATABASE_URL is another house.
    """
    given = dict(os.environ if environ is None else environ)
    url = given.get("DATABASE_URL", "")
    home = Path("instance")
    if url:
        if not url.startswith("sqlite:///"):
            return given
        home = Path(url.removeprefix("sqlite:///")).parent
    kept = read_kept(home)
    return {**kept, **given} if kept else given


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
