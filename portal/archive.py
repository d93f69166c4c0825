"""A house in one file: its database and its pictures, whole or not at all.

The archive is a tar file with `manifest.json`, `database` and `media/…`. The manifest says what
the rest is and holds a SHA-256 of each part. SECRET_KEY is not in it: without the key nobody can
open what the database keeps sealed.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pysqlite3.dbapi2 as sqlite
from psycopg.conninfo import conninfo_to_dict

from portal.config import Settings

MANIFEST: Final = "manifest.json"
DATABASE: Final = "database"
MEDIA: Final = "media"
FORM: Final = 1  # of the archive; a later one may be told from this
TOOL_SECONDS: Final = 24 * 3600


class ArchiveError(Exception):
    """A backup or a restore that cannot be done. The text says why and what holds."""


def write_archive(
    target: Path, settings: Settings, schema: str, key_mark: str, now: datetime
) -> int:
    """Write the house into `target`, which appears only when it is whole; gives its bytes."""
    partial = target.with_name(f".{target.name}.partial")
    media = Path(settings.media_root)
    try:
        with TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
            database = Path(folder) / DATABASE
            _dump(settings, database)
            manifest = {
                "form": FORM,
                "kind": _kind(settings),
                "schema": schema,
                "made_at": now.isoformat(),
                "key_mark": key_mark,
                "parts": _parts(database, media),
            }
            with partial.open("xb") as file:
                os.fchmod(file.fileno(), 0o600)  # it holds what customers told
                _pack(file, manifest, database, media)
                file.flush()
                os.fsync(file.fileno())
        partial.replace(target)
    except FileExistsError as error:
        raise ArchiveError(f"Another backup is writing {partial}. Wait, or remove it.") from error
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ArchiveError(
            f"The backup was not written ({error}). Nothing is left of it."
        ) from error
    return target.stat().st_size


@contextmanager
def opened_archive(source: Path, settings: Settings) -> Iterator[tuple[Mapping[str, Any], Path]]:
    """The checked content of an archive: its manifest and a folder. Raises ArchiveError.

    The folder lies beside the house's own files, so that they can change places in one step.
    """
    home = Path(settings.media_root).parent
    home.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=home, prefix=".restore-") as name:
        folder = Path(name)
        try:
            with tarfile.open(source, "r:") as tar:
                tar.extractall(folder, filter="data")
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            expected = manifest["parts"]
        except (tarfile.TarError, OSError, ValueError, KeyError, TypeError) as error:
            raise ArchiveError(f"{source} is no backup of Porchlight, or it is damaged.") from error
        if manifest.get("form") != FORM:
            raise ArchiveError(f"{source} was made by a later version. Upgrade first.")
        if manifest.get("kind") != _kind(settings):
            raise ArchiveError(
                f"{source} holds a {manifest.get('kind')} database, and DATABASE_URL names a "
                f"{_kind(settings)} one. Point DATABASE_URL at the kind it was made from."
            )
        if _parts(folder / DATABASE, folder / MEDIA) != expected:
            raise ArchiveError(f"{source} is damaged: its parts are not what was written.")
        yield manifest, folder


def put_back_media(folder: Path, settings: Settings) -> None:
    """Let the archive's pictures take the place of the house's."""
    media, old = Path(settings.media_root), folder / "media-before"
    (folder / MEDIA).mkdir(exist_ok=True)
    if media.exists():
        media.rename(old)
    (folder / MEDIA).rename(media)


def check_sqlite(path: Path) -> None:
    """Raise ArchiveError unless the SQLite file is sound."""
    try:
        connection = sqlite.connect(path)
        said = connection.execute("PRAGMA integrity_check").fetchone()[0]
        loose = connection.execute("PRAGMA foreign_key_check").fetchone()
        connection.close()
    except sqlite.DatabaseError as error:
        raise ArchiveError(f"The database in the backup cannot be read ({error}).") from error
    if said != "ok" or loose:
        raise ArchiveError(f"The database in the backup is damaged ({said}).")


def restore_postgres(settings: Settings, dump: Path) -> None:
    """Put a dump in the place of what the database holds, all or nothing."""
    _run_tool(settings, "pg_restore", "--clean", "--if-exists", "--single-transaction",
              "--no-owner", "--no-privileges", "--dbname", _name(settings), str(dump))  # fmt: skip


def _kind(settings: Settings) -> str:
    return "sqlite" if settings.is_sqlite else "postgresql"


def _dump(settings: Settings, path: Path) -> None:
    if not settings.is_sqlite:
        _run_tool(settings, "pg_dump", "--format=custom", "--no-owner", "--file", str(path))
        return
    # SQLite's own online backup: a moment's state, while others read and write.
    source, target = sqlite.connect(settings.sqlite_path), sqlite.connect(path)
    try:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
    finally:
        target.close()
        source.close()
    check_sqlite(path)


def _run_tool(settings: Settings, tool: str, *words: str) -> None:
    """Run one of PostgreSQL's own tools; its password goes through the environment alone."""
    found = shutil.which(tool)
    if found is None:
        raise ArchiveError(
            f"{tool} is not on this machine. Install PostgreSQL's client tools (Debian: apt "
            "install postgresql-client), of the server's version or newer."
        )
    environ = {**os.environ, **_environment(settings)}
    done = subprocess.run(  # noqa: S603 - our own words, no shell
        [found, *words], env=environ, capture_output=True, text=True, timeout=TOOL_SECONDS
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[0]
        raise ArchiveError(f"{tool} failed: {said}. Nothing was changed.")


def _environment(settings: Settings) -> dict[str, str]:
    told = conninfo_to_dict(settings.database_url)
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
        "sslmode": "PGSSLMODE",
        "sslrootcert": "PGSSLROOTCERT",
    }
    return {env: str(told[name]) for name, env in names.items() if told.get(name)}


def _name(settings: Settings) -> str:
    return _environment(settings)["PGDATABASE"]


def _parts(database: Path, media: Path) -> dict[str, str]:
    """SHA-256 of every part, by its name in the archive."""
    found = {DATABASE: _sha256(database)}
    for path in _files(media):
        found[f"{MEDIA}/{path.relative_to(media).as_posix()}"] = _sha256(path)
    return found


def _files(media: Path) -> list[Path]:
    return sorted(p for p in media.rglob("*") if p.is_file()) if media.is_dir() else []


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(file: Any, manifest: Mapping[str, Any], database: Path, media: Path) -> None:
    with tarfile.open(fileobj=file, mode="w") as tar:
        said = json.dumps(manifest, indent=1).encode()
        head = tarfile.TarInfo(MANIFEST)
        head.size = len(said)
        tar.addfile(head, io.BytesIO(said))
        tar.add(database, DATABASE)
        for name in manifest["parts"]:
            if name != DATABASE:
                tar.add(media / name.removeprefix(f"{MEDIA}/"), name)
