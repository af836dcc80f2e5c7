"""Who asks for secrecy: units read words the dispatcher wrote, and nothing goes out before."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.work_orders import journal, personal_data, releasing, service
from hotline.work_orders.states import Action, Status
from hotline.work_orders.story import story
from tests.conftest import NOON
from tests.factories.orders import WHEN, caller, draft
from tests.factories.units import City, city

LATER = NOON + timedelta(minutes=30)
SAID = "我叫王小明，电话19900001234，邻居私接电线给电动车充电。"
REDACTED = "有人私接电线给电动车充电，请核实。"


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def waiting(session: Session, here: City, **fields: object):
    order = draft(session, here, who=caller(session), **{"confidential": True, "content": SAID, **fields})
    service.submit(session, order=order, actor=here.operator, now=LATER, **WHEN)
    return order


def dispatch(session: Session, here: City, order) -> None:
    service.dispatch(session, order=order, actor=here.reviewer, now=LATER, lead_unit_id=here.county.id, **WHEN)


def test_nothing_confidential_goes_out_before_it_is_released(session: Session, here: City):
    order = waiting(session, here)
    with pytest.raises(NotAllowedNow, match="请先脱敏放行"):
        dispatch(session, here, order)
    service.release(session, order=order, actor=here.reviewer, now=LATER, content=REDACTED)
    assert order.status == Status.TO_REVIEW
    assert (order.events[-1].action, order.events[-1].data) == (Action.RELEASE, {})
    dispatch(session, here, order)
    assert order.status == Status.TO_SIGN
    assert journal.verify(session) == []


def test_units_read_what_was_released_and_the_hub_what_was_said(session: Session, here: City):
    order = waiting(session, here, desired_result="不要让他知道是王小明说的")
    service.release(session, order=order, actor=here.reviewer, now=LATER, content=REDACTED)
    dispatch(session, here, order)
    unit, hub = releasing.words_for(order, here.county_clerk), releasing.words_for(order, here.callback_officer)
    assert (unit.content, unit.desired_result, unit.event_time) == (REDACTED, "", "")
    assert unit.title == REDACTED[: releasing.TITLE]
    assert hub.content == SAID
    assert releasing.words_for(order, None).content == REDACTED
    told = str([(item.facts, item.notes) for item in story(session, order, here.county_clerk)])
    assert "王小明" not in told
    assert "19900001234" not in told


def test_an_open_order_reads_alike_for_all(session: Session, here: City):
    order = waiting(session, here, confidential=False)
    assert releasing.words_for(order, here.county_clerk) == releasing.words_for(order, here.reviewer)


def test_the_form_begins_with_numbers_and_names_masked(session: Session, here: City):
    order = waiting(session, here)
    assert releasing.suggestion(order) == "我叫王**，电话199****1234，邻居私接电线给电动车充电。"


@pytest.mark.parametrize(
    ("content", "word"),
    [("  ", "请写出"), (SAID, "电话号码"), ("王小明说有人私接电线", "来电人姓名"), ("停" * 4001, "最多 4000 字")],
)
def test_what_still_tells_who_called_is_not_released(session: Session, here: City, content: str, word: str):
    order = waiting(session, here)
    with pytest.raises(Invalid, match=word) as caught:
        service.release(session, order=order, actor=here.reviewer, now=LATER, content=content)
    assert set(caught.value.details) == {"content"}
    assert order.released_content is None


def test_only_the_dispatcher_releases_and_only_what_is_confidential(session: Session, here: City):
    order = waiting(session, here)
    with pytest.raises(NotPermitted):
        service.release(session, order=order, actor=here.operator, now=LATER, content=REDACTED)
    with pytest.raises(NotAllowedNow, match="没有要求保密"):
        plain = waiting(session, here, confidential=False)
        service.release(session, order=plain, actor=here.reviewer, now=LATER, content=REDACTED)


@pytest.mark.parametrize(
    ("text", "names", "wanted"),
    [
        ("打我电话 19900001234 或 0318-2123456", [], "打我电话 199****1234 或 031****3456"),
        ("身份证 110101199003070038，李雷", ["李雷"], "身份证 110****0038，李*"),
        ("王说的", ["王"], "王说的"),
        ("拨打12345", [], "拨打12345"),
    ],
)
def test_masking(text: str, names: list[str], wanted: str):
    assert personal_data.masked(text, names=names) == wanted
