"""Labels as files of ours: checked by their content, kept outside the web root."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Final

from PIL import Image

from portal.keys import settings

MOST_BYTES: Final = 4_000_000
MOST_PIXELS: Final = 20_000_000  # four times a label at 600 dots an inch
TYPES: Final = {"pdf": "application/pdf", "png": "image/png", "code": "image/png"}
LABEL: Final = ("pdf", "png")


class Unusable(Exception):
    """A file that is no label. `str()` says why."""


def path_of(shop_id: int, label_id: str, form: str) -> Path:
    """Where a label's file lies; `form` is pdf or png, or code: what is shown at the counter."""
    return Path(settings().media_root) / str(shop_id) / "labels" / f"{label_id}.{form}"


def is_kept(shop_id: int, label_id: str, *, code: bool = False) -> bool:
    """Whether a label is there in both forms; with `code` also what stands for it."""
    wanted = TYPES if code else LABEL
    return all(path_of(shop_id, label_id, form).is_file() for form in wanted)


def keep_code(shop_id: int, label_id: str, png: bytes) -> None:
    """Put the code that stands for a label in its place. Raises Unusable."""
    _put(path_of(shop_id, label_id, "code"), redraw(png))


def keep(shop_id: int, label_id: str, png: bytes, pdf: bytes) -> None:
    """Put a label in its place. Without a PDF one is drawn from the picture. Raises Unusable."""
    picture = redraw(png)
    made = pdf if pdf else as_pdf(picture)
    if not made.startswith(b"%PDF-"):
        raise Unusable("What should be the label's PDF is none.")
    for form, content in (("png", picture), ("pdf", made)):
        _put(path_of(shop_id, label_id, form), content)


def forget(shop_id: int, label_id: str) -> None:
    """Throw a label's files away: they name the customer."""
    for form in TYPES:
        path_of(shop_id, label_id, form).unlink(missing_ok=True)


def redraw(content: bytes) -> bytes:
    """A label's picture drawn anew, so that nothing but its dots is kept. Raises Unusable."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Unusable("The label's picture has too many dots.")
            clean = image.convert("L")
            dots = image.info.get("dpi", (203, 203))
    except Unusable:
        raise
    except Exception as error:  # decoders raise whatever comes to them on a broken file
        raise Unusable("What should be the label's picture is none.") from error
    out = io.BytesIO()
    clean.save(out, "PNG", dpi=dots, optimize=True)
    return out.getvalue()


def as_pdf(png: bytes) -> bytes:
    """The picture on a page of its size."""
    with Image.open(io.BytesIO(png)) as image:
        out = io.BytesIO()
        image.save(out, "PDF", resolution=float(image.info.get("dpi", (203, 203))[0]))
    return out.getvalue()


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)
