"""Label files: plainly marked as rehearsal, so that nobody puts one on a parcel."""

from io import BytesIO
from typing import Final

import segno
from PIL import Image, ImageDraw, ImageFont

from portal.sandbox.refusals import Json

SIZE: Final = (600, 900)  # 4 x 6 inches at 150 dots an inch
TYPES: Final = {"png": "image/png", "pdf": "application/pdf"}


def draw(shipment: Json, form: str) -> bytes:
    """The label as `png` or `pdf`."""
    image = Image.new("1", SIZE, 1)
    pen = ImageDraw.Draw(image)
    pen.rectangle((10, 10, SIZE[0] - 10, SIZE[1] - 10), outline=0, width=4)
    font = ImageFont.load_default(24)
    for line, text in enumerate(lines(shipment)):
        pen.text((40, 40 + 36 * line), _plain(text), fill=0, font=font)
    _bars(pen, shipment["tracking_code"])
    out = BytesIO()
    image.save(out, form.upper(), resolution=150)
    return out.getvalue()


def draw_code(shipment: Json) -> bytes:
    """The code that stands for the label; it holds the parcel's number."""
    out = BytesIO()
    segno.make_qr(f"REHEARSAL {shipment['tracking_code']}", error="m").save(out, "png", scale=8)
    return out.getvalue()


def lines(shipment: Json) -> list[str]:
    """What the label says, from the top; a return names the customer as its sender."""
    sender, receiver = shipment["from_address"], shipment["to_address"]
    if shipment["is_return"]:
        sender, receiver = receiver, sender
    rate = shipment["selected_rate"]
    return [
        "REHEARSAL LABEL - NOT VALID FOR POSTAGE",
        f"{rate['carrier']} {rate['service']}",
        "",
        "FROM",
        *_address(sender),
        "",
        "TO",
        *_address(receiver),
        "",
        shipment["tracking_code"],
    ]


def _address(address: Json) -> list[str]:
    town = " ".join(address[part] or "" for part in ("city", "state", "zip", "country"))
    name = address["name"] or address["company"]
    return [line for line in (name, address["street1"], address["street2"], town) if line]


def _plain(text: str) -> str:
    return text.encode("latin-1", "replace").decode("latin-1")[:60]


def _bars(pen: ImageDraw.ImageDraw, code: str) -> None:
    for place, sign in enumerate(code[:30]):
        left = 40 + place * 17
        pen.rectangle((left, 740, left + 2 + ord(sign) % 10, 860), fill=0)
