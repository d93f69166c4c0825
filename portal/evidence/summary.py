"""The summary that a carrier's or a bank's clerk reads: a PDF drawn from the facts alone."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import IO, Any, Final

from PIL import Image as Pixels
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    Image,
    LongTable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    TableStyle,
)

from portal.evidence.letters import BOLD, PLAIN, load_fonts, markup

Facts = Mapping[str, Any]
Part = Callable[[Facts], list[Flowable]]

MOST_SCANS: Final = 120  # of a parcel; the facts have all
MOST_LETTERS: Final = 40
MOST_PHOTOS: Final = 8
CELL: Final = 300  # characters: a row of a table has to fit on a page
PHOTO: Final = 900  # pixels of a side
LETTER_COUNTRIES: Final = ("US", "CA", "MX")
INK, MUTED, LINE = (
    colors.HexColor("#1c2330"),
    colors.HexColor("#5a6372"),
    colors.HexColor("#d5dae2"),
)
BODY: Final = ParagraphStyle("body", fontName=PLAIN, fontSize=8.5, leading=12, textColor=INK)
SMALL: Final = ParagraphStyle("small", BODY, fontSize=7.5, leading=10, textColor=MUTED)
HEAD: Final = ParagraphStyle(
    "head",
    BODY,
    fontName=BOLD,
    fontSize=11,
    leading=15,
    spaceBefore=12,
    spaceAfter=4,
    keepWithNext=1,
)
TITLE: Final = ParagraphStyle("title", BODY, fontName=BOLD, fontSize=17, leading=22, spaceAfter=2)
QUOTE: Final = ParagraphStyle("quote", BODY, leftIndent=8, borderPadding=0, spaceAfter=4)
GRID: Final = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 6),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]
)


def draw_summary(facts: Facts, photos: Sequence[Path], out: IO[bytes]) -> None:
    """Everything, with the first photos. The same facts give the same bytes."""
    _draw(facts, SUMMARY, photos[:MOST_PHOTOS], out)


def draw_invoice(facts: Facts, out: IO[bytes]) -> None:
    """What was bought and paid: proof of the value."""
    _draw(facts, INVOICE, (), out)


def draw_letters(facts: Facts, out: IO[bytes]) -> None:
    """What the customer wrote and what they were sent."""
    _draw(facts, LETTERS, (), out)


def _draw(facts: Facts, parts: Sequence[Part], photos: Sequence[Path], out: IO[bytes]) -> None:
    load_fonts()
    size = LETTER if facts["shop"]["country"] in LETTER_COUNTRIES else A4
    about = f"{facts['about']['title']} · {facts['shop']['name']}"
    document = SimpleDocTemplate(
        out,
        pagesize=size,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=16 * mm,
        bottomMargin=18 * mm,
        title=_plain(facts["about"]["title"]),
        author=_plain(facts["shop"]["name"]),
        invariant=1,
    )

    def foot(canvas: Canvas, _document: object) -> None:
        line = Paragraph(markup(f"{about} · page {canvas.getPageNumber()}", CELL), SMALL)
        line.wrapOn(canvas, size[0] - 36 * mm, 20)
        line.drawOn(canvas, 18 * mm, 8 * mm)

    story: list[Flowable] = [flowable for part in parts for flowable in part(facts)]
    document.build([*story, *_photos(photos)], onFirstPage=foot, onLaterPages=foot)


# --- parts --------------------------------------------------------------------------------------


def _opening(facts: Facts) -> list[Flowable]:
    about, order, shop = facts["about"], facts["order"], facts["shop"]
    told = [
        ("Shop", f"{shop['name']}, {shop['origin']}"),
        ("Order", f"{order['number']}, placed {order['placed']['local']}"),
        ("Customer", ", ".join(filter(None, (order["name"], order["email"])))),
        ("Sent to", order["address"]),
        *about["told"],
    ]
    made = f"Made on {date.fromisoformat(facts['made_on']):%d %B %Y} from the shop's own records."
    return [Paragraph(markup(about["title"]), TITLE), _say(made, SMALL), Spacer(1, 6), _pairs(told)]


def _items(facts: Facts) -> list[Flowable]:
    order = facts["order"]
    rows = [
        (line["quantity"], _item(line), line["sku"], line["unit_price"], line["paid"])
        for line in order["lines"]
    ]
    table = _table(("Pieces", "Article", "SKU", "Price each", "Paid"), rows, (14, 74, 38, 24, 24))
    return [_head("Items and amounts"), table, Spacer(1, 4), _pairs(order["amounts"])]


def _item(line: Facts) -> str:
    name = ", ".join(filter(None, (line["title"], line["variant"])))
    return f"{name} (claimed: {line['claimed']})" if line["claimed"] else name


def _parcels(facts: Facts) -> list[Flowable]:
    found: list[Flowable] = []
    for parcel in facts["parcels"]:
        scans = parcel["scans"]
        rows = [
            (scan["local"], scan["status"].replace("_", " "), scan["place"], scan["message"])
            for scan in scans[-MOST_SCANS:]
        ]
        found += [_head(f"Parcel {parcel['number']}"), _pairs(parcel["told"])]
        if rows:
            heads = ("When, local time", "Status", "Where", "What the carrier said")
            found += [Spacer(1, 4), _table(heads, rows, (42, 30, 40, 62))]
        else:
            found.append(_say("The carrier has no scans of this parcel.", SMALL))
        if len(scans) > len(rows):
            found.append(_say(f"{len(scans) - len(rows)} earlier scans are in facts.json.", SMALL))
    return found


def _words(facts: Facts) -> list[Flowable]:
    found: list[Flowable] = []
    for claim in facts["claims"]:
        found += [_head(f"Claim {claim['number']}"), _pairs(claim["told"])]
        for name, text in claim["words"]:
            found += [_say(name, SMALL), Paragraph(markup(text), QUOTE)]
    return found


def _decisions(facts: Facts) -> list[Flowable]:
    rows = [(each["local"], each["what"], each["who"], each["why"]) for each in facts["decisions"]]
    if not rows:
        return []
    return [
        _head("What was done, and by whom"),
        _table(("When", "What", "Who", "Why"), rows, (42, 34, 38, 60)),
    ]


def _cover(facts: Facts) -> list[Flowable]:
    if not facts["cover"]:
        return []
    return [_head("Cover and how it was chosen"), _pairs(facts["cover"]["told"])]


def _money(facts: Facts) -> list[Flowable]:
    rows = [(each["local"], each["kind"], each["amount"], each["for"]) for each in facts["money"]]
    return [
        _head("Money that moved on this order"),
        _table(("When", "What", "Amount", "For"), rows, (42, 34, 30, 68)),
    ]


def _sent(facts: Facts) -> list[Flowable]:
    rows = [
        (each["local"], each["subject"], each["to"], each["state"])
        for each in facts["messages"][-MOST_LETTERS:]
    ]
    if not rows:
        return []
    heads = ("Sent", "Subject", "To", "State")
    return [_head("Messages to the customer"), _table(heads, rows, (42, 66, 50, 16))]


def _texts(facts: Facts) -> list[Flowable]:
    found: list[Flowable] = []
    for each in facts["messages"][-MOST_LETTERS:]:
        if each["text"]:
            found += [
                _head(f"{each['local']} · {each['subject']}"),
                _say(f"To {each['to']}", SMALL),
                Paragraph(markup(each["text"]), QUOTE),
            ]
    return found


def _photos(paths: Iterable[Path]) -> list[Flowable]:
    found: list[Flowable] = []
    for n, path in enumerate(paths, 1):
        try:
            picture = _jpeg(path)
        except OSError:
            found.append(_say(f"Photo {n} cannot be read any more.", SMALL))
            continue
        found += [_head("Photos")] if n == 1 else []
        found += [picture, _say(f"Photo {n}", SMALL), Spacer(1, 6)]
    return found


def _jpeg(path: Path) -> Image:
    """A photo, small enough for a summary that banks take (a few megabytes in all)."""
    out = io.BytesIO()
    with Pixels.open(path, formats=("WEBP",)) as image:
        small = image.convert("RGB")
        small.thumbnail((PHOTO, PHOTO))
        small.save(out, "JPEG", quality=70)
    scale = min(150 * mm / small.width, 110 * mm / small.height)
    return Image(out, small.width * scale, small.height * scale, hAlign="LEFT")


SUMMARY: Final[tuple[Part, ...]] = (
    _opening,
    _items,
    _parcels,
    _words,
    _decisions,
    _cover,
    _money,
    _sent,
)
INVOICE: Final[tuple[Part, ...]] = (_opening, _items)
LETTERS: Final[tuple[Part, ...]] = (_opening, _words, _sent, _texts)


def _plain(words: str) -> str:
    """Without half a surrogate pair, which no encoding can hold."""
    return words.encode("utf-8", "replace").decode()


# --- pieces -------------------------------------------------------------------------------------


def _head(words: str) -> Flowable:
    return Paragraph(markup(words, CELL), HEAD)


def _say(words: str, style: ParagraphStyle) -> Flowable:
    return Paragraph(markup(words, CELL), style)


def _pairs(rows: Iterable[Sequence[str]]) -> Flowable:
    cells = [[_say(name, SMALL), _say(value or "–", BODY)] for name, value in rows]
    return LongTable(cells or [[""]], colWidths=(42 * mm, 132 * mm), style=GRID, hAlign="LEFT")


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]], widths: Sequence[int]) -> Flowable:
    cells = [
        [_say(each, SMALL) for each in heads],
        *([_say(str(each), BODY) for each in row] for row in rows),
    ]
    across = [width * mm for width in widths]
    return LongTable(cells, colWidths=across, style=GRID, repeatRows=1, hAlign="LEFT")
