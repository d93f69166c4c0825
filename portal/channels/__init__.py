"""How people are told: one file a channel. Channels know no models and no pages."""

from __future__ import annotations

from typing import Protocol, TypeVar

Content = TypeVar("Content", contravariant=True)


class ChannelError(Exception):
    """A message was not handed over, or nobody knows. `str()` says what happened, for staff.

    `permanent`: trying again is hopeless. `outcome_unknown`: the other side may have it; try again
    only with the same reference, by which it is recognised.
    """

    def __init__(self, text: str, *, permanent: bool = False, outcome_unknown: bool = False):
        super().__init__(text)
        self.permanent = permanent
        self.outcome_unknown = outcome_unknown


class Channel(Protocol[Content]):
    """What a channel's module gives: one function."""

    def send(self, message: Content, where: str, sender: str) -> str:
        """Hand one message over; gives the reference the other side knows it by.

        `where` is the provider's address with its credentials. Raises ChannelError, nothing else.
        """
        ...
