"""A real mail server on this machine whose answers a test decides."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller


class MailServer:
    """Collects what it accepts. `on_rcpt` and `on_data` give an answer other than 250."""

    def __init__(self) -> None:
        self.envelopes: list[Any] = []
        self.on_rcpt: Callable[[], str] | None = None
        self.on_data: Callable[[], Any] | None = None
        self.url = ""

    async def handle_RCPT(self, server, session, envelope, recipient, options):  # noqa: N802
        if self.on_rcpt:
            return self.on_rcpt()
        envelope.rcpt_tos.append(recipient)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        answer = self.on_data() if self.on_data else None
        if isinstance(answer, str):
            return answer
        self.envelopes.append(envelope)
        if answer is not None:
            return await answer
        return "250 taken"

    @property
    def mails(self) -> list[EmailMessage]:
        """What was taken, parsed."""
        parser = BytesParser(policy=default)
        return [parser.parsebytes(each.content) for each in self.envelopes]  # type: ignore[misc]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server for one test."""
    server = MailServer()
    port = free_port()
    controller = Controller(server, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
    server.url = f"smtp://127.0.0.1:{port}"
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
