"""What each kind of mail says. Subjects name event and order, never a person."""

from __future__ import annotations

from dataclasses import asdict, replace

from flask_babel import gettext as _

from portal.mail.claim_words import CLAIM_WORDS
from portal.mail.facts import Facts, long_day, plain, short_day, time_of_day
from portal.mail.law_words import LAW_WORDS
from portal.mail.return_words import RETURN_WORDS
from portal.mail.said import Words, cut
from portal.mail.said import subject as _subject

PREHEADER = 90


def words_of(kind: str, facts: Facts, locale: str) -> Words:
    if kind == "needs_act":
        kind = facts.status if facts.status in NEEDS_ACT else "exception"
    said = asdict(WORDS[kind](facts, locale))
    words = Words(**{name: plain(text) for name, text in said.items()})
    return replace(words, preheader=cut(words.preheader, PREHEADER))


def _shipped(facts: Facts, locale: str) -> Words:
    return Words(
        subject=_subject(_("Order {} is on its way"), facts.number),
        preheader=_("The carrier has picked it up. Follow it on its page, where the date shows."),
        headline=_("It is on its way"),
        sentence=_("%(carrier)s has picked up your parcel.", carrier=_carrier(facts)),
        when=_arrives(facts, locale),
        after=_("We write again when it is out for delivery."),
    )


def _out_for_delivery(facts: Facts, locale: str) -> Words:
    return Words(
        subject=_subject(_("Order {} is out for delivery"), facts.number),
        preheader=_("It is in the van and should be with you by the end of the day."),
        headline=_("It comes today"),
        sentence=_("%(carrier)s has it in the van.", carrier=_carrier(facts)),
        when=long_day(facts.at.date(), locale) if facts.at else "",
        after=_("Nobody in? The page tells you where it was left or when they come again."),
    )


def _delivered(facts: Facts, locale: str) -> Words:
    when = ""
    if facts.at:
        day, time = long_day(facts.at.date(), locale), time_of_day(facts.at, locale)
        when = _("%(day)s at %(time)s", day=day, time=time)
    return Words(
        subject=_subject(_("Order {} has been delivered"), facts.number),
        preheader=_("It has been handed over. Not there? Tell us, and we look into it."),
        headline=_("Delivered"),
        sentence=_("%(carrier)s has handed over your parcel.", carrier=_carrier(facts)),
        when=when,
        after=_("Not there? Ask at the door and next door first, then write to us."),
    )


def _late(facts: Facts, locale: str) -> Words:
    subject = _subject(_("Order {} is running late"), facts.number)
    when = was = ""
    if facts.eta and facts.first_eta:
        day = short_day(facts.eta, locale)
        subject = _("New date for order {}: %(day)s", day=day)
        if _is_span(facts):
            subject = _("New date for order {}: by %(day)s", day=day)
        subject = _subject(subject, facts.number)
        when = _arrives(facts, locale)
        was = _("It was planned for %(day)s.", day=long_day(facts.first_eta, locale))
    return Words(
        subject=subject,
        preheader=_("It takes longer than planned. There is nothing for you to do."),
        headline=_("It comes later than planned"),
        sentence=_("It is taking longer with %(carrier)s than planned.", carrier=_carrier(facts)),
        when=when,
        was=was,
        after=_("It is still coming. Rather not wait? Write to us."),
    )


def _silent(facts: Facts, locale: str) -> Words:
    return Words(
        subject=_subject(_("No news of order {} for a while"), facts.number),
        preheader=_("We are watching it. There is nothing for you to do."),
        headline=_("We have not heard of it for a while"),
        sentence=_(
            "%(carrier)s has not scanned it for longer than usual.", carrier=_carrier(facts)
        ),
        after=_("Most parcels move again soon. Rather not wait? Write to us."),
    )


def _presumed_lost(facts: Facts, locale: str) -> Words:
    return Words(
        subject=_subject(_("Order {} is probably lost"), facts.number),
        preheader=_("You do not have to wait any longer. You choose what happens now."),
        headline=_("It is probably lost"),
        sentence=_(
            "%(carrier)s has not scanned it for so long that we no longer expect it.",
            carrier=_carrier(facts),
        ),
        button=_("Choose what happens now"),
        after=_("A replacement or your money back: you say which, and we do the rest."),
    )


def _exception(facts: Facts, locale: str) -> Words:
    return Words(
        subject=_subject(_("Order {} needs your attention"), facts.number),
        preheader=_("It is held up on the way. The page shows what you can do about it."),
        headline=_("It is held up"),
        sentence=_("%(carrier)s reports a problem on the way.", carrier=_carrier(facts)),
        after=_("The page shows what has happened and what you can do. Write to us at any time."),
    )


def _attempt_failed(facts: Facts, locale: str) -> Words:
    return Words(
        subject=_subject(_("Delivery of order {} was tried"), facts.number),
        preheader=_("Nobody could take it in. Choose a day or a place that suits you."),
        headline=_("Delivery was tried"),
        sentence=_("%(carrier)s came by and could not hand it over.", carrier=_carrier(facts)),
        when=long_day(facts.at.date(), locale) if facts.at else "",
        after=_("The page leads you to where you choose another day or place."),
    )


def _pickup(facts: Facts, locale: str) -> Words:
    return Words(
        subject=_subject(_("Order {} is ready for pickup"), facts.number),
        preheader=_("It is waiting for you. The page leads you to address and opening hours."),
        headline=_("Ready for pickup"),
        sentence=_("It is waiting for you at the pickup point."),
        after=_("Bring an ID or the pickup code."),
    )


def _returning(facts: Facts, locale: str) -> Words:
    return Words(
        subject=_subject(_("Order {} is coming back to us"), facts.number),
        preheader=_("It could not be delivered. Still want it? Tell us what to do with it."),
        headline=_("It is coming back to us"),
        sentence=_(
            "%(carrier)s could not deliver it and is bringing it back.", carrier=_carrier(facts)
        ),
        after=_("Still want it? Write to us: we send it again or give your money back."),
    )


def _code(facts: Facts, locale: str) -> Words:
    confirms = facts.purpose == "confirm"
    subject = _("Confirm updates for order {}") if confirms else _("Your code for order {}")
    if facts.purpose == "account":
        subject = _("Your sign-in code (order {})")
    return Words(
        subject=_subject(subject, facts.number),
        preheader=_("It works for 10 minutes, once, in the browser that asked for it."),
        headline=_("Your code"),
        sentence=_("Type it on the page to get messages about this order at this address.")
        if confirms
        else _("Type it on the page that asked for it."),
        after=_("You did not ask for it? Then do nothing: without it nobody gets in."),
    )


def _question(facts: Facts, locale: str) -> Words:
    return Words(
        subject=_subject(_("A question about order {}"), facts.number),
        preheader=_("We need your answer before we can go on with your return."),
        headline=_("A question about your return"),
        sentence=facts.question,
        after=_("Simply answer this mail. Then we go on with your return."),
    )


NEEDS_ACT = {
    "exception": _exception,
    "attempt_failed": _attempt_failed,
    "available_for_pickup": _pickup,
    "return_to_sender": _returning,
}
WORDS = {
    "shipped": _shipped,
    "out_for_delivery": _out_for_delivery,
    "delivered": _delivered,
    "late": _late,
    "silent": _silent,
    "presumed_lost": _presumed_lost,
    "code": _code,
    "question": _question,
    **NEEDS_ACT,
    **RETURN_WORDS,
    **LAW_WORDS,
    **CLAIM_WORDS,
}


def _is_span(facts: Facts) -> bool:
    return facts.eta is not None and facts.eta_from is not None and facts.eta_from < facts.eta


def _arrives(facts: Facts, locale: str) -> str:
    if facts.eta is None:
        return ""
    last = long_day(facts.eta, locale)
    if facts.eta_from is None or not _is_span(facts):
        return str(_("Arrives %(day)s", day=last))
    first = long_day(facts.eta_from, locale)
    return str(_("Arrives %(first)s to %(last)s", first=first, last=last))


def _carrier(facts: Facts) -> str:
    return facts.carrier or _("The carrier")
