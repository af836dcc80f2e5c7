"""What a city brought is what the hotline works with from then on."""

from __future__ import annotations

import json
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select

from hotline import audit
from hotline.accounts.service import SYSTEM
from hotline.calendars.china import ChinaCalendar
from hotline.calendars.service import OwnDays
from hotline.db import SessionFactory, session_scope
from hotline.delivery import templates
from hotline.errors import Invalid
from hotline.gazetteer.models import Place
from hotline.imports import KINDS, preview, read, run
from hotline.work_orders import rules
from hotline.work_orders.drafting import start_draft
from tests.conftest import NOON
from tests.factories.units import city
from tests.unit.imports.files import rows_of

TZ = ZoneInfo("Asia/Shanghai")
OURS = {
    "name": "ours-1",
    "title": "本市时限",
    "active_from": "2026-11-01",
    "handle": [{"limit": {"working_days": 3}}],
    "steps": {"dispatch": [], "sign": [], "check": [], "call_back": []},
    "redo": {"half": True, "most": 1},
}


def test_a_day_off_of_the_city_counts_in_processes_that_run(sessions: SessionFactory):
    own = OwnDays()
    own.follow(sessions)
    calendar = ChinaCalendar(overrides=own)
    day = date(2026, 11, 20)
    assert calendar.day(day).working
    rows = rows_of("calendar", {"day": "2026年11月20日", "working": "休息", "name": "本地节日"})
    run(sessions, KINDS["calendar"], rows, actor=SYSTEM, now=NOON)
    with sessions() as session:
        own.read(session.connection())
    assert (calendar.day(day).working, calendar.day(day).name) == (False, "本地节日")


def test_the_citys_words_are_sent_instead_of_the_shipped_ones(sessions: SessionFactory):
    words = "您好，工单{order_no}已受理。"
    run(sessions, KINDS["texts"], rows_of("texts", {"name": "accepted", "text": words}), actor=SYSTEM, now=NOON)
    with sessions() as session:
        text = templates.text_of(session, "accepted")
        assert templates.fill(text, order_no="2611-00042-7") == "【12345热线】您好，工单2611-00042-7已受理。"
        assert templates.text_of(session, "closed") == templates.TEMPLATES["closed"]


def test_new_orders_follow_the_profile_in_force_and_old_ones_keep_theirs(sessions: SessionFactory):
    kind = KINDS["profiles"]
    with session_scope(sessions) as session:
        here = city(session)
        before = start_draft(session, call=None, caller=None, actor=here.operator, now=NOON, tz=TZ)
    rows = read(json.dumps(OURS | {"returns": 2}).encode(), "ours.json")
    assert run(sessions, kind, rows, actor=SYSTEM, now=NOON).new == 1
    with session_scope(sessions) as session:
        after = start_draft(session, call=None, caller=None, actor=here.operator, now=NOON, tz=TZ)
        assert (before.profile, after.profile) == ("hebei-default", "ours-1")
        assert rules.rules_of(after).handle[0].limit.count == 3
        followed = [rules.profile_of(session, order.profile).bounds.returns for order in (before, after)]
        assert followed == [3, 2]
        assert rules.in_force(session, on=date(2026, 10, 31)) == "hebei-default"
    harder = OURS | {"returns": 2, "handle": [{"limit": {"working_days": 1}}]}
    with sessions() as session:
        refused = preview(session, kind, read(json.dumps(harder).encode(), "ours.json")).refused
        assert [fault.reason for fault in refused] == ["已有工单使用这个时限方案，规则不能再改；请另起一个名称"]


def test_a_shipped_profile_is_switched_on_by_its_name_alone(sessions: SessionFactory):
    row = {"name": "redyellow-2-5", "title": "红黄灯", "active_from": "2026-01-01"}
    run(sessions, KINDS["profiles"], rows_of("profiles", row), actor=SYSTEM, now=NOON)
    with sessions() as session:
        assert rules.profile_of(session, rules.in_force(session, on=NOON.date())).title == "红黄灯 2·5 工作日"
        try:
            rules.profile_of(session, "nobody's")
        except Invalid as fault:
            assert "hebei-default" in str(fault.details)
        else:
            raise AssertionError("an unknown profile was found")


def test_places_brought_again_change_in_words_and_sounds_and_leave_what_they_were(sessions: SessionFactory):
    with session_scope(sessions) as session:
        city(session)
    road = {"name": "德政大道", "kind": "道路", "county": "JZ"}
    estate = {"name": "金域蓝湾", "kind": "小区", "county": "JZ", "aliases": "蓝湾"}
    first = rows_of("gazetteer", road | {"aliases": "德政路"}, estate)
    assert run(sessions, KINDS["gazetteer"], first, actor=SYSTEM, now=NOON).new == 2
    second = rows_of("gazetteer", road | {"aliases": "德政街、老德政路"}, estate | {"active": "否"})
    assert run(sessions, KINDS["gazetteer"], second, actor=SYSTEM, now=NOON).changed == 2
    with sessions() as session:
        there = {place.name: place for place in session.scalars(select(Place))}
        assert [(one.name, bool(one.sound)) for one in there["德政大道"].names] == [
            ("德政大道", True),
            ("德政街", True),
            ("老德政路", True),
        ]
        assert [one.name for one in there["金域蓝湾"].names] == ["金域蓝湾", "蓝湾"]
        assert [there["德政大道"].active, there["金域蓝湾"].active] == [True, False]
        rows = audit.of(session, "place", "JZ/road/德政大道")
        assert [row.act for row in rows] == ["change", "add"]
        assert rows[0].details == {
            "before": {"aliases": ["德政路"]},
            "after": {"aliases": ["德政街", "老德政路"]},
        }
    assert run(sessions, KINDS["gazetteer"], second, actor=SYSTEM, now=NOON).unchanged == 2
