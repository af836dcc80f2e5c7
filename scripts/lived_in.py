"""Give a running demo a past worth photographing: orders of the last week at every stage, today's calls.

Everything is done by the verbs the pages use, at the moments it would have happened; invented people, numbers from
the range nobody has. A demo that was given its past already stays as it is.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import bootstrap
from hotline.accounts.models import User
from hotline.accounts.service import Actor, actor_of
from hotline.bootstrap import Runtime
from hotline.callers import service as callers
from hotline.calls import assignment, presence
from hotline.calls import service as calls
from hotline.calls.models import Call
from hotline.config import Settings
from hotline.db import session_scope
from hotline.demo.places import MODEL, Ports, environment, load_secrets
from hotline.work_orders import service as orders
from hotline.work_orders.models import WorkOrder

SEAT: Final = "op02"
TALK: Final = "CA-the-past-{:04}"
FIRST_TALK: Final = TALK.format(0)
HERE: Final = Path(__file__).parent
TALKS: Final = 46
REPLY: Final = "您好！您反映的问题已到现场核实，{done}。感谢您的监督，有事请随时拨打12345。"


@dataclass(frozen=True, slots=True)
class Past:
    """One order: submitted ``hours`` ago, then ``steps`` of its line done, ``pace`` hours apart.

    The line: dispatch, sign, hand down, sign, report, approve, approve; without a township dispatch, sign, report,
    approve. ``lead`` and ``township`` are log-ins of their clerks.
    """

    hours: float
    pace: float
    steps: int
    lead: str
    township: str
    done: str
    draft: dict[str, Any]


def orders_of_the_past() -> list[Past]:
    """Read the orders beside this file, the oldest with the lowest number."""
    with (HERE / "lived_in.csv").open(encoding="utf-8", newline="") as file:
        return [
            Past(
                hours=float(row["hours"]),
                pace=float(row["pace"]),
                steps=int(row["steps"]),
                lead=row["lead"],
                township=row["township"],
                done=row["done"],
                draft={
                    "demand_type": row["demand"],
                    "category_code": row["category"],
                    "title": row["content"].partition("，")[0].rstrip("。"),
                    "content": f"市民反映：{row['content']}",
                    "address": row["address"],
                    "urgency": row["urgency"],
                    "confidential": row["confidential"] == "yes",
                    "read_back_ok": True,
                },
            )
            for row in csv.DictReader(file)
        ]


class Chronicle:
    """Writes the past of one demo."""

    def __init__(self, session: Session, runtime: Runtime, now: datetime) -> None:
        self._session = session
        self._now = now
        self._when: dict[str, Any] = {"calendar": runtime.calendar, "tz": runtime.settings.tz}

    def is_written(self) -> bool:
        """Whether this demo was given its past before."""
        return self._session.scalar(select(Call.id).where(Call.provider_id == FIRST_TALK)) is not None

    def person(self, username: str) -> Actor:
        """Return this member of staff."""
        return actor_of(self._session.scalars(select(User).where(User.username == username)).one())

    def order(self, number: int, past: Past) -> None:
        """Bring one order to where it stands."""
        at = self._now - timedelta(hours=past.hours)
        operator = self.person(SEAT)
        who = callers.remember(self._session, phone=f"+861990000{7000 + number}", now=at)
        order = orders.start_draft(self._session, call=None, caller=who, actor=operator, now=at, tz=self._when["tz"])
        orders.save_draft(self._session, order=order, fields=past.draft, typed=True, actor=operator, now=at)
        orders.submit(self._session, order=order, actor=operator, now=at, **self._when)
        for step in self._line(order, past)[: past.steps]:
            at += timedelta(hours=past.pace)
            step(now=at)

    def _line(self, order: WorkOrder, past: Past) -> list[Callable[..., object]]:
        """Return what happens to the order after it was submitted, each to be called with ``now``."""
        if not past.lead:
            return []

        def by(who: Actor, verb: Callable[..., object], **more: Any) -> Callable[..., object]:
            return partial(verb, self._session, order=order, actor=who, **more)

        hub, county = self.person("rev01"), self.person(past.lead)
        worker = self.person(past.township) if past.township else county
        result = {
            "contacted": True,
            "contacted_at": self._now - timedelta(hours=past.hours),
            "contact_way": "电话",
            "solved": "yes",
            "public_reply": REPLY.format(done=past.done),
            "process": f"工作人员到{order.address}核实，{past.done}。",
        }
        advice = "请属地核实办理，及时联系市民。"
        dispatch = by(hub, orders.dispatch, lead_unit_id=county.unit_id, advice=advice, **self._when)
        if order.confidential:  # what units are to read was written by the hub
            told = by(hub, orders.release, content=f"{order.address}的问题，请核实。")
            line = [lambda now: (told(now=now), dispatch(now=now)), by(county, orders.sign)]
        else:
            line = [dispatch, by(county, orders.sign)]
        if worker is not county:
            advice = "请今天到现场核实，联系市民并回复。"
            line += [
                by(county, orders.hand_down, unit_id=worker.unit_id, advice=advice, **self._when),
                by(worker, orders.sign),
            ]
        line.append(by(worker, orders.report, **result, **self._when))
        if worker is not county:
            line.append(by(county, orders.approve, **self._when))
        return [*line, by(hub, orders.approve, **self._when)]

    def talks(self) -> None:
        """Let one seat answer the day's calls, most within fifteen seconds."""
        session, desk = self._session, "the-past"
        seat = self.person(SEAT)
        presence.claim_desk(session, actor=seat, desk=desk, now=self._now - timedelta(hours=3), take_over=True)
        for number in range(TALKS):
            at = self._now - timedelta(minutes=(TALKS - number) * 3.7)
            line = TALK.format(number)
            phone = f"+861990000{8000 + number}"
            opened = calls.open_call(session, provider_id=line, dialled="12345", phone=phone, now=at)
            at += timedelta(seconds=9)
            calls.enter_queue(session, call_id=opened.call_id, now=at)
            at += timedelta(seconds=24 if number % 31 == 7 else 2 + number * 5 % 12)
            if number % 23 == 11:
                calls.caller_gone(session, provider_id=line, now=at)
                continue
            presence.go_ready(session, actor=seat, desk=desk, now=at)
            assignment.offer_next(session, now=at)
            taken = assignment.accept(session, actor=seat, call_id=opened.call_id, desk=desk, now=at)
            joined: dict[str, Any] = {"provider_id": f"CA-the-seat-{number:04d}", "now": at}
            calls.operator_answered(session, leg_id=taken.leg_id, **joined)
            calls.operator_joined(session, **joined)
            calls.resolve(session, call_id=opened.call_id, outcome="answered", actor=seat, now=at)
            calls.caller_gone(session, provider_id=line, now=at + timedelta(seconds=80 + number * 13 % 70))
            presence.finish_wrap_up(session, actor=seat, desk=desk, now=at + timedelta(seconds=160))
        presence.go_offline(session, actor=seat, desk=desk, now=self._now)


def give_a_past(demo: Path) -> None:
    """Write it into the demo that runs in this folder, in one transaction; nothing where it was written before."""
    kept = load_secrets(demo)
    nowhere = Ports(web=0, media=0, exchange=0, valkey=0)  # the demo's own processes do what follows
    settings = Settings.from_env(environment(demo, nowhere, kept, MODEL) | {"HOTLINE_REDIS_URL": ""})
    runtime = bootstrap.build(settings)
    try:
        with session_scope(runtime.sessions) as session:
            chronicle = Chronicle(session, runtime, runtime.now())
            if chronicle.is_written():
                return
            for number, past in enumerate(orders_of_the_past()):
                chronicle.order(number, past)
            chronicle.talks()
    finally:
        runtime.close()
