"""Pages of a list: where the last one ended, as a word that means nothing to the reader."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from portal.sources.sentences import Invalid, wrong

MOST: int = 100
Limit = Annotated[int, Field(ge=1, le=MOST)]


class PageQuery(BaseModel):
    """Which part of a list: up to `limit`, after where `cursor` ended."""

    model_config = ConfigDict(extra="forbid")

    limit: Limit = 50
    cursor: Annotated[str, Field(max_length=300)] = ""


def cursor_of(*parts: str) -> str:
    """A cursor that stands for the last row's place."""
    return base64.urlsafe_b64encode("\n".join(parts).encode()).decode().rstrip("=")


def place_of(cursor: str, parts: int) -> list[str]:
    """The place a cursor stands for. Raises Invalid for one that we did not give."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").split("\n")
    except (ValueError, binascii.Error):
        raise unknown_cursor() from None
    if len(found) != parts or not all(part and part.isprintable() for part in found):
        raise unknown_cursor()
    return found


def unknown_cursor() -> Invalid:
    """The Invalid for a cursor that we did not give."""
    return wrong("cursor", "This is no cursor of ours. Send next_cursor as you got it.")
