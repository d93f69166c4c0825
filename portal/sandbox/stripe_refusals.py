"""How the stand-in says no where it is Stripe: Stripe's error envelope."""

from typing import Any

from portal.sandbox.refusals import Json, Refusal


class StripeRefusal(Refusal):
    """A request that Stripe would refuse.

    `executed` is false where the call never began, so that no answer is kept under its key.
    `more` are further fields of the error: param, decline_code, payment_intent, charge ...
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        *,
        kind: str = "invalid_request_error",
        executed: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(status, code or "", message)
        self.kind = kind
        self.executed = executed
        self.more = more

    def envelope(self) -> Json:
        """`{"error": {...}}` with only the fields that say something."""
        error = {"code": self.code or None, "message": self.message, "type": self.kind, **self.more}
        if self.code:
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        return {"error": {name: value for name, value in error.items() if value is not None}}


def wrong(message: str, code: str | None = None, **more: Any) -> StripeRefusal:
    """A 400 of a call that began."""
    return StripeRefusal(400, message, code, **more)


def misasked(message: str, code: str | None, param: str) -> StripeRefusal:
    """A 400 of a call that never began: its parameters cannot be meant."""
    return StripeRefusal(400, message, code, executed=False, param=param)


def missing(noun: str, id: str, param: str = "id", status: int = 404) -> StripeRefusal:
    """No object of that id."""
    return StripeRefusal(status, f"No such {noun}: '{id}'", "resource_missing", param=param)


def unsupported(param: str) -> StripeRefusal:
    """A parameter that Stripe knows and the stand-in does not act on: better said than ignored."""
    message = f"The sandbox does not act on '{param}'. Stripe would; leave it out in rehearsals."
    return misasked(message, "parameter_unsupported", param)


def key_in_use(key: str | None) -> StripeRefusal:
    """A 409: the first request under this key is still under way."""
    message = (
        "There is currently another in-progress request using this Idempotency Key "
        f"(that probably means you submitted twice): {key}. Please try again later."
    )
    code = "idempotency_key_in_use"
    return StripeRefusal(409, message, code, kind="idempotency_error", executed=False)


def unavailable(status: int, message: str) -> StripeRefusal:
    """A failure on Stripe's side."""
    return StripeRefusal(status, message, kind="api_error")
