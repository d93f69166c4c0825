"""What the mails about a withdrawal tell: the declaration word by word, and exempt goods."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask_babel import force_locale
from sqlalchemy import select

from portal import clock
from portal.db import session
from portal.keys import unseal
from portal.mail import Facts, Item, plain, reading
from portal.models import Message, Shop, Withdrawal
from portal.pages.dates import Calendar
from portal.pages.speech import _
from portal.pages.withdrawal_words import declared, ground_words

KINDS: Final = ("withdrawal_receipt", "withdrawal_exempt")


def facts_of(message: Message, shop: Shop, locale: str) -> Facts:
    """The mail's facts in its reader's language. Raises Unsealable."""
    told = message.facts
    language, dates = reading(locale)
    calendar = Calendar.at(clock.now(), dates, shop.timezone)
    with force_locale(language):
        if message.kind == "withdrawal_exempt":
            items = tuple(
                Item(plain(each["title"] or each["sku"]), note=ground_words(each["ground"]))
                for each in told["exempt"]
            )
            return Facts(told["number"], items=items)
        at = calendar.local(datetime.fromisoformat(told["at"]))
        rows = declared(told["name"], told["number"], told["email"], told["articles"])
        return Facts(
            told["number"],
            link=f"{shop.origin}/withdraw/{_token(told['withdrawal'])}",
            moment=_("Received on %(when)s", when=calendar.full(at)),
            items=tuple(Item(title, note=plain(value)) for title, value in rows),
        )


def _token(withdrawal_id: str) -> str:
    sealed = select(Withdrawal.token_sealed).where(Withdrawal.id == withdrawal_id)
    return unseal(session.scalars(sealed).one())
