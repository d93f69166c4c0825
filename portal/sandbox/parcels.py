"""Demo parcels: a story of days told within seconds, and never a scan ahead of the clock.

A parcel given `seconds` is told live. Its n scans appear one after another, evenly over those
seconds from `starts`. Scan i (f = i / (n - 1)) is dated `days * (1 - f) ** 4` before the moment it
appears: the first is days old, each next one far closer, the last happens as it is shown. So the
newest visible scan soon is about now, order and instants are kept, and nothing lies ahead.
A parcel without `seconds` shows its first `shown` scans (all, unless said) with the story's own
times; the others wait for `advance`, which dates them with the moment they are told.
A scan once told never changes.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from carriers.simulated import Step, story

FADE: Final = 4  # how fast a live story catches up with the clock: the power of what is left of it
AT_THE_END: Final = ("out_for_delivery", "delivered", "available_for_pickup")
# What the carrier promises, in twelfths of the story from its end, where it never says delivered.
PROMISED: Final = {"pre_transit": 4, "exception_weather": 2, "late": -1, "lost_silent": -5}


@dataclass(frozen=True)
class Planned:
    """A scan that will be told at `due` (None: by `advance` only), dated at most that late."""

    step: Step
    due: datetime | None


@dataclass
class Parcel:
    """One registered parcel. `planned` is still to be told, `told` is for ever."""

    tracking_code: str
    carrier: str
    kind: str
    days: float = 12
    seconds: float | None = None
    shown: int | None = None
    ends: datetime | None = None
    service: str = "GroundAdvantage"
    promised: datetime | None = None
    local_times: bool = False
    route: str = ""
    told: list[Step] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)
    expected: datetime | None = None
    destination: Step | None = None

    def start(self, now: datetime) -> None:
        """Plan the story anew from `now` (or so that it ends at `ends`) and tell what is due."""
        self.told = []
        ends = whole_second(self.ends or now + timedelta(seconds=self.seconds or 0))
        span = timedelta(days=self.days)
        steps = story(self.kind, ends=ends, span=span, route=self.route)
        self.planned = self._live(steps, ends) if self.seconds else self._still(steps, now)
        self.expected = self.promised or _expected(self.kind, steps, ends, self.days)
        self.destination = _destination(steps, ends, self.route)
        while self.tell_next(now):
            pass

    def _live(self, steps: list[Step], ends: datetime) -> list[Planned]:
        starts = ends - timedelta(seconds=self.seconds or 0)
        planned = []
        for index, step in enumerate(steps):
            share = index / (len(steps) - 1) if len(steps) > 1 else 1.0
            due = starts + (ends - starts) * share
            at = whole_second(due - timedelta(days=self.days) * (1 - share) ** FADE)
            planned.append(Planned({**step, "at": at}, due))
        return planned

    def _still(self, steps: list[Step], now: datetime) -> list[Planned]:
        shown = len(steps) if self.shown is None else self.shown
        plan = []
        for index, step in enumerate(steps):
            at = whole_second(step["at"])
            plan.append(Planned({**step, "at": at}, max(at, now) if index < shown else None))
        return plan

    def tell_next(self, now: datetime) -> bool:
        """Tell the next scan if its time has come. True if one was told."""
        if not self.planned or self.planned[0].due is None or self.planned[0].due > now:
            return False
        self._tell(self.planned.pop(0).step, now)
        return True

    def advance(self, now: datetime) -> bool:
        """Tell the next scan whether or not it is due, dated no later than now."""
        if not self.planned:
            return False
        planned = self.planned.pop(0)
        step = planned.step if planned.due else Step({**planned.step, "at": whole_second(now)})
        self._tell(step, now)
        return True

    def _tell(self, step: Step, now: datetime) -> None:
        at = min(step["at"], whole_second(now))
        if self.told:
            at = max(at, self.told[-1]["at"])
        self.told.append(Step({**step, "at": at}))


def whole_second(moment: datetime) -> datetime:
    """EasyPost dates to the second; cutting never moves a moment ahead of the clock."""
    return moment.astimezone(UTC).replace(microsecond=0)


def _expected(kind: str, steps: list[Step], ends: datetime, days: float) -> datetime | None:
    """When the carrier says it will come; None where it says nothing."""
    delivered = [step for step in steps if step["status"] == "delivered"]
    if delivered:
        return whole_second(delivered[-1]["at"])
    share = PROMISED.get(kind)
    return None if share is None else whole_second(ends + timedelta(days=days) * share / 12)


def _destination(steps: list[Step], ends: datetime, route: str) -> Step:
    """A scan in the receiver's town; of a story cut short, in the town it was bound for."""
    arrived = [step for step in steps if step["status"] in AT_THE_END]
    return (arrived or story("on_time", ends=ends, route=route))[-1]
