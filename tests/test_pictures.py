"""Pictures from elsewhere: drawn anew within limits, and nothing else of the file kept."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, features

from portal.pictures import LONGEST_SIDE, MOST_PIXELS, Unusable, redraw

MOST_GROWTH_KB = 150_000
MEASURE = """
import resource, sys
from portal.pictures import Unusable, redraw
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    try:
        redraw(open(path, "rb").read())
        print("drawn", path, file=sys.stderr)
    except Unusable as error:
        print("refused", path, error, file=sys.stderr)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def drawn(image: Image.Image, kind: str, **more: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def growth_kb(*paths: Path) -> int:
    """How much a fresh process grows over redrawing these files."""
    found = subprocess.run(
        [sys.executable, "-c", MEASURE, *map(str, paths)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return int(found.stdout)


def test_the_corpus_is_taken_or_refused_as_it_should_be(shared_data: Path) -> None:
    folder = shared_data / "security/upload"
    cases = json.loads((folder / "manifest.json").read_text())
    for case in cases:
        content = (folder / case["file"]).read_bytes()
        try:
            result = opened(redraw(content))
        except Unusable:
            outcome = "reject"
        else:
            outcome = "accept"
            assert result.format == "WEBP"
            assert getattr(result, "n_frames", 1) == 1
            assert not result.getexif()
            assert set(result.info) <= {"loop", "background", "duration", "timestamp"}
        expected = case["expect"]
        if expected in ("accept", "accept_strip", "type_from_content"):
            assert outcome == "accept", case
        elif expected == "reject":
            assert outcome == "reject", case
        else:
            assert "reject" in expected or "first_frame" in expected, case


def test_nothing_of_a_file_but_its_pixels_is_kept(shared_data: Path) -> None:
    folder = shared_data / "security/upload"
    for name in ("exif_gps_xss.jpg", "png_text_xmp.png", "jpeg_html_tail.jpg"):
        content = redraw((folder / name).read_bytes())
        for trace in (b"script", b"GPS", b"Exif", b"EXIF", b"XMP", b"html", b"http"):
            assert trace not in content, name


def test_the_corpus_fits_into_memory(shared_data: Path) -> None:
    folder = shared_data / "security/upload"
    paths = [path for path in folder.iterdir() if path.suffix != ".json"]
    assert growth_kb(*paths) < MOST_GROWTH_KB


@pytest.mark.long
def test_the_largest_files_that_are_taken_fit_into_memory(tmp_path: Path) -> None:
    kinds = {
        "baseline.jpg": (Image.new("RGB", (8000, 5000)), "JPEG", {}),
        "progressive.jpg": (Image.new("RGB", (5000, 3900)), "JPEG", {"progressive": True}),
        "rgb.png": (Image.new("RGB", (6000, 4900)), "PNG", {}),
        "rgba.png": (Image.new("RGBA", (6000, 4900)), "PNG", {}),
        "palette.png": (Image.new("P", (8000, 5000)), "PNG", {}),
        "grey.png": (Image.new("L", (8000, 5000)), "PNG", {}),
        "deep.png": (Image.new("I;16", (8000, 5000)), "PNG", {}),
        "rgb.webp": (Image.new("RGB", (2900, 2500)), "WEBP", {}),
        "rgba.webp": (Image.new("RGBA", (2900, 2500)), "WEBP", {}),
        "flat.gif": (Image.new("P", (8000, 5000)), "GIF", {}),
    }
    if features.check("avif"):
        kinds["rgb.avif"] = (Image.new("RGB", (2900, 2500)), "AVIF", {"speed": 10})
    too_much = {}
    for name, (image, kind, more) in kinds.items():
        path = tmp_path / name
        path.write_bytes(drawn(image, kind, **more))
        assert redraw(path.read_bytes())
        grown = growth_kb(path)
        if grown > MOST_GROWTH_KB:
            too_much[name] = grown
    assert not too_much


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("size", [(1, 1), (3, 900), (2000, 1500), (512, 512)])
def test_a_picture_keeps_its_shape_and_fits(kind: str, size: tuple[int, int]) -> None:
    result = opened(redraw(drawn(Image.new("RGB", size, "#336699"), kind)))
    width, height = result.size
    assert max(width, height) == min(LONGEST_SIDE, max(size))
    assert abs(width / height - size[0] / size[1]) < 0.01 or 1 in result.size
    red, green, blue = result.convert("RGB").getpixel((width // 2, height // 2))
    assert all(abs(a - b) < 12 for a, b in zip((red, green, blue), (0x33, 0x66, 0x99), strict=True))


def test_what_is_see_through_stays_so() -> None:
    for kind in ("PNG", "WEBP", "GIF"):
        source = Image.new("RGBA", (60, 60), (0, 0, 0, 0))
        source.paste((200, 30, 30, 255), (0, 0, 30, 60))
        result = opened(redraw(drawn(source, kind)))
        assert result.mode == "RGBA", kind
        assert result.getpixel((50, 30))[3] == 0
        assert result.getpixel((10, 30))[3] == 255


def test_deep_grey_stays_grey() -> None:
    result = opened(redraw(drawn(Image.new("I;16", (60, 60), 0x8000), "PNG")))
    assert all(abs(part - 0x80) < 6 for part in result.convert("RGB").getpixel((30, 30)))


def test_a_picture_on_its_side_is_turned_upright() -> None:
    source = Image.new("RGB", (80, 40), "white")
    source.paste("black", (0, 0, 40, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to the right
    result = opened(redraw(drawn(source, "JPEG", exif=exif.tobytes())))
    assert result.size == (40, 80)
    assert result.convert("L").getpixel((20, 10)) < 60
    assert result.convert("L").getpixel((20, 70)) > 200


def test_too_many_pixels_are_refused_before_they_are_drawn() -> None:
    side = int(MOST_PIXELS**0.5) + 1
    with pytest.raises(Unusable, match="too many pixels"):
        redraw(drawn(Image.new("1", (side, side)), "PNG"))


@given(st.binary(max_size=400))
def test_no_bytes_do_anything_but_be_refused(content: bytes) -> None:
    with pytest.raises(Unusable):
        redraw(content)


@given(st.data())
def test_a_damaged_file_is_drawn_or_refused(data: st.DataObject) -> None:
    whole = bytearray(drawn(Image.new("RGB", (40, 30), "red"), data.draw(KINDS)))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        opened(redraw(bytes(whole)))
    except Unusable:
        return


KINDS = st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"])
