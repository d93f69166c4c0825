"""The reference for the machine API: the house itself with a route that does nothing.

It lets the same caller in, reads the same JSON as strictly, and answers as many bytes.
"""

from __future__ import annotations

import os

from pydantic import BaseModel

from portal import create_app
from portal.api.endpoint import Call, endpoint
from portal.api.protection import QuoteBody
from portal.logs import configure


class Filling(BaseModel):
    """Something to send."""

    filling: str


@endpoint(
    "POST",
    "/bare",
    scope="protection",
    body=QuoteBody,
    replies={200: Filling},
    computes=True,
)
def bare(_call: Call) -> tuple[int, Filling]:
    """Answer at once."""
    return 200, Filling(filling="x" * int(os.environ.get("BENCH_BYTES", "0")))


configure()
app = create_app()
