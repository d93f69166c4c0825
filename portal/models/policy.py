"""A shop's returns policy in its versions: drafts, what holds, what held and when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Index,
    Integer,
    Select,
    String,
    Text,
    UniqueConstraint,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId, session
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.shop import Shop
from portal.sources.sentences import Invalid, wrong
from portal.tenancy import OfShop, shop_in_scope
from returns.cases import Case, broken
from returns.lint import lint
from returns.policy import DocumentError, Policy
from returns.standard import standard_policy
from returns.versions import diff

MOST_TOLD = 100  # changes that an audit entry names
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)  # the standard policy holds for orders of any age


class PolicyVersion(OfShop, Base):
    """One version of the shop's policy. `since` is when it holds from; None for a draft.

    What it is now follows from the clock alone: draft, scheduled, live or retired. A version that
    was published is never changed; rolling back is publishing an old one's rules as a new version.
    """

    __tablename__ = "policy_version"
    __table_args__ = (
        UniqueConstraint("shop_id", "version"),
        UniqueConstraint("shop_id", "id"),
        Index(None, "shop_id", "since"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    hash: Mapped[str] = mapped_column(String(64))
    document: Mapped[dict[str, Any]]
    expectations: Mapped[dict[str, Any]] = mapped_column(default=dict)  # saved cases, by name
    since: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    published_by: Mapped[str] = mapped_column(String(120), default="")

    @staticmethod
    def draft(document: Any, by: str, now: datetime, note: str = "") -> PolicyVersion:
        """Keep a policy as the shop's next version, not in force. Raises Invalid with sentences.

        Whatever version the document names, it gets the next number.
        """
        numbered = document
        if isinstance(document, Mapping):
            newest = session.scalar(select(func.max(PolicyVersion.version))) or 0
            numbered = {**document, "version": newest + 1}
        policy = read_policy(numbered)
        made = PolicyVersion(
            version=policy.version,
            hash=policy.hash,
            document=policy.to_json(),
            note=note,
            created_by=by,
            created_at=now,
        )
        session.add(made)
        session.flush()
        record(by, "policy.drafted", f"policy:{made.version}", after={"hash": made.hash})
        return made

    @property
    def policy(self) -> Policy:
        """The document, read."""
        return _kept(self.hash, lambda: self.document)

    @staticmethod
    def locked(version: int) -> PolicyVersion | None:
        """One version, locked for this transaction."""
        wanted = select(PolicyVersion).where(PolicyVersion.version == version).with_for_update()
        return session.scalar(wanted.execution_options(populate_existing=True))

    def revise(self, document: Mapping[str, Any], by: str, now: datetime) -> None:
        """Give a draft other rules; they may still have errors that lint finds.

        Raises Conflict for what was published, Invalid with sentences for what cannot be read.
        """
        self._is_draft()
        policy = read_policy({**document, "version": self.version})
        changes = [f"{each.what} {each.rule or ''}".strip() for each in diff(self.policy, policy)]
        before = {"hash": self.hash}
        self.hash, self.document = policy.hash, policy.to_json()
        after = {"hash": self.hash, "changes": changes[:MOST_TOLD]}
        record(by, "policy.revised", f"policy:{self.version}", before=before, after=after)

    def drop(self, by: str) -> None:
        """Throw a draft away. Raises Conflict for what was published."""
        self._is_draft()
        before = {"hash": self.hash, "document": self.document}
        record(by, "policy.dropped", f"policy:{self.version}", before=before)
        session.delete(self)

    def _is_draft(self) -> None:
        if self.since is not None:
            raise Conflict(f"Version {self.version} was published already. Draft a new one.")

    def save_expectations(self, cases: Iterable[Case], by: str) -> None:
        """Save cases that must end the same before a later version is published."""
        self.expectations = {case.name: case.to_json() for case in cases}
        record(
            by,
            "policy.expected",
            f"policy:{self.version}",
            after={"cases": len(self.expectations)},
        )

    def publish(self, by: str, now: datetime, since: datetime | None = None, why: str = "") -> None:
        """Let the draft hold from now, or from a later moment.

        Raises Conflict for what was published already, Invalid for a moment in the past, for what
        lint calls an error, and for saved cases of the version in force that would end differently.
        """
        self._is_draft()
        if since is not None and since < now:
            raise wrong("since", "A policy holds from now or later, never from the past.")
        self._is_sound(now)
        self.since, self.published_by = since or now, by
        session.flush()
        after = {"hash": self.hash, "since": self.since.isoformat()}
        record(by, "policy.published", f"policy:{self.version}", after=after, why=why)

    def withdraw(self, by: str, now: datetime) -> None:
        """Take a scheduled version back to a draft. Raises Conflict once it holds."""
        if self.since is None or self.since <= now:
            raise Conflict(f"Version {self.version} is not scheduled, so there is nothing to stop.")
        before = {"since": self.since.isoformat()}
        self.since, self.published_by = None, ""
        record(by, "policy.withdrawn", f"policy:{self.version}", before=before)

    def restore(self, by: str, now: datetime, why: str = "") -> PolicyVersion:
        """Roll back: publish this version's rules again, as a new version."""
        again = PolicyVersion.draft(self.document, by, now, note=f"As version {self.version}.")
        again.publish(by, now, why=why)
        return again

    def _is_sound(self, now: datetime) -> None:
        home = session.scalar(select(Shop.country).where(Shop.id == shop_in_scope()))
        errors = [found for found in lint(self.policy, home) if found.level == "error"]
        if errors:
            raise Invalid(
                [
                    {"field": f"rules.{e.rule}" if e.rule else "", "message": e.message}
                    for e in errors
                ]
            )
        live = live_version(now)
        cases = [Case.from_json(case) for case in (live.expectations if live else {}).values()]
        ended = broken(self.policy, cases)
        if ended:
            raise Invalid(
                [
                    {
                        "field": "expectations",
                        "message": f"{case.name} would end as {now_ends.outcome}, not as "
                        f"{case.outcome} ({case.because}).",
                    }
                    for case, now_ends in ended
                ]
            )


def read_policy(document: Any) -> Policy:
    """A policy from JSON. Raises Invalid with a sentence for each field that is wrong."""
    try:
        return Policy.from_json(document)
    except DocumentError as error:
        raise Invalid(
            [{"field": problem.field, "message": problem.message} for problem in error.problems]
        ) from error


def live_version(now: datetime) -> PolicyVersion | None:
    """The version that holds now."""
    return session.scalar(
        select(PolicyVersion)
        .where(PolicyVersion.since <= now)
        .order_by(PolicyVersion.since.desc(), PolicyVersion.version.desc())
        .limit(1)
    )


def standing(version: PolicyVersion, live: PolicyVersion | None, now: datetime) -> str:
    """What a version is now: draft, scheduled, live or retired."""
    if version.since is None:
        return "draft"
    if version.since > now:
        return "scheduled"
    return "live" if live is not None and live.id == version.id else "retired"


def policies(placed_at: datetime, now: datetime) -> tuple[Policy, Policy]:
    """The policy in force when an order was placed, and the one in force now: one statement."""
    versions = [Published(*row) for row in session.execute(published())]
    return in_force(versions, placed_at, now)


class Published(NamedTuple):
    """A version that was published, without its document."""

    since: datetime
    version: int
    hash: str


def published() -> Select[*tuple[Any, ...]]:
    """The shop's versions, as `Published` takes them: those that hold, held or will hold."""
    return select(PolicyVersion.since, PolicyVersion.version, PolicyVersion.hash).where(
        PolicyVersion.since.is_not(None)
    )


def in_force(
    versions: Iterable[Published], placed_at: datetime, now: datetime
) -> tuple[Policy, Policy]:
    """The policy in force when an order was placed, and the one in force now.

    An order from before the first version has the first one. Raises Conflict where none holds.
    """
    begun = sorted(each for each in versions if each.since <= now)
    if not begun:
        raise Conflict("The shop has no returns policy in force. Publish one first.")
    at_order = [each for each in begun if each.since <= placed_at] or begun[:1]
    return _numbered(at_order[-1]), _numbered(begun[-1])


def current_policy(now: datetime) -> Policy:
    """The policy in force now. Raises Conflict where the shop has none."""
    return policies(now, now)[1]


def _numbered(found: Published) -> Policy:
    wanted = select(PolicyVersion.document).where(PolicyVersion.version == found.version)
    return _kept(found.hash, lambda: session.scalars(wanted).one())


MOST_KEPT = 256
_policies: dict[str, Policy] = {}


def _kept(digest: str, document: Callable[[], Any]) -> Policy:
    """A policy by its hash, read once in this process: the same hash is the same policy."""
    found = _policies.get(digest)
    if found is None:
        if len(_policies) >= MOST_KEPT:
            _policies.clear()
        found = _policies[digest] = Policy.from_json(document())
    return found


@event.listens_for(Shop, "after_insert")
def _standard(_mapper: Any, connection: Connection, shop: Shop) -> None:
    """Every shop has a policy from the beginning, whoever makes the shop."""
    policy = Policy.from_json(standard_policy(shop.currency, shop.timezone))
    connection.execute(
        insert(PolicyVersion).values(
            shop_id=shop.id,
            version=1,
            hash=policy.hash,
            document=policy.to_json(),
            expectations={},
            since=BEGINNING,
            created_at=clock.now(),
            **dict.fromkeys(("note", "created_by", "published_by"), ""),
        )
    )
