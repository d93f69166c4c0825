"""Saying no to a machine: a problem with its status, its sentence and its fields."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from flask import Response

from portal.errors import problem
from portal.sources.sentences import FieldError


class Refusal(Exception):
    """A request that is answered with a problem; nothing was changed by it."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    def response(self) -> Response:
        """The problem as it goes out."""
        title = HTTPStatus(self.status).phrase
        made = problem(self.status, title, self.detail, [dict(each) for each in self.errors])
        made.headers.update(self.headers)
        return made


def invalid(errors: Sequence[FieldError]) -> Refusal:
    """422: the request was understood, and something in it cannot be taken."""
    return Refusal(422, "Some of this cannot be taken. Nothing was changed.", errors)


def not_found() -> Refusal:
    """404, the same for what never was and for what is another shop's."""
    return Refusal(404, "There is nothing here under this id.")
