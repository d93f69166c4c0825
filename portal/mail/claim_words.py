"""What the mails about a claim say: what happened to it, what comes next, what is to be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask_babel import gettext as _

from portal.mail.facts import Facts
from portal.mail.said import Words, subject


def _waiting(facts: Facts, _locale: str) -> Words:
    claim = facts.claim
    return Words(
        subject=subject(_("We have your claim {}"), claim.number),
        preheader=_("We open it for you by ourselves. You need do nothing more."),
        headline=_("We open it for you"),
        when=claim.day,
        sentence=_(
            "Many parcels turn up until then. If yours has not, we decide on that day; you need "
            "do nothing more."
        ),
        button=_("See your claim"),
        after=_("Did it arrive after all? Then call the claim off on its page."),
    )


def _open(facts: Facts, _locale: str) -> Words:
    claim = facts.claim
    return Words(
        subject=subject(_("We have your claim {}"), claim.number),
        preheader=_("A person looks at it and answers. There is nothing for you to do now."),
        headline=_("We are looking at it"),
        when=_("Answer by %(day)s", day=claim.day),
        sentence=claim.reason or _("A person looks at what you sent, and decides."),
        button=_("See your claim"),
        after=_("You can add photos or words on its page until then."),
    )


def _asked(facts: Facts, _locale: str) -> Words:
    claim = facts.claim
    return Words(
        subject=subject(_("Your claim {} needs something"), claim.number),
        preheader=_("Add it on its page, and we go on at once."),
        headline=_("We need something from you"),
        sentence=claim.reason,
        button=_("Add it now"),
        after=_("It takes a minute, and needs no account."),
    )


def _approved(facts: Facts, _locale: str) -> Words:
    claim = facts.claim
    return Words(
        subject=subject(_("Your claim {} is approved"), claim.number),
        preheader=_("What you asked for is on its way."),
        headline=_("It is approved"),
        when=claim.amount,
        sentence=_("What you asked for is on its way: %(what)s.", what=claim.wanted),
        button=_("See your claim"),
        after=_("We write again when it is done."),
    )


def _declined(facts: Facts, _locale: str) -> Words:
    claim = facts.claim
    return Words(
        subject=subject(_("About your claim {}"), claim.number),
        preheader=_("We could not accept it. The reason stands inside, and what you can do."),
        headline=_("We could not accept it"),
        sentence=claim.reason or _("What we know of the parcel does not fit."),
        button=_("Have it looked at again"),
        after=_(
            "You can have it looked at again until %(day)s. This takes nothing from your rights "
            "by law.",
            day=claim.day,
        ),
    )


def _paid(facts: Facts, _locale: str) -> Words:
    claim = facts.claim
    return Words(
        subject=subject(_("Your claim {} is done"), claim.number),
        preheader=_("What you asked for has been sent."),
        headline=_("It is done"),
        when=claim.amount,
        sentence=_("Done: %(what)s. We are sorry for the trouble.", what=claim.wanted),
        button=_("See your claim"),
        after=_("Banks usually show money back within 5 days."),
    )


def _cancelled(facts: Facts, _locale: str) -> Words:
    claim = facts.claim
    return Words(
        subject=subject(_("Your claim {} was called off"), claim.number),
        preheader=_("There is nothing for you to do. If something is wrong after all, tell us."),
        headline=_("It was called off"),
        sentence=_("Nothing more happens. Is something wrong after all? Then tell us anew."),
        button=_("See your claim"),
    )


CLAIM_WORDS: Final[dict[str, Callable[[Facts, str], Words]]] = {
    "claim_waiting": _waiting,
    "claim_open": _open,
    "claim_asked": _asked,
    "claim_approved": _approved,
    "claim_declined": _declined,
    "claim_paid": _paid,
    "claim_cancelled": _cancelled,
}
