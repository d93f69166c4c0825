"""What the mails about a return say: what happened, what comes next, and what is to be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask_babel import gettext as _

from portal.mail.facts import Facts
from portal.mail.said import Words, subject


def _requested(facts: Facts, _locale: str) -> Words:
    rma = facts.rma
    return Words(
        subject=subject(_("We have your return {}"), rma.number),
        preheader=_("A person looks at it and answers. There is nothing for you to do now."),
        headline=_("We look at it"),
        sentence=_("You asked to send something back. A person looks at it and decides."),
        when=_("Answer by %(day)s", day=rma.day) if rma.day else "",
        after=_("Please keep it until you hear from us."),
    )


def _approved(facts: Facts, _locale: str) -> Words:
    rma = facts.rma
    if rma.keeps:
        return Words(
            subject=subject(_("Return {} is approved"), rma.number),
            preheader=_("You need not send anything back. What you get for it is on its way."),
            headline=_("It is approved"),
            sentence=_("You need not send anything back: keep it, or give it away."),
            after=rma.after,
        )
    return Words(
        subject=subject(_("Return {} is approved"), rma.number),
        preheader=_("What to do now, step by step, and until when it can be sent."),
        headline=_("It is approved"),
        sentence=_(
            "Please wait for its label before you send it. It follows in a mail of its own, "
            "usually within the hour."
        )
        if rma.waits_for_label
        else _("You can send it back now. This is what to do."),
        when=_("Send it off by %(day)s", day=rma.day) if rma.day else "",
        after=rma.after,
    )


def _declined(facts: Facts, _locale: str) -> Words:
    rma = facts.rma
    return Words(
        subject=subject(_("About your return {}"), rma.number),
        preheader=_("We cannot take it back. The reason stands inside, and what you can do."),
        headline=_("We cannot take it back"),
        sentence=rma.reason or _("It is not within our return rules."),
        after=_(
            "Do we have it wrong? Simply answer this mail and say why: a person looks again. Your "
            "legal rights stay as they are."
        ),
    )


def _label(facts: Facts, _locale: str) -> Words:
    rma = facts.rma
    return Words(
        subject=subject(_("The label for return {} is here"), rma.number),
        preheader=_("Now it can be sent. What to do stands inside, step by step."),
        headline=_("Your label is here"),
        sentence=_("Now you can send it back. This is what to do."),
        when=_("Send it off by %(day)s", day=rma.day) if rma.day else "",
        after=rma.after,
    )


def _shipped(facts: Facts, _locale: str) -> Words:
    rma = facts.rma
    return Words(
        subject=subject(_("Return {} is on its way to us"), rma.number),
        preheader=_("The carrier has scanned it. We follow it from here; you are done."),
        headline=_("It is on its way to us"),
        sentence=_("The carrier has scanned your parcel. Keep the receipt until it is here."),
        when=_("Here by %(day)s", day=rma.day) if rma.day else "",
        after=rma.after,
    )


def _arrived(facts: Facts, _locale: str) -> Words:
    rma = facts.rma
    return Words(
        subject=subject(_("Return {} has arrived"), rma.number),
        preheader=_("It is here. We look at everything and write to you again."),
        headline=_("It is here"),
        sentence=_("Your return is back with us. Next we look at everything in it."),
        when=_("Checked by %(day)s", day=rma.day) if rma.day else "",
        after=rma.after,
    )


def _checked(facts: Facts, _locale: str) -> Words:
    rma = facts.rma
    return Words(
        subject=subject(_("We have checked return {}"), rma.number),
        preheader=_("What we could accept, what not, and what comes next."),
        headline=_("We have looked at it"),
        sentence=_accepted(facts),
        after=rma.after
        if rma.accepted == rma.judged
        else " ".join(
            [
                *([rma.after] if rma.accepted else []),
                _("Do we have it wrong? Simply answer this mail: a person looks again."),
            ]
        ),
    )


def _accepted(facts: Facts) -> str:
    rma = facts.rma
    if not rma.accepted:
        said = _("We could not accept what came back. The reason stands below.")
    elif rma.accepted == rma.judged:
        said = _("All of it is accepted. Thank you.")
    else:
        said = _(
            "We accepted %(some)d of %(all)d. Below stands what, and why not the rest.",
            some=rma.accepted,
            all=rma.judged,
        )
    return str(said)


def _refunded(facts: Facts, _locale: str) -> Words:
    rma = facts.rma
    return Words(
        subject=subject(_("Your refund for return {}"), rma.number),
        preheader=_("We have sent it. When you can see it stands inside."),
        headline=_("Your refund is on its way"),
        sentence=_("We have sent it to you in another way than you paid, as agreed with you.")
        if rma.by_hand
        else _("We have sent it to the same card or account that you paid with."),
        when=_("Visible by %(day)s", day=rma.day) if rma.day else "",
        after=_(
            "How long that takes is up to your bank. Not there by then? Answer this mail, and we "
            "look into it."
        ),
    )


def _credited(facts: Facts, _locale: str) -> Words:
    rma = facts.rma
    return Words(
        subject=subject(_("Store credit for return {}"), rma.number),
        preheader=_("It is yours to spend from now on."),
        headline=_("Your store credit is here"),
        sentence=_("It is yours to spend from now on, in as many orders as you like."),
        when=_("To be spent by %(day)s", day=rma.ends) if rma.ends else "",
        after="" if rma.ends else _("It does not expire."),
    )


def _exchanged(facts: Facts, _locale: str) -> Words:
    rma = facts.rma
    return Words(
        subject=subject(_("Your exchange for return {}"), rma.number),
        preheader=_("It is an order of its own now. Follow it like any other."),
        headline=_("Your exchange is ordered"),
        sentence=_(
            "%(other)s is order %(number)s now. We send it as soon as we can.",
            other=rma.other or _("The other article"),
            number=rma.order or facts.number,
        ),
        after=_("We write again when it is on its way."),
        button=_("Follow your new order"),
    )


def _due(facts: Facts, _locale: str) -> Words:
    rma = facts.rma
    return Words(
        subject=subject(_("One payment left for return {}"), rma.number),
        preheader=_("Your exchange costs more than what you sent back. Pay it on its page."),
        headline=_("One payment, then it is sent"),
        sentence=_(
            "%(other)s costs more than what you send back. We send it once the difference is paid.",
            other=rma.other or _("The other article"),
        ),
        when=_("Kept for you until %(day)s", day=rma.day) if rma.day else "",
        after=_(
            "Nothing is charged by itself. Changed your mind? Answer this mail, and you get your "
            "money back instead."
        ),
        button=_("Pay the difference"),
    )


def _reminder(facts: Facts, _locale: str) -> Words:
    rma = facts.rma
    return Words(
        subject=subject(_("Return {} can still be sent"), rma.number),
        preheader=_("Its approval ends soon. Here is once more what to do."),
        headline=_("It has not been sent yet"),
        sentence=_("Your return is approved, and we have not seen its parcel. Already handed in?")
        + " "
        + _("Then there is nothing to do. Changed your mind? Then simply keep it."),
        when=_("Send it off by %(day)s", day=rma.day) if rma.day else "",
        after=rma.after,
    )


def _expired(facts: Facts, _locale: str) -> Words:
    rma = facts.rma
    return Words(
        subject=subject(_("The approval of return {} ended"), rma.number),
        preheader=_("Nothing was sent in time. What that means, and what you can do."),
        headline=_("Its approval has ended"),
        sentence=_(
            "We have seen no parcel, so that the approval has ended. You keep what you have, and "
            "nothing is given back for it. A label that we sent cannot be used any more."
        ),
        after=_(
            "Still want to send it back? Start it anew on its page while the return window is "
            "open. Sent already? Answer this mail with the receipt, and we find it."
        ),
    )


def _cancelled(facts: Facts, _locale: str) -> Words:
    rma = facts.rma
    return Words(
        subject=subject(_("Return {} was called off"), rma.number),
        preheader=_("We have called it off. Please do not send it any more."),
        headline=_("It was called off"),
        sentence=rma.reason or _("We have called your return off. Please do not send it any more."),
        after=_(
            "You keep what you have, and nothing is given back for it. Is that not what you "
            "wanted? Answer this mail, and we look at it together."
        ),
    )


def _charge_soon(facts: Facts, _locale: str) -> Words:
    rma = facts.rma
    return Words(
        subject=subject(_("Please send back return {}"), rma.number),
        preheader=_("So that nothing is charged to your card. The day stands inside."),
        headline=_("Please send it back, so that nothing is charged"),
        sentence=_(
            "We sent you the other article at once, and have not seen the first one come back. "
            "What is not with the carrier by the day below is charged to your card, once, and at "
            "most the amount below."
        ),
        when=_("Charged on %(day)s", day=rma.day),
        after=_("Already handed in? Then answer this mail with the receipt."),
    )


def _charged(facts: Facts, _locale: str) -> Words:
    rma = facts.rma
    return Words(
        subject=subject(_("Your card was charged for return {}"), rma.number),
        preheader=_("What we sent you at once is paid. What you can still do stands inside."),
        headline=_("Your card was charged"),
        sentence=_(
            "The article to be exchanged did not come back in time, so that the one we sent you "
            "was charged to your card, as agreed."
        ),
        after=_(
            "Is it on its way? Once it is here and looked at, exactly this charge is given back."
        ),
    )


def _charge_failed(facts: Facts, _locale: str) -> Words:
    rma = facts.rma
    return Words(
        subject=subject(_("Your card could not be charged for return {}"), rma.number),
        preheader=_("Nothing was charged. What you can do stands inside."),
        headline=_("Your card could not be charged"),
        sentence=_(
            "The article to be exchanged did not come back in time, and your bank did not let us "
            "charge your card. Nothing was charged, and we do not try again by ourselves."
        ),
        after=_(
            "Please pay it on the page below, or send the article back. Once it is paid, or here, "
            "nothing is open any more."
        ),
    )


RETURN_WORDS: Final[dict[str, Callable[[Facts, str], Words]]] = {
    "return_requested": _requested,
    "return_approved": _approved,
    "return_declined": _declined,
    "return_label": _label,
    "return_shipped": _shipped,
    "return_arrived": _arrived,
    "return_checked": _checked,
    "return_refunded": _refunded,
    "return_credited": _credited,
    "return_exchanged": _exchanged,
    "return_due": _due,
    "return_reminder": _reminder,
    "return_expired": _expired,
    "return_cancelled": _cancelled,
    "return_charge_soon": _charge_soon,
    "return_charged": _charged,
    "return_charge_failed": _charge_failed,
}
