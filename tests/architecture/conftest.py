"""The whole application on a demo city with orders at every stage, made once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.roles import Role
from hotline.accounts.service import Actor, actor_of
from hotline.alarms import service as alarms
from hotline.alarms.states import TryState
from hotline.app import create_app
from hotline.bootstrap import Runtime
from hotline.db import Base, KeyRing, make_engine, make_sessions, session_scope
from hotline.demo.city import seed
from hotline.follow_ups.service import open_callback
from hotline.knowledge_base.models import Entry
from hotline.units import queries as units
from hotline.work_orders import service as orders_service
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.databases import MakeDatabase
from tests.factories import calls as make_calls
from tests.factories import people
from tests.factories.orders import WHEN, order_at
from tests.factories.units import City
from tests.web.ivr.conftest import SETTINGS
from tests.web.simulated import process

STAGES = (
    Status.DRAFT,
    Status.TO_REVIEW,
    Status.TO_SIGN,
    Status.IN_HAND_TIER3,
    Status.TO_CHECK_TIER2,
    Status.TO_CHECK_HUB,
    Status.TO_CALL_BACK,
)


@dataclass
class House:
    """The whole application, who works there, and one real value for every kind of name in an address."""

    app: Flask
    runtime: Runtime
    staff: dict[str, int]
    numbers: list[str]
    ids: dict[str, int]
    answer: Entry

    def visitor(self, role: str | None) -> FlaskClient:
        """Return a browser in which somebody of the role is logged in (None: nobody)."""
        client = self.app.test_client()
        if role is not None:
            with client.session_transaction() as cookie:
                cookie["_user_id"], cookie["_fresh"] = f"{self.staff[role]}.1", True
        return client

    def access(self, endpoint: str) -> Any:
        """Return who may ask: role codes, or the word public."""
        return getattr(self.app.view_functions[endpoint], "access", None)


@pytest.fixture(scope="session")
def house(keys: KeyRing, make_database: MakeDatabase) -> Iterator[House]:
    """Every part in one process."""
    engine = make_engine(make_database())
    yield build_house(engine)
    engine.dispose()


def build_house(engine: Engine) -> House:
    """Seed the demo city, let orders, a callback and a call happen there, and build the application over it."""
    Base.metadata.create_all(engine)
    sessions = make_sessions(engine)
    seed(sessions, password="a long password", now=NOON)
    with session_scope(sessions) as session:
        people.user(session, Role.U3L, unit=units.by_code(session, "HS-JZ-01"))
        people.user(session, Role.DTY, unit=units.by_code(session, "HS-JZ"))
        city = _city(session)
        orders = [order_at(session, city, status, category_code="CJ-LD") for status in STAGES]
        callback = open_callback(session, order=orders[-1], now=NOON, **WHEN)
        call, *_ = make_calls.talking(session, make_calls.ready(session, city.operator))
        # the operator who talks has a desk open elsewhere; who visits is the next one
        staff = {Role.OPR.value: session.scalars(select(User.id).where(User.username == "op02")).one()}
        staff |= {actor.role: actor.user_id or 0 for actor in (city.county_clerk, city.township_clerk)}
        for user in session.scalars(select(User).order_by(User.id)):
            staff.setdefault(user.role, user.id)
        numbers = [order.order_no for order in orders]
        answer = session.scalars(select(Entry).order_by(Entry.id)).first()
        assert answer is not None
        ids = {"callback_id": callback.id, "call_id": call.id, "entry_id": answer.id}
        ids |= _asked(session, city)
        ids |= _rung(session, city)
    runtime = process(SETTINGS, engine, sessions, lambda: NOON)
    return House(create_app(runtime), runtime, staff, numbers, ids, answer)


def _asked(session: Session, city: City) -> dict[str, int]:
    """Let a county ask to give an order back, and a supervisor write to it about another."""
    back, late = (order_at(session, city, Status.TO_SIGN, category_code="CJ-LD") for _ in range(2))
    line = units.lines_in_force(session, on=NOON.date())[0]
    soon = NOON + timedelta(minutes=30)
    asked = orders_service.ask_return(
        session,
        order=back,
        actor=city.county_clerk,
        now=soon,
        ground="place",
        responsibility_line_id=line.id,
        suggested_unit_id=city.other_county.id,
        reason="路灯在桃城区境内",
        **WHEN,
    )
    notice = orders_service.supervise(
        session,
        order=late,
        actor=city.supervisor,
        now=soon,
        level="yellow",
        kind="reminder",
        unit_id=city.county.id,
        words="请今天之内签收",
        reply_due=NOON + timedelta(days=1),
    )
    assert notice is not None
    meeting = orders_service.plan_panel(
        session, actor=city.supervisor, now=soon, held_at=NOON + timedelta(days=2), title="疑难工单会商"
    )
    item = orders_service.put_on_agenda(
        session, actor=city.supervisor, now=soon, panel=meeting, order=late, question="由谁主办"
    )
    return {"request_id": asked.id, "notice_id": notice.id, "panel_id": meeting.id, "item_id": item.id}


def _city(session: Session) -> City:
    """Return the demo city's units and people in the parts the factories know."""
    places = {
        "hub": "HS-12345",
        "county": "HS-JZ",
        "township": "HS-JZ-01",
        "other_township": "HS-JZ-02",
        "other_county": "HS-TC",
        "far_township": "HS-TC-01",
        "power": "HS-GDGS",
    }
    found = {name: units.by_code(session, code) for name, code in places.items()}

    def one(role: Role, place: str = "hub") -> Actor:
        at = User.unit_id == found[place].id
        return actor_of(session.scalars(select(User).where(User.role == role, at).order_by(User.id)).first())  # type: ignore[arg-type]

    return City(
        **found,
        operator=one(Role.OPR),
        reviewer=one(Role.REV),
        callback_officer=one(Role.CBK),
        supervisor=one(Role.SUP),
        county_clerk=one(Role.U2, "county"),
        township_clerk=one(Role.U3, "township"),
        other_township_clerk=one(Role.U3, "other_township"),
        other_county_clerk=one(Role.U2, "other_county"),
        far_township_clerk=one(Role.U3, "far_township"),
        power_clerk=one(Role.U2, "power"),
    )


def _rung(session: Session, city: City) -> dict[str, int]:
    """Let the county's duty officers be rung for an urgent order, and nobody answer."""
    order = order_at(session, city, Status.TO_SIGN, category_code="CJ-LD", urgency="critical")
    rung = alarms.begin(session, sub=order.sub_orders[0], round_=1, now=NOON)
    for attempt in rung.tries:
        alarms.ended(session, attempt=attempt, state=TryState.NO_ANSWER, now=NOON)
    alarms.tidy(session, rung, now=NOON)
    return {"alarm_id": rung.id, "shift_id": 1, "user_id": city.township_clerk.user_id or 1}
