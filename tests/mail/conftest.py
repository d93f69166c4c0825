"""A house that sends through a real mail server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask

from tests.channels.conftest import MailServer, mail_server
from tests.conftest import running_app
from tests.mail.stories import START

__all__ = ["mail_server"]
FROM = "House <orders@house.example>"


@pytest.fixture
def time() -> Iterator[time_machine.Traveller]:
    """Monday morning in Austin; time stands until it is moved."""
    with time_machine.travel(START, tick=False) as travelled:
        yield travelled


@pytest.fixture
def posting_app(sqlite_url: str, mail_server: MailServer) -> Iterator[Flask]:
    """The site on SQLite with the test's mail server."""
    yield from running_app(sqlite_url, SMTP_URL=mail_server.url, MAIL_FROM=FROM)


@pytest.fixture
def any_posting_app(database_url: str, mail_server: MailServer) -> Iterator[Flask]:
    """The same on each database in turn."""
    yield from running_app(database_url, SMTP_URL=mail_server.url, MAIL_FROM=FROM)
