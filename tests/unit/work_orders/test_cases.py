"""Seven lives of orders as the trade knows them, from the call to the citizen's word on it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM, Actor
from hotline.alarms import service as alarms
from hotline.alarms.states import AlarmState, TryState
from hotline.assets.service import put_asset
from hotline.callers.models import Caller
from hotline.errors import Invalid, NotAllowedNow
from hotline.follow_ups import service as follow_ups
from hotline.imports import read
from hotline.outbox import OutboxMessage
from hotline.work_orders import batches, derivation, evidence, journal, queries, releasing, service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import CloseKind, FileKind, Holder, Solved, Status, Supervision
from hotline.work_orders.story import story
from tests.factories.hengshui import DRAINS, FOOD, HEATING, LAMPS, PAPERS, WIRES, Hengshui, Office, hengshui
from tests.factories.orders import CALENDAR, TZ, WHEN, caller, report_fields
from tests.factories.pictures import GREEN, RED, photo
from tests.factories.rosters import FIRST, SECOND, shift


@pytest.fixture
def here(session: Session) -> Hengshui:
    return hengshui(session)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026; the 16th is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=TZ)


class Case:
    """One order, told step by step."""

    def __init__(self, session: Session, here: Hengshui, begun: datetime, who: Caller | None = None, **demand: Any):
        self.session, self.here = session, here
        who = who or caller(session)
        self.order: WorkOrder = service.start_draft(
            session, call=None, caller=who, actor=here.operator, now=begun, tz=TZ
        )
        fields = {"demand_type": "help", "read_back_ok": True, **demand}
        self.then(here.operator, begun, service.save_draft, fields=fields, typed=True)

    def then(self, actor: Actor, when: datetime, verb: Callable[..., Any], **fields: Any) -> Any:
        """Somebody does something at a moment."""
        extra = WHEN if "calendar" in inspect.signature(verb).parameters else {}
        return verb(self.session, order=self.order, actor=actor, now=when, **fields, **extra)

    def dispatch(self, when: datetime, lead: Office, *assisting: Office, **fields: Any) -> None:
        ids = [one.id for one in assisting]
        self.then(self.here.reviewer, when, service.dispatch, lead_unit_id=lead.id, assisting_ids=ids, **fields)

    def report(self, office: Office, when: datetime, reply: str, **fields: Any) -> None:
        fields = report_fields(contacted_at=when, public_reply=reply, process="现场处理", **fields)
        self.then(office.clerk, when, service.report, **fields)

    def bring(self, actor: Actor, when: datetime, kind: FileKind, name: str, colour: tuple[int, int, int]) -> None:
        judged = evidence.judged(name, photo(colour=colour), kind)
        self.then(actor, when, evidence.add, kind=kind, file=judged)

    def asked(self, when: datetime, satisfaction: str, solved: str, *reasons: str) -> None:
        """The callback officer asks the citizen, and the order acts on the answer."""
        officer = self.here.callback_officer
        callback = follow_ups.open_callback(self.session, order=self.order, now=when, **WHEN)
        follow_ups.take(self.session, callback=callback, actor=officer, now=when)
        said = follow_ups.evaluate(
            self.session,
            callback=callback,
            satisfaction=satisfaction,
            solved=solved,
            contacted=True,
            reasons=reasons,
            way="person",
            actor=officer,
            now=when,
        )
        assert said is not None
        follow_ups.apply_evaluation(self.session, evaluation=said, now=when, **WHEN)

    def holds(self, due: datetime, **held: int) -> None:
        """It is closed as the citizen said; its deadline follows from its events, its minutes from its holders."""
        order = self.order
        assert (order.status, order.close_kind) == (Status.CLOSED, CloseKind.EVALUATED)
        assert journal.verify_one(order, list(order.events)) is None
        found = derivation.of_order(order, CALENDAR, TZ)
        assert found is not None and order.deadline_at == found.at == due
        assert order.closed_at is not None
        minutes = {one.unit_name or one.holder: one.minutes for one in queries.held_minutes(order, order.closed_at)}
        assert minutes == held
        assert sum(minutes.values()) == int((order.closed_at - order.created_at).total_seconds() // 60)


def test_street_lights_dark_for_nearly_a_year(session: Session, here: Hengshui):
    case = Case(
        session,
        here,
        at(16, 9),
        category_code=LAMPS,
        area_code="131103",
        address="冀州区德政大道",
        event_time="快一年了",
        content="德政大道两侧路灯快一年不亮，晚上出行不便，多次反映没有结果。",
    )
    order = case.order
    case.then(here.operator, at(16, 9, 5), service.submit)
    case.dispatch(at(16, 9, 30), here.jizhou)
    case.then(here.jizhou.clerk, at(16, 10), service.sign)
    case.then(
        here.jizhou.clerk,
        at(16, 10, 30),
        service.ask_return,
        ground="duty",
        responsibility_line_id=here.lamp_line.id,
        suggested_unit_id=here.urban.id,
        reason="德政大道照明由市城管局维护",
    )
    case.then(
        here.reviewer,
        at(16, 11),
        service.accept_return,
        lead_unit_id=here.urban.id,
        assisting_ids=[here.power.id],
        responsibility_line_id=here.lamp_line.id,
        advice="城管局牵头，电力公司配合恢复供电",
    )
    assert (order.return_count, order.lead_unit, order.status) == (1, here.urban.unit, Status.TO_SIGN)
    case.then(here.urban.clerk, at(16, 14, 30), service.sign)
    case.then(here.power.clerk, at(16, 15), service.sign)
    case.report(here.power, at(18, 10), "箱变已恢复供电。")
    assert order.status == Status.IN_HAND  # the lead still has its own part to do
    case.bring(here.urban.clerk, at(19, 15), FileKind.BEFORE, "维修前.jpg", RED)
    case.bring(here.urban.clerk, at(19, 15), FileKind.AFTER, "亮灯.jpg", GREEN)
    case.report(here.urban, at(19, 16), "更换电缆320米，德政大道路灯已全部点亮。")
    case.then(here.reviewer, at(20, 9, 30), service.approve)
    case.asked(at(20, 10), "satisfied", Solved.YES)
    assert (order.first_satisfaction, order.final_solved) == ("satisfied", "yes")
    # five working days from submitting; the bounce gave nobody a minute more
    case.holds(at(23, 9, 5), hub=30 + 30 + 18 * 60, 冀州区政府=60, 城管局=77 * 60)


def test_sewer_gas_and_a_sick_child_on_a_saturday_evening(session: Session, here: Hengshui):
    shift(session, here.taocheng.unit, name="值班员甲", phone=FIRST, starts_at=at(21, 8), ends_at=at(22, 8))
    shift(
        session, here.taocheng.unit, name="值班员乙", phone=SECOND, position=2, starts_at=at(21, 8), ends_at=at(22, 8)
    )
    case = Case(
        session,
        here,
        at(21, 19),
        category_code=DRAINS,
        urgency="critical",
        address="五洲国际小区5号楼3单元",
        content="下水道返沼气，满屋臭味，孩子头晕呕吐。",
    )
    order = case.order
    case.then(here.operator, at(21, 19, 4), service.dispatch, lead_unit_id=here.taocheng.id)
    [part] = order.sub_orders
    assert part.sign_due_at == at(21, 19, 19)  # a quarter of an hour, on any day
    alarm = alarms.begin(session, sub=part, round_=1, now=at(21, 19, 4))
    first, second = alarm.tries[:2]
    assert alarms.ended(session, attempt=first, state=TryState.NO_ANSWER, now=at(21, 19, 5))
    assert alarms.sign(session, attempt=second, now=at(21, 19, 7))
    assert (alarm.state, second.state, order.status) == (AlarmState.SIGNED, TryState.SIGNED, Status.IN_HAND)
    signed = order.events[-1]
    assert (signed.actor_role, signed.data["in_time"]) == ("DTY", True)
    case.then(here.taocheng.clerk, at(21, 20), service.progress, text="值班人员已到现场，陪同孩子就医")
    case.bring(here.taocheng.clerk, at(21, 20, 5), FileKind.BEFORE, "地漏.jpg", RED)
    case.bring(here.taocheng.clerk, at(21, 21, 30), FileKind.AFTER, "封堵后.jpg", GREEN)
    case.report(here.taocheng, at(21, 21, 40), "已疏通化粪池并更换地漏，室内检测合格，孩子已无大碍。")
    case.then(here.reviewer, at(21, 21, 50), service.approve)
    case.asked(at(21, 22), "satisfied", Solved.YES)
    assert (
        order.closed_at is not None and order.closed_at.astimezone(TZ).date() == order.created_at.astimezone(TZ).date()
    )
    # five working days that begin on the Monday
    case.holds(at(27, 17, 30), hub=4 + 20, 桃城区政府=2 * 60 + 36)


def test_a_scooter_charged_from_a_private_cable_is_done_twice(session: Session, here: Hengshui):
    case = Case(
        session,
        here,
        at(16, 8, 30),
        demand_type="complaint",
        category_code=WIRES,
        address="桃城区某小区2号楼",
        accused_name="楼下住户",
        content="楼下邻居从窗户拉出电线给电动车充电，担心着火。",
    )
    order = case.order
    case.then(here.operator, at(16, 8, 35), service.submit)
    case.dispatch(at(16, 9), here.taocheng)
    case.then(here.taocheng.clerk, at(16, 9, 10), service.sign)
    case.then(here.taocheng.clerk, at(16, 9, 20), service.hand_down, unit_id=here.street.id)
    case.then(here.street.clerk, at(16, 10), service.sign)
    case.report(
        here.street,
        at(18, 16),
        "已劝导住户收起电线，小区充电桩正在安装。",
        solved=Solved.PARTLY,
        unsolved_reason="充电桩未通电",
    )
    case.then(here.taocheng.clerk, at(18, 17), service.approve)
    case.then(here.reviewer, at(18, 17, 30), service.approve)
    case.asked(at(19, 9), "dissatisfied", Solved.NO, "not_solved")
    assert (order.status, order.redo_count, order.round) == (Status.IN_HAND_TIER3, 1, 2)
    case.report(here.street, at(24, 11), "充电桩已通电，私拉的电线已拆除，并已登门告知。")
    case.then(here.taocheng.clerk, at(24, 11, 30), service.approve)
    case.then(here.reviewer, at(24, 14, 30), service.approve)
    case.asked(at(24, 15), "satisfied", Solved.YES)
    assert (order.first_satisfaction, order.final_satisfaction) == ("dissatisfied", "satisfied")
    # ten working days were given; half of them from the redo would end before, and time given is never taken back
    case.holds(
        at(30, 8, 35),
        hub=30 + (16 * 60) + (3 * 60 + 30),
        桃城区政府=20 + 60 + 30,
        河东街道=(2 * 24 * 60 + 6 * 60 + 40) + (5 * 24 * 60 + 2 * 60),
    )


def test_a_lost_marriage_certificate_between_two_counters(session: Session, here: Hengshui):
    """How the two come to wait is told by test_waits; here is where it leads."""
    case = Case(
        session,
        here,
        at(16, 9),
        category_code=PAPERS,
        address="桃城区",
        content="结婚证丢失，民政局要求先改户口页，派出所要求先出结婚证。",
    )
    order = case.order
    case.then(here.operator, at(16, 9, 5), service.submit)
    case.dispatch(at(16, 9, 30), here.civil, here.police)
    case.then(here.civil.clerk, at(16, 10), service.sign)
    case.then(here.police.clerk, at(16, 10, 30), service.sign)
    case.then(here.civil.clerk, at(17, 9), service.progress, text="需先改户口页", waits_for_unit_id=here.police.id)
    assert not order.joint
    case.then(here.police.clerk, at(17, 10), service.progress, text="需先有结婚证", waits_for_unit_id=here.civil.id)
    assert (order.joint, order.supervision, order.lead_unit) == (True, Supervision.JOINT, here.civil.unit)
    case.report(here.police, at(18, 9, 30), "凭民政局出具的婚姻登记证明即可办理。")
    case.report(here.civil, at(18, 16), "已出具婚姻登记证明，并与公安局一次办结，结婚证已补领。")
    case.then(here.reviewer, at(18, 16, 30), service.approve)
    case.asked(at(18, 17), "satisfied", Solved.YES)
    case.holds(at(23, 9, 5), hub=30 + 60, 民政局=2 * 24 * 60 + 6 * 60 + 30)


def test_gas_heating_money_of_808_households(session: Session, here: Hengshui):
    """How lists are read and refused is told by test_batches; here is how one report mends it for all."""
    case = Case(
        session,
        here,
        at(16, 9),
        demand_type="complaint",
        category_code=HEATING,
        area_code="131121",
        address="枣强县大营镇",
        content="气代煤取暖补贴一直没有退给低保户。",
    )
    order = case.order
    case.then(here.operator, at(16, 9, 5), service.submit)
    case.dispatch(at(16, 9, 30), here.zaoqiang)
    case.then(here.supervisor, at(16, 9, 40), service.note_leader, leader="分管副市长", text="举一反三，逐户退还。")
    case.then(here.zaoqiang.clerk, at(16, 10), service.sign)
    case.then(here.zaoqiang.clerk, at(16, 10, 30), service.hand_down, unit_id=here.town.id)
    case.then(here.town.clerk, at(16, 11), service.sign)
    lines = [f"户主{n},{n}号" for n in range(1, 809)]
    rows = read("\n".join(["姓名,地址", *lines]).encode(), "名单.csv")
    case.then(here.town.clerk, at(16, 16), service.list_households, rows=rows)
    for day, until in ((17, 200), (18, 500), (19, 808)):
        done = batches.progress(session, order).done
        case.then(here.town.clerk, at(day, 17), service.settle_households, numbers=range(done + 1, until + 1))
        if until < order.households:
            with pytest.raises(Invalid, match=f"还有 {808 - until} 户"):
                case.report(here.town, at(day, 17), "已退还。")
    assert batches.progress(session, order) == batches.Progress(808, 808)
    case.report(here.town, at(19, 17, 30), "808户气代煤补贴已全部退还到户。")
    assert (order.events[-1].data["households"], order.events[-1].data["households_done"]) == (808, 808)
    case.then(here.zaoqiang.clerk, at(20, 9), service.approve)
    case.then(here.reviewer, at(20, 9, 30), service.approve)
    case.asked(at(20, 10), "satisfied", Solved.YES)
    assert order.leader_note
    case.holds(
        at(30, 9, 5),
        hub=30 + 60,
        枣强县政府=60 + (15 * 60 + 30),
        大营镇=3 * 24 * 60 + 7 * 60,
    )


def test_a_missing_manhole_cover_known_by_its_number(session: Session, here: Hengshui):
    put_asset(
        session,
        actor=SYSTEM,
        now=at(1, 9),
        code="JG-13110200",
        name="雨水井盖",
        kind="井盖",
        address="永兴路与榕花街交叉口东北角",
        area_code="131102",
        unit=here.urban.unit,
        category_code=LAMPS,
    )
    case = Case(
        session,
        here,
        at(18, 12, 10),
        asset_code="13110200",
        urgency="urgent",
        content="井盖不见了，路口有小学生经过。",
    )
    order = case.order
    assert order.asset is not None
    assert (order.asset_code, order.address) == ("JG-13110200", "永兴路与榕花街交叉口东北角")
    assert (order.category_code, order.area_code) == (LAMPS, "131102")
    case.then(here.operator, at(18, 12, 12), service.dispatch, lead_unit_id=order.asset.unit_id)
    assert order.step_due_at == at(18, 12, 42)  # half an hour, over lunch too
    case.then(here.urban.clerk, at(18, 12, 20), service.sign)
    case.bring(here.urban.clerk, at(18, 12, 50), FileKind.BEFORE, "缺失.jpg", RED)
    assert not evidence.has_before_and_after(order)
    case.bring(here.urban.clerk, at(18, 13, 40), FileKind.AFTER, "补装.jpg", GREEN)
    case.report(here.urban, at(18, 13, 45), "井盖已补装。")
    assert evidence.has_before_and_after(order)
    assert len(order.events[-1].data["files"]) == 2
    case.then(here.reviewer, at(18, 14), service.approve)
    case.asked(at(18, 14, 30), "satisfied", Solved.YES)
    # sent out over lunch: five whole working days, to the end of the fifth morning
    case.holds(at(25, 12), hub=2 + 45, 城管局=60 + 33)


def test_out_of_date_food_told_in_confidence(session: Session, here: Hengshui):
    who = caller(session, phone="+8619900004321", name="陈秀英")
    case = Case(
        session,
        here,
        at(16, 9),
        who=who,
        demand_type="report",
        category_code=FOOD,
        confidential=True,
        address="桃城区榕花街某面包房",
        desired_result="不要让老板知道是店员陈秀英说的",
        content="我叫陈秀英，电话19900004321，在店里上班，老板把过期面包换包装再卖。",
    )
    order = case.order
    case.then(here.operator, at(16, 9, 5), service.submit)
    with pytest.raises(NotAllowedNow, match="脱敏放行"):
        case.dispatch(at(16, 9, 10), here.market)
    with pytest.raises(Invalid, match="来电人姓名"):
        case.then(here.reviewer, at(16, 9, 10), service.release, content="陈秀英反映面包房卖过期食品")
    released = "群众反映该面包房涉嫌更换包装销售过期面包，请突击检查。"
    case.then(here.reviewer, at(16, 9, 20), service.release, content=released)
    case.dispatch(at(16, 9, 30), here.market)
    case.then(here.market.clerk, at(16, 9, 40), service.sign)
    case.then(here.operator, at(16, 10), service.supplement, text="陈秀英补充：在后厨冰柜")
    with pytest.raises(Invalid, match="公开答复中有个人信息"):
        case.report(here.market, at(17, 16), "经营者电话19900001111，已立案。")
    case.report(here.market, at(17, 16), "现场查扣过期面包43袋，已立案调查。")
    case.then(here.reviewer, at(17, 16, 30), service.approve)
    case.asked(at(17, 17), "satisfied", Solved.YES)
    clerk = here.market.clerk
    assert queries.caller_view(order, clerk) is None
    seen = str([releasing.words_for(order, clerk), story(session, order, clerk)])
    assert released in seen
    assert not any(word in seen for word in ("陈秀英", "4321", "店员", "冰柜"))
    topics = session.scalars(select(OutboxMessage.topic)).all()
    assert "sms.send" not in topics  # no trace on a telephone others may read
    case.holds(at(30, 9, 5), hub=30 + 60, 市场监管局=24 * 60 + 6 * 60 + 30)
    assert {span.holder for span in order.spans} <= {Holder.HUB, Holder.UNIT}
