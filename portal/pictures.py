"""Pictures from elsewhere, made ours: decoded within limits, drawn anew, nothing else kept.

Whatever is in a file beside its first picture (places, names, scripts, tails) is not in ours.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import Image, ImageOps

from portal.keys import settings

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")  # by content; names and types are not asked
MOST_PIXELS = 40_000_000
MOST_MEMORY = 120_000_000  # bytes a decoder may need: what a worker can bear beside its work
BYTES_IN = {"1": 1, "L": 1, "P": 1, "I;16": 2}  # a pixel of a mode; of all others 4
LONGEST_SIDE = 512
QUALITY = 82


class Unusable(Exception):
    """A file that is no picture we take. `str()` says why."""


def redraw(content: bytes, longest: int = LONGEST_SIDE) -> bytes:
    """The first picture in a file as WebP, no side longer than `longest` pixels, upright.

    Raises Unusable.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _check(image)
            return _webp(_small(image, longest))
    except Unusable:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unusable("It has too many pixels.") from error
    except Exception as error:  # decoders raise whatever comes to them on a broken file
        raise Unusable("It is not a picture we can read (JPEG, PNG, WebP, GIF, AVIF).") from error


def _check(image: Image.Image) -> None:
    """Look at the size a file claims before anything of it is decoded."""
    pixels = image.width * image.height
    if pixels > MOST_PIXELS or pixels * _bytes_a_pixel(image) > MOST_MEMORY:
        raise Unusable(f"It has too many pixels ({image.width} × {image.height}).")


def _bytes_a_pixel(image: Image.Image) -> int:
    """What decoding costs. Measured: some decoders hold several copies of the whole."""
    if image.format == "JPEG":  # decoded small; a progressive one is held whole before
        return 6 if image.info.get("progressive") else 1
    if image.format in ("WEBP", "AVIF"):
        return 16
    return BYTES_IN.get(image.mode, 4)


def _small(image: Image.Image, longest: int) -> Image.Image:
    image.draft("RGB", (longest * 2, longest * 2))
    if image.mode not in ("RGB", "L", "CMYK", "YCbCr"):
        # These are unfolded or copied before they can be blended, and whole that would not fit.
        image.thumbnail((longest * 4, longest * 4), Image.Resampling.NEAREST)
        image = _plain(image)
    image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    ImageOps.exif_transpose(image, in_place=True)
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _plain(image: Image.Image) -> Image.Image:
    """A mode that can be blended. 16 bits of grey, converted alone, would all be white."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return image.convert("RGBA")


def _webp(image: Image.Image) -> bytes:
    clean = Image.new(image.mode, image.size)  # pixels alone: no text, place or profile comes along
    clean.paste(image)
    out = io.BytesIO()
    clean.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue()


def path_of(shop_id: int, picture_id: str) -> Path:
    """Where a kept picture lies."""
    return Path(settings().media_root) / str(shop_id) / f"{picture_id}.webp"


def keep(shop_id: int, picture_id: str, content: bytes) -> None:
    """Put a picture in its place, whole or not at all."""
    path = path_of(shop_id, picture_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)
