"""Who asks to be forgotten is: nothing of their name or number is left anywhere, and what was done stays provable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.audit import AccessLog
from hotline.callers.models import Caller
from hotline.callers.traces import Traces
from hotline.calls.models import Call, CallLeg, Utterance
from hotline.db import Base
from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.follow_ups import forgetting
from hotline.follow_ups import service as follow_ups
from hotline.follow_ups.models import Evaluation
from hotline.imports import read
from hotline.knowledge_base import tasks
from hotline.knowledge_base.states import SignalKind
from hotline.work_orders import anchors, batches, evidence, journal, service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import FileKind, Status
from hotline.work_orders.story import story
from tests.conftest import NOON
from tests.factories import calls, people
from tests.factories.orders import DRAFT, TZ, WHEN, caller, order_at, report_fields
from tests.factories.pictures import BLUE, GREEN, RED, photo
from tests.factories.units import City, city

NAME, PHONE, ANOTHER, EMAIL = "王小明", "+8619900001234", "19900007777", "ming@example.cn"
WRITTEN = ("19900001234", "199 0000 1234", "１９９００００１２３４", "199****1234", ANOTHER, NAME, EMAIL)
SAID = f"我叫{NAME}，电话199 0000 1234，爱人电话19900008888，小区停水两天。"
DAY = timedelta(days=1)


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def whole_life(session: Session, here: City) -> WorkOrder:
    """An order of which everybody wrote down who called, closed in the end."""
    call, operator, leg = calls.talking(session)
    who = call.caller
    who.name, who.contact, who.email = NAME, f"+86{ANOTHER}", EMAIL
    track = session.get_one(CallLeg, leg).track
    session.add(
        Utterance(call_id=call.id, leg_id=leg, key="u1", track=track, text=SAID, start_ms=0, end_ms=9, created_at=NOON)
    )
    tasks.note(session, kind=SignalKind.NO_ENTRY, text=f"{NAME}家停水", told="", call_id=call.id, now=NOON)
    order = service.start_draft(session, call=call, caller=who, actor=operator, now=NOON, tz=TZ)
    service.save_draft(
        session, order=order, fields={**DRAFT, "content": SAID, "title": "", "address": f"五洲国际{NAME}家"},
        typed=True, actor=operator, now=NOON,
    )  # fmt: skip
    call.ended_at = NOON

    def then(verb, who, hours, **fields):
        return verb(session, order=order, actor=who, now=NOON + timedelta(hours=hours), **fields)

    then(service.submit, operator, 0, **WHEN)
    for kind, colour in ((FileKind.DEMAND, RED), (FileKind.IDENTITY, BLUE)):
        _bring(session, order, here.reviewer, kind, photo(colour=colour))
    then(service.dispatch, here.reviewer, 0, lead_unit_id=here.county.id, advice=f"请联系{NAME} {ANOTHER}", **WHEN)
    then(service.sign, here.county_clerk, 1)
    then(service.supplement, operator, 1, text=f"{NAME}补充：一楼也停水", **WHEN)
    rows = read(f"姓名,联系电话,地址\n{NAME},19900001234,3单元\n李四,19900005555,4单元\n".encode(), "名单.csv")
    then(service.list_households, here.reviewer, 1, rows=rows)
    until = (order.deadline_at or NOON) + DAY
    then(service.ask_extension, here.county_clerk, 1, ground="procedure", plan=f"{NAME}不在家", until=until, **WHEN)
    leader = people.actor(session, Role.U2L, unit=here.county)
    then(service.grant_extension, leader, 1, **WHEN)
    then(service.refuse_extension, here.supervisor, 1, reason=f"已问过{NAME}")
    notice = {"kind": "supervision", "unit_id": here.county.id, "reply_due": NOON + DAY}
    then(service.supervise, here.supervisor, 2, level="yellow", words=f"{NAME}多次来电", **notice)
    then(service.reply_notice, here.county_clerk, 2, text="已给１９９００００１２３４回电")
    then(service.note_leader, here.supervisor, 2, leader="李市长", text=f"请看望{NAME}")
    _bring(session, order, here.county_clerk, FileKind.CONTACT, photo(40, 30))
    _bring(session, order, here.county_clerk, FileKind.AFTER, photo(colour=GREEN))
    then(service.settle_households, here.county_clerk, 3)
    told = report_fields(process=f"致电+86 199-0000-1234，{NAME}已确认", public_reply=f"{NAME}您好，已恢复供水。")
    then(service.report, here.county_clerk, 3, **told, **WHEN)
    then(service.approve, here.reviewer, 3, **WHEN)
    callback = follow_ups.open_callback(session, order=order, now=NOON + DAY, **WHEN)
    officer = {"callback": callback, "actor": here.callback_officer, "now": NOON + DAY}
    follow_ups.take(session, **officer)
    rated = follow_ups.evaluate(
        session,
        satisfaction="satisfied",
        solved="yes",
        contacted=True,
        way="person",
        comment=f"我{NAME}很满意",
        **officer,
    )
    assert rated is not None
    follow_ups.apply_evaluation(session, evaluation=rated, now=NOON + DAY, **WHEN)
    assert order.status == Status.CLOSED
    return order


def _bring(session: Session, order: WorkOrder, actor, kind: str, body: bytes) -> None:
    file = evidence.judged(f"{NAME}{kind}.jpg", body, kind)
    evidence.add(session, order=order, actor=actor, now=NOON, kind=kind, file=file)


def left(session: Session) -> Iterator[str]:
    """Every column, of every table, in which something of the caller can be read with the keys in hand."""
    session.flush()
    session.expire_all()
    for mapper in Base.registry.mappers:
        for row in session.scalars(select(mapper.class_)):
            for column in mapper.column_attrs:
                value = getattr(row, column.key)
                text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                if any(word in text for word in WRITTEN):
                    yield f"{mapper.class_.__name__}.{column.key}"


def forget(session: Session, who: Caller, role: str = Role.SEC, reason: str = "本人申请") -> None:
    officer = people.actor(session, role)
    forgetting.forget(session, callers=[who], actor=officer, reason=reason, now=NOON + 2 * DAY)


def test_nothing_of_a_name_or_number_is_left_and_the_journal_and_its_anchors_hold(session: Session, here: City):
    order = whole_life(session, here)
    anchors.take(session, day=NOON.date(), now=NOON + DAY)
    everywhere = set(left(session))
    wanted = {"Caller.phone", "Utterance.text", "Signal.text", "WorkOrder.content", "WorkOrder.address"}
    wanted |= {"WorkOrder.dispatch_advice", "SubOrder.advice", "Report.process", "Report.public_reply"}
    wanted |= {"OrderRequest.reason", "OrderRequest.answer", "Notice.words", "Notice.reply", "OrderEvent.private"}
    wanted |= {"OrderFile.name", "BatchItem.name", "BatchItem.contact", "Evaluation.comment"}
    assert wanted <= everywhere  # the scan finds what is there
    deadline, digest = order.deadline_at, order.head_hash
    forget(session, order.caller)
    assert list(left(session)) == []
    assert journal.verify(session) == []
    assert list(anchors.verify(session)) == []
    assert (order.deadline_at, order.head_hash) == (deadline, digest)
    assert (order.final_satisfaction, session.scalars(select(Evaluation.satisfaction)).one()) == (
        "satisfied",
        "satisfied",
    )
    [row] = session.scalars(select(AccessLog).where(AccessLog.act == "erase"))
    assert (row.subject, row.subject_id, row.reason) == ("caller", str(order.caller_id), "本人申请")


def test_what_was_done_can_still_be_told(session: Session, here: City):
    order = whole_life(session, here)
    forget(session, order.caller)
    session.expire_all()
    assert order.content == "我叫［已删除］，电话［已删除］，爱人电话［已删除］，小区停水两天。"
    report = next(item for item in story(session, order, here.reviewer) if item.action == "report")
    assert report.notes == []  # what is committed to goes as a whole or stays
    assert {file.kind: file.body is not None for file in order.files} == {
        "demand": False, "identity": False, "contact": False, "after": True,
    }  # fmt: skip
    mine, other = batches.items(session, order)
    assert (mine.name, mine.contact, mine.place) == (None, None, None)
    assert mine.done_at is not None
    assert (other.name, other.contact, other.place) == ("李四", "19900005555", "4单元")
    assert order.receipt_code is None
    kept = [event.action for event in order.events if event.private is not None]
    assert "submit" not in kept and "supplement" not in kept


def test_another_of_the_same_house_is_untouched(session: Session, here: City):
    order = whole_life(session, here)
    other = order_at(session, here, Status.TO_CALL_BACK, who=caller(session, "+8619900005678", "赵六"))
    words = [event.private for event in other.events]
    forget(session, order.caller)
    session.expire_all()
    assert (other.caller.name, other.caller.phone, other.content) == ("赵六", "+8619900005678", DRAFT["content"])
    assert [event.private for event in other.events] == words


def test_who_is_still_to_be_reached_is_not_forgotten_yet(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND)
    with pytest.raises(NotAllowedNow, match=order.order_no):
        forget(session, order.caller)
    talking = session.get_one(Call, calls.talking(session)[0].id)
    with pytest.raises(NotAllowedNow, match="正在通话"):
        forget(session, talking.caller)
    assert order.caller.name and talking.caller.phone


def test_one_open_order_leaves_every_contact_of_the_person(session: Session, here: City):
    first, second = caller(session), caller(session)
    order_at(session, here, Status.IN_HAND, who=second)
    officer = people.actor(session, Role.SEC)
    with pytest.raises(NotAllowedNow):
        forgetting.forget(session, callers=[first, second], actor=officer, reason="本人申请", now=NOON)
    session.expire_all()
    assert first.name and second.name


def test_only_the_two_administrators_forget_and_say_why(session: Session):
    who = caller(session)
    for role in (Role.SUP, Role.AUD, Role.OPR):
        with pytest.raises(NotPermitted):
            forget(session, who, role)
    for reason in ("  ", "删", "长" * 201):
        with pytest.raises(Invalid):
            forget(session, who, Role.ADM, reason)
    forget(session, who, Role.ADM)
    assert who.erased_at is not None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("打+86 199-0000-1234", "打［已删除］"),
        ("打8619900001234。", "打［已删除］。"),
        ("打１９９００００１２３４", "打［已删除］"),
        ("单号419900001234，编号199000012345", "单号419900001234，编号199000012345"),
        ("王小明（199****1234）", "［已删除］（［已删除］）"),
        ("王小，明天", "王小，明天"),
    ],
)
def test_a_caller_is_found_however_they_were_written_down(session: Session, text: str, wanted: str):
    traces = Traces(caller(session))
    assert traces.without(text) == wanted
    assert traces.within({"a": [text]}) is (wanted != text)


def test_of_a_withheld_number_without_a_name_there_is_nothing_to_find(session: Session):
    traces = Traces(caller(session, phone=None, name=None))
    assert not traces.within("19900001234")
    assert traces.without("王小明") == "王小明"
