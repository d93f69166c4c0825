"""A worker that is killed at a chosen point: `python -m tests.jobs.killed POINT`.

Points are counted in the order in which they come: before and after each write to the database,
and before and after each word with the outside. Without such a point it ends by itself.

With KILLED_CALL, a JSON object of `path`, `body` and `headers`, it is a process that answers this
POST instead, and every statement that writes is a point as well.
"""

from __future__ import annotations

import json
import os
import signal
import smtplib
import sys
from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import event

from carriers.easypost_wire import OneTry
from portal import create_app
from portal.db import db
from portal.jobs.work import work

QUEUES = tuple(os.environ.get("KILLED_QUEUES", "apply poll send").split())
CALL = os.environ.get("KILLED_CALL", "")


class Points:
    """Counts, and kills this process with SIGKILL at the point that was asked for."""

    def __init__(self, deadly: int) -> None:
        self._deadly = deadly
        self.count = 0

    def reach(self, *_: object) -> None:
        self.count += 1
        if self.count == self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, of: type, name: str) -> None:
        """A point before and after every call of a method."""
        inner: Callable[..., Any] = getattr(of, name)

        def called(*args: Any, **options: Any) -> Any:
            self.reach()
            answer = inner(*args, **options)
            self.reach()
            return answer

        setattr(of, name, called)

    def watch(self) -> None:
        """Commits, questions to the carrier and mails are points."""
        writes = db.engine.dialect.do_commit

        def commit(connection: Any) -> None:
            self.reach()
            writes(connection)
            self.reach()

        db.engine.dialect.do_commit = commit  # type: ignore[method-assign]
        event.listen(db.engine, "rollback", self.reach)
        if CALL:
            event.listen(db.engine, "after_cursor_execute", self._wrote)
        self.around(OneTry, "send")
        self.around(smtplib.SMTP, "data")

    def _wrote(self, *facts: Any) -> None:
        context = facts[4]
        if context.isinsert or context.isupdate or context.isdelete:
            self.reach()


def main(deadly: int) -> None:
    """Answer the call, or do all that is due like a worker, in one thread."""
    app = create_app()
    with app.app_context():
        points = Points(deadly)
        points.watch()
        if CALL:
            answer(app, **json.loads(CALL))
            return
        while sum(work(queue) for queue in QUEUES):
            pass


def answer(app: Flask, path: str, body: dict[str, Any], headers: dict[str, str]) -> None:
    """Take one POST in, as a server's thread does."""
    app.test_client().post(path, json=body, headers=headers)


if __name__ == "__main__":
    main(int(sys.argv[1]))
