"""kill -9 at any moment of a reminder: it is found again without a queue, and told once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from portal import clock
from portal.db import db, every_shop, session, writing
from portal.jobs.work import work
from portal.models import Due, Message
from portal.models.rma_acts import APPROVED_FOR
from portal.models.rma_news import REMINDED_BEFORE
from tests.channels.conftest import MailServer, mail_server
from tests.conftest import SECRET, running_app
from tests.mail.conftest import FROM
from tests.models.bought import ask, bought, shirts

__all__ = ["mail_server"]
ROOT = Path(__file__).resolve().parents[2]


def die_at(point: int, **given: str) -> bool:
    """Run a worker that dies at that point; False where it ended before."""
    db.engine.dispose()
    environ = {**os.environ, **given, "KILLED_QUEUES": "expire send"}
    command = [sys.executable, "-m", "tests.jobs.killed", str(point)]
    code = subprocess.run(command, cwd=ROOT, env=environ, timeout=60, check=False).returncode
    assert code in (0, -signal.SIGKILL)
    return code != 0


def reminded(url: str, server: MailServer, point: int) -> bool:
    posting = {"SMTP_URL": server.url, "MAIL_FROM": FROM}
    base = {"SECRET_KEY": SECRET, "BASE_URL": "http://127.0.0.1:8000", "DATABASE_URL": url}
    for _ in running_app(url, **posting):
        asked_at = clock.now() - APPROVED_FOR + REMINDED_BEFORE - timedelta(hours=1)
        ask(bought(now=asked_at), shirts(1), now=asked_at, method="own_label")
        died = die_at(point, **base, **posting)
        for _ in range(3):
            with every_shop(), writing():
                session.execute(update(Due).where(Due.leased).values(at=clock.now()))
            for queue in ("expire", "send"):
                work(queue)
        with every_shop():
            states = dict(session.execute(select(Message.kind, Message.state)).all())
            due = session.scalars(select(Due.at).where(Due.queue == "expire")).one()
        assert states == {"return_approved": "dead", "return_reminder": "sent"}
        assert due == asked_at + APPROVED_FOR
        assert {mail["Subject"] for mail in server.mails} == {"Return 1001-R1 can still be sent"}
        assert len({mail["Message-ID"] for mail in server.mails}) == 1
    return died


@pytest.mark.parametrize("point", [2, 9])
def test_killed_at_some_point_a_reminder_is_told_once(
    database_url: str, mail_server: MailServer, point: int
) -> None:
    assert reminded(database_url, mail_server, point), "it has to die there"


@pytest.mark.long
@pytest.mark.parametrize("point", range(1, 40))
def test_killed_at_any_point_a_reminder_is_told_once(
    database_url: str, mail_server: MailServer, point: int
) -> None:
    if not reminded(database_url, mail_server, point):
        assert point > 10, "a worker without enough points proves nothing"
