"""The pack: a ZIP with the summary, the facts and the photos, made on disk and not in memory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from portal.evidence.summary import Facts, draw_summary

EARLY: Final = (1980, 1, 1, 0, 0, 0)  # the date of every entry: the same facts, the same bytes


def write_pack(facts: Facts, photos: Sequence[Path]) -> IO[bytes]:
    """The pack as an open file that is gone once it is closed. Photos that are gone are left out.

    The same facts and photos give the same bytes.
    """
    out = TemporaryFile()  # noqa: SIM115 - who asked for it reads and closes it
    try:
        with ZipFile(out, "w") as pack, TemporaryFile() as drawn:
            draw_summary(facts, photos, drawn)
            drawn.seek(0)
            _add(pack, "summary.pdf", drawn, ZIP_STORED)
            text = json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True)
            with pack.open(_entry("facts.json", ZIP_DEFLATED), "w") as file:
                # Half a surrogate pair is no text that UTF-8 can hold.
                file.write(text.encode("utf-8", "replace"))
            for n, path in enumerate(photos, 1):
                if path.is_file():
                    with path.open("rb") as photo:
                        _add(pack, f"photos/{n:02}.webp", photo, ZIP_STORED)
    except BaseException:
        out.close()
        raise
    out.seek(0)
    return out


def _entry(name: str, how: int) -> ZipInfo:
    entry = ZipInfo(name, EARLY)
    entry.compress_type = how
    entry.external_attr = 0o600 << 16
    return entry


def _add(pack: ZipFile, name: str, content: IO[bytes], how: int) -> None:
    with pack.open(_entry(name, how), "w") as file:
        shutil.copyfileobj(content, file)
