"""An order's deadline as a pure function of what happened to it, a profile and a calendar.

Acceptance begins the clock. A pause conserves what is left of it; naming an order hard, an extension, a redo and a
review may lengthen it; nothing ever shortens it. Whoever moves the deadline writes what became of it into the event
(``deadline_at``), so that a calendar published later can give more and never take back.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any, Final

from hotline.calendars.base import Calendar
from hotline.errors import Invalid
from hotline.work_orders import clock
from hotline.work_orders.clock import Deadline, moment_words
from hotline.work_orders.guards import live_subs
from hotline.work_orders.limits import Profile
from hotline.work_orders.models import OrderEvent, SubOrder, WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import Action, Status, SubState


class What(StrEnum):
    """What moves a deadline."""

    ACCEPT = "accept"
    HARD = "hard"
    PAUSE = "pause"
    RESUME = "resume"
    EXTEND = "extend"
    REDO = "redo"
    REVIEW = "review"  # reopened by a review
    RECOUNT = "recount"  # by a calendar that was published or changed


@dataclass(frozen=True, slots=True)
class Happening:
    """One of them. ``given``: the deadline people were told by it; of an extension the date that was granted.

    ``original``: what was told of the deadline without extensions and later rounds.
    """

    what: What
    at: datetime
    given: datetime | None = None
    original: datetime | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """An order's deadline and how it came about, the last line naming it.

    ``original``: without extensions, and of the first round only. ``paused_since``: its clock stands still.
    """

    at: datetime
    original: datetime
    provisional: bool
    paused_since: datetime | None
    lines: list[str]


# ---- the pure function


def derive(  # noqa: PLR0917
    profile: Profile,
    demand_type: str,
    urgency: str,
    happenings: Sequence[Happening],
    calendar: Calendar,
    tz: tzinfo,
) -> Derived:
    """Return the deadline after ``happenings``, in their order, the first being the acceptance.

    Raises ``Invalid`` for a story that cannot be: no acceptance first, a resume without a pause, time running back.
    """
    if not happenings or happenings[0].what != What.ACCEPT:
        raise Invalid("时限自受理起算，应先有受理")
    fold = _Fold(profile, demand_type, urgency, calendar, tz, happenings[0])
    for earlier, happening in itertools.pairwise(happenings):
        if happening.at < earlier.at:
            raise Invalid("各事项应按时间先后排列")
        fold.take(happening)
    return fold.result()


class _Fold:
    """How far a story has come: the deadline, and beside it the one without extensions and later rounds."""

    def __init__(  # noqa: PLR0917
        self, profile: Profile, demand_type: str, urgency: str, calendar: Calendar, tz: tzinfo, accepted: Happening
    ) -> None:
        self.profile, self.demand_type, self.urgency = profile, demand_type, urgency
        self.calendar, self.tz = calendar, tz
        self.accepted_at = accepted.at
        self.hard = False
        self.first_round = True
        self.pauses: list[clock.Span] = []
        self.since: datetime | None = None
        self.limit = profile.handling(demand_type, urgency, hard=False)
        self.deadline = self._not_before(accepted.given, self._handling())
        self.original = self._not_before(accepted.original, self.deadline)
        self.lines = self.deadline.lines

    def take(self, happening: Happening) -> None:
        """Go on by one happening."""
        if happening.what not in _STEPS:
            raise Invalid("一张工单只受理一次")
        if happening.what == What.RESUME and self.since is None:
            raise Invalid("没有暂停，不能恢复")
        step = _STEPS[happening.what]
        if happening.what in (What.REDO, What.REVIEW):
            self.first_round = False
        if happening.what == What.HARD:
            self.hard = True
        after = self._not_before(happening.given, step(self, happening, self.deadline))
        if self.first_round and happening.what != What.EXTEND:
            self.original = self._not_before(happening.original, step(self, happening, self.original))
        self.deadline = after
        self.lines = [*self.lines, *after.lines]
        self._stand(happening)

    def _stand(self, happening: Happening) -> None:
        """Note whether the clock runs from here on."""
        if happening.what == What.PAUSE:
            self.since = self.since or happening.at
        elif happening.what == What.RESUME and self.since is not None:
            self.pauses.append((self.since, happening.at))
            self.since = None
        elif happening.what in (What.REDO, What.REVIEW):
            self.since = None

    def result(self) -> Derived:
        """Return what came of it."""
        end = clock.closed(self.deadline.at, self.deadline.provisional, self.tz, []).lines
        lines = self.lines if self.lines[-1:] == end else [*self.lines, *end]
        return Derived(self.deadline.at, self.original.at, self.deadline.provisional, self.since, lines)

    # -- steps: what one happening makes of a deadline

    def named_hard(self, _happening: Happening, present: Deadline) -> Deadline:
        """The longest limit, as if it had been so from the beginning."""
        self.limit = self.profile.handling(self.demand_type, self.urgency, hard=True)
        found = self._handling()
        for since, until in self.pauses:
            again = self._resumed(found, since, until)
            found = Deadline(again.at, again.provisional, [*found.lines, *again.lines])
        return self._later(present, found)

    def paused(self, happening: Happening, present: Deadline) -> Deadline:
        """Nothing moves before it goes on."""
        return Deadline(
            present.at, present.provisional, [f"{moment_words(happening.at, self.tz)} 起暂停，恢复后接着计"]
        )

    def resumed(self, happening: Happening, present: Deadline) -> Deadline:
        """What was left is left again."""
        assert self.since is not None, "take asked"
        return self._resumed(present, self.since, happening.at)

    def extended(self, happening: Happening, present: Deadline) -> Deadline:
        """The date that was granted, where it is later."""
        if happening.given is None:
            raise Invalid("延期应写明新的截止时间")
        granted = clock.closed(
            happening.given, False, self.tz, [f"同意延期至 {moment_words(happening.given, self.tz)}"]
        )
        return self._later(present, granted)

    def redone(self, happening: Happening, present: Deadline) -> Deadline:
        """Half the limit from here."""
        self.limit = self.profile.redoing(self.demand_type, self.urgency, hard=self.hard)
        return self._later(present, self._count(happening.at, f"重办 {self.limit.word}"))

    def reviewed(self, happening: Happening, present: Deadline) -> Deadline:
        """The limit of a review; a city without one: that of a redo."""
        redoing = self.profile.redoing(self.demand_type, self.urgency, hard=self.hard)
        self.limit = self.profile.step("review", self.urgency, hard=self.hard) or redoing
        return self._later(present, self._count(happening.at, f"复查后重新办理 {self.limit.word}"))

    def recounted(self, _happening: Happening, present: Deadline) -> Deadline:
        """All days before were counted by the present calendar already."""
        return Deadline(present.at, present.provisional, ["按新的工作日历重新计算"])

    # -- counting

    def _handling(self) -> Deadline:
        return clock.deadline(
            self.profile,
            self.demand_type,
            self.urgency,
            self.accepted_at,
            self.calendar,
            self.tz,
            hard=self.hard,
        )

    def _count(self, start: datetime, head: str) -> Deadline:
        return clock.count(self.limit, start, self.calendar, self.tz, head)

    def _resumed(self, present: Deadline, since: datetime, until: datetime) -> Deadline:
        found = clock.resumed(present.at, self.limit.working, since, until, self.calendar, self.tz)
        return Deadline(found.at, found.provisional or present.provisional, found.lines)

    def _later(self, present: Deadline, counted: Deadline) -> Deadline:
        """Return the later of the two; what is still provisional of the one that stays does so."""
        if counted.at >= present.at:
            return counted
        kept = clock.never_shorter(present.at, counted, self.tz)
        return Deadline(kept.at, present.provisional, kept.lines)

    def _not_before(self, given: datetime | None, counted: Deadline) -> Deadline:
        return counted if given is None else clock.never_shorter(given, counted, self.tz)


_STEPS: Final[dict[What, Callable[[_Fold, Happening, Deadline], Deadline]]] = {
    What.HARD: _Fold.named_hard,
    What.PAUSE: _Fold.paused,
    What.RESUME: _Fold.resumed,
    What.EXTEND: _Fold.extended,
    What.REDO: _Fold.redone,
    What.REVIEW: _Fold.reviewed,
    What.RECOUNT: _Fold.recounted,
}


# ---- of an order


def happenings(events: Iterable[OrderEvent]) -> list[Happening]:
    """Return what of an order's events moves its deadline; empty while its clock has not begun."""
    found: list[Happening] = []
    hard = False
    for event in events:
        whats = _whats(event, hard=hard)
        hard = hard or What.HARD in whats
        found += [Happening(what, event.at) for what in whats[:-1]]
        if whats:  # what the event says was told after all of it
            given, original = event.data.get("deadline_at"), event.data.get("original_deadline_at")
            found.append(Happening(whats[-1], event.at, _moment(given), _moment(original)))
    return found


def of_order(order: WorkOrder, calendar: Calendar, tz: tzinfo) -> Derived | None:
    """Return the deadline of an order by its own events; None before its clock has begun."""
    story = happenings(order.events)
    return derive(rules_of(order), order.demand_type, order.urgency, story, calendar, tz) if story else None


def move(
    order: WorkOrder, *whats: What, now: datetime, calendar: Calendar, tz: tzinfo, given: datetime | None = None
) -> dict[str, Any]:
    """Set the order's deadline as ``whats`` happen ``now``; return what the event must say of it.

    The verb calls this before it moves the order, and puts the answer into the event's data. ``given``: the date
    that is granted by an extension.
    """
    at = max(now, order.updated_at)  # the moment its event will bear
    story = [*happenings(order.events), *(Happening(what, at, given) for what in whats)]
    found = derive(rules_of(order), order.demand_type, order.urgency, story, calendar, tz)
    order.deadline_at, order.original_deadline_at = found.at, found.original
    order.deadline_provisional = found.provisional
    return {"deadline_at": found.at.isoformat(), "original_deadline_at": found.original.isoformat()}


def carry_parts(order: WorkOrder, was: datetime | None, calendar: Calendar, tz: tzinfo) -> None:
    """Let the parts at work follow an order whose deadline moved on from ``was``.

    Tier 2 has the order's own; a part below is given the time that was added, and no more than there is above.
    """
    at = order.deadline_at
    if at is None or was is None or at <= was:
        return
    working = rules_of(order).handling(order.demand_type, order.urgency, hard=order.hard).working
    added = clock.working_between(was, at, calendar, tz) if working else at - was
    for sub in live_subs(order):
        own = sub.deadline_at
        if sub.tier == 2 or own is None:
            sub.deadline_at = at
        elif added:
            sub.deadline_at = min(at, clock.add_working(own, added, calendar, tz) if working else own + added)


def resume_parts(order: WorkOrder, since: datetime, until: datetime, calendar: Calendar, tz: tzinfo) -> None:
    """Give the parts at work back what they had left when the order stood still, and the time to return them too."""
    working = rules_of(order).handling(order.demand_type, order.urgency, hard=order.hard).working
    for sub in live_subs(order):
        if sub.tier == 2:
            sub.deadline_at = order.deadline_at
        elif sub.deadline_at is not None:
            sub.deadline_at = clock.resumed(sub.deadline_at, working, since, until, calendar, tz).at
        if sub.return_until is not None:
            sub.return_until = clock.resumed(sub.return_until, True, since, until, calendar, tz).at
        if sub.state == SubState.TO_SIGN:
            resume_signing(order, sub, since, until, calendar, tz)


def resume_signing(  # noqa: PLR0917 - as ``resume_parts``
    order: WorkOrder, sub: SubOrder, since: datetime, until: datetime, calendar: Calendar, tz: tzinfo
) -> None:
    """Give a part back what was left to sign it, for the time in which its unit could not."""
    limit = rules_of(order).step("sign", order.urgency)
    if limit is not None and sub.sign_due_at is not None:
        sub.sign_due_at = clock.resumed(sub.sign_due_at, limit.working, since, until, calendar, tz).at


def told(events: Iterable[OrderEvent]) -> datetime | None:
    """Return the deadline the order's events named last; it is the order's."""
    return next((one.given for one in reversed(happenings(events)) if one.given is not None), None)


def paused_since(order: WorkOrder) -> datetime | None:
    """Return since when the order's clock stands still; None while it runs."""
    last = next((one for one in reversed(happenings(order.events)) if one.what in _STOPS_AND_STARTS), None)
    return last.at if last is not None and last.what == What.PAUSE else None


def differs(order: WorkOrder, calendar: Calendar, tz: tzinfo) -> str:
    """Return in words how the order's deadline differs from the one its events make by this calendar; "" if not."""
    found = of_order(order, calendar, tz)
    if found is None or (found.at, found.original) == (order.deadline_at, order.original_deadline_at):
        return ""
    kept = moment_words(order.deadline_at, tz) if order.deadline_at else "没有"
    return f"时限是 {kept}，按记录应是 {moment_words(found.at, tz)}"


def explain(  # noqa: PLR0917
    profile: Profile,
    demand_type: str,
    urgency: str,
    story: Sequence[Happening],
    calendar: Calendar,
    tz: tzinfo,
) -> dict[str, Any]:
    """Return a deadline and its derivation as plain values, for the command line."""
    found = derive(profile, demand_type, urgency, story, calendar, tz)
    sign = clock.sign_due(profile, urgency, story[0].at, calendar, tz)

    def iso(at: datetime | None) -> str | None:
        return at.astimezone(tz).isoformat() if at else None

    return {
        "profile": profile.name,
        "type": demand_type,
        "urgency": urgency,
        "accepted_at": iso(story[0].at),
        "events": [{"what": one.what.value, "at": iso(one.at), "given": iso(one.given)} for one in story],
        "deadline": iso(found.at),
        "original_deadline": iso(found.original),
        "provisional": found.provisional,
        "paused_since": iso(found.paused_since),
        "sign_due": iso(sign.at if sign else None),
        "lines": found.lines,
    }


_STOPS_AND_STARTS: Final = (What.PAUSE, What.RESUME, What.REDO, What.REVIEW)
_BY_ACTION: Final = {
    Action.ASK_INFO: What.PAUSE,
    Action.SUPPLEMENT: What.RESUME,
    Action.SUSPEND: What.PAUSE,
    Action.RESUME: What.RESUME,
    Action.REDO: What.REDO,
    Action.RECOUNT: What.RECOUNT,
}


def _whats(event: OrderEvent, *, hard: bool) -> list[What]:
    """Return what an event is to the deadline. ``hard``: the order was named so before."""
    if event.action in (Action.SUBMIT, Action.DISPATCH, Action.ACCEPT_RETURN):
        begins = [What.ACCEPT] if event.from_status == Status.DRAFT else []
        return begins + ([What.HARD] if event.data.get("hard") and not hard else [])
    if event.to_status == event.from_status and event.action in (Action.ASK_INFO, Action.SUPPLEMENT):
        return []  # a reminder, and what is told while the clock runs
    if event.action == Action.GRANT_EXTENSION:
        return [What.EXTEND] if event.data.get("deadline_at") else []  # the first of two only passes it on
    if event.action == Action.TAKE_UP:
        return [What.REVIEW] if event.from_status == Status.REVIEW else []
    what = _BY_ACTION.get(Action(event.action))
    return [what] if what else []


def _moment(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None
