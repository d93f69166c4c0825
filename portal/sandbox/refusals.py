"""How the stand-in says no: EasyPost's error envelope, nothing else."""

from typing import Any, TypedDict

Json = dict[str, Any]


class FieldError(TypedDict, total=False):
    """One entry of `errors`; EasyPost leaves `suggestion` out where it has none to make."""

    field: str
    message: str
    suggestion: str | None


class Refusal(Exception):
    """A request that EasyPost would refuse. `status` is the HTTP status, `code` its own word."""

    def __init__(
        self, status: int, code: str, message: str, errors: list[FieldError] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors or []

    def envelope(self) -> Json:
        return {"error": {"code": self.code, "message": self.message, "errors": self.errors}}


def unauthorized() -> Refusal:
    return Refusal(401, "UNAUTHORIZED", "No valid API key was given with this request.")


def not_found() -> Refusal:
    return Refusal(404, "NOT_FOUND", "The requested resource could not be found.")


def required(field: str) -> Refusal:
    errors: list[FieldError] = [{"field": field, "message": "cannot be blank"}]
    return Refusal(422, "PARAMETER.REQUIRED", "Missing required parameter.", errors)


def unprocessable(errors: list[FieldError]) -> Refusal:
    message = "The request was understood, but cannot be processed."
    return Refusal(422, "UNPROCESSABLE_ENTITY", message, errors)


def tracker_refused(word: str, message: str, field: str) -> Refusal:
    return Refusal(422, f"TRACKER.{word}", message, [{"field": field, "message": message}])
