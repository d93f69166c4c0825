"""What the mails about a withdrawal say: the receipt, and what the right does not cover."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.mail.facts import Facts
from portal.mail.said import Words, subject


def _receipt(facts: Facts, _locale: str) -> Words:
    return Words(
        subject=subject(_("We have your withdrawal: {}"), facts.number),
        preheader=_("Keep this mail: it says what you declared, and when we received it."),
        headline=_("We have your withdrawal"),
        when=facts.moment,
        sentence=_(
            "You have declared that you withdraw from your contract. This is what we received, "
            "and when. Keep this mail as your proof."
        ),
        button=_("See your receipt"),
        after=_(
            "You have 14 days from now to send the goods back; another mail says how. We pay back "
            "what you paid, with the usual shipping to you, within 14 days, at the latest once the "
            "goods or proof that you sent them have reached us."
        ),
    )


def _exempt(facts: Facts, _locale: str) -> Words:
    return Words(
        subject=subject(_("About your withdrawal: {}"), facts.number),
        preheader=_("For some of the goods the law gives no right to withdraw. Which, and why."),
        headline=_("Some of it is exempt"),
        sentence=_(
            "Your withdrawal stands for everything else. For these goods the law gives no right to "
            "withdraw:"
        ),
        after=_("Do we have it wrong? Simply answer this mail: a person looks at it."),
    )


LAW_WORDS = {"withdrawal_receipt": _receipt, "withdrawal_exempt": _exempt}
