"""From the first word of the call to a submitted order: T1, T2, T3."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.assets import queries as assets
from hotline.assets.models import Asset
from hotline.calendars.base import Calendar
from hotline.callers.models import Caller
from hotline.callers.service import commitment
from hotline.calls.models import Call
from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.knowledge_base.models import Entry
from hotline.units.models import Category
from hotline.work_orders import clock, derivation, numbers
from hotline.work_orders.derivation import What
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.rules import in_force, profile_of, rules_of
from hotline.work_orders.states import Action, DemandType, SensitiveKind, Status, Urgency
from hotline.work_orders.steps import Message, advance, flush, not_now, rule_for, sms
from hotline.work_orders.transitions import START, TRANSITIONS

CALLER_KINDS: Final = ("个人", "企业", "组织", "外籍")
SOURCE_CHANNELS: Final = (
    *("电话", "网站", "微信", "小程序", "短信", "邮件", "市长信箱"),
    *("扫码", "自助机", "领导批示", "110", "省平台", "媒体", "巡查"),
)

# what a draft holds: longest text, or the values it may take, or a yes/no
_TEXTS: Final[dict[str, int]] = {
    "category_code": 20,
    "title": 120,
    "content": 4000,
    "desired_result": 1000,
    "area_code": 12,
    "address": 200,
    "event_time": 60,
    "accused_name": 60,
    "accused_phone": 30,
    "asset_code": 40,
}
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "demand_type": tuple(DemandType),
    "urgency": tuple(Urgency),
    "caller_kind": CALLER_KINDS,
    "sensitive_kind": ("", *SensitiveKind),
}
DRAFT_SWITCHES: Final = ("confidential", "read_back_ok", "callback_wanted")
DRAFT_FIELDS: Final = (*_TEXTS, *_CHOICES, *DRAFT_SWITCHES)

WORDS: Final[dict[str, str]] = {
    "demand_type": "诉求类型",
    "category_code": "问题分类",
    "urgency": "紧急程度",
    "title": "标题",
    "content": "主要内容",
    "desired_result": "诉求目的",
    "area_code": "行政区划",
    "address": "事发地",
    "event_time": "事发时间",
    "accused_name": "被反映人",
    "accused_phone": "被反映人电话",
    "asset_code": "部件编号",
    "caller_kind": "来电主体",
    "sensitive_kind": "敏感类别",
    "confidential": "是否保密",
    "read_back_ok": "诉求确认",
    "callback_wanted": "需要回访",
}
_TITLE_FROM_CONTENT: Final = 30
_COMMITTED: Final = ("title", "content", "desired_result", "address", "event_time", "accused_name", "accused_phone")


def start_draft(
    session: Session,
    *,
    call: Call | None,
    caller: Caller | None,
    actor: Actor,
    now: datetime,
    tz: tzinfo,
    assisted: bool = False,
    source_channel: str = "电话",
    profile: str | None = None,
) -> WorkOrder:
    """Open an order in draft (N0) with a number of the present month. One call may have several.

    Its deadlines follow ``profile``, by default the one in force today.
    """
    name = profile or in_force(session, on=now.astimezone(tz).date())
    profile_of(session, name)
    if source_channel not in SOURCE_CHANNELS:
        raise Invalid("没有这个受理渠道", source_channel="没有这个受理渠道")
    if actor.role not in TRANSITIONS[START, Action.OPEN].roles:
        raise NotPermitted("只有话务员可以记录诉求")
    order = WorkOrder(
        order_no=numbers.next_number(session, now=now, tz=tz),
        receipt_code=f"{secrets.randbelow(10**6):06}",
        status=START,
        source_channel=source_channel,
        call_id=call.id if call else None,
        caller=caller,
        operator_id=actor.user_id,
        assisted=assisted,
        profile=name,
        created_at=now,
        updated_at=now,
        event_count=0,
        head_hash="",
        touched=[],
    )
    session.add(order)
    advance(session, order, Action.OPEN, actor=actor, now=now, data={"call_id": order.call_id})
    return order


def save_draft(
    session: Session, *, order: WorkOrder, fields: Mapping[str, Any], typed: bool, actor: Actor, now: datetime
) -> list[str]:
    """Write fields into a draft and return the names of those that took a new value.

    ``typed`` by a person: they count as touched from then on. Not typed (filled in from the conversation):
    touched fields keep what the person wrote. Raises ``Invalid`` naming every unknown or wrong field.
    """
    if order.status != Status.DRAFT:
        raise not_now(order, Action.SUBMIT, actor) if order.status else NotAllowedNow("工单尚未建立")
    rule_for(order, Action.SUBMIT, actor)
    clean = _checked(fields)
    asset = _asset(session, clean.get("asset_code", ""))
    changed = []
    for name, value in clean.items():
        if not typed and name in order.touched:
            continue
        if name == "asset_code":
            if order.asset is not asset:
                order.asset = asset
                changed += [name, *_by_asset(order, clean if typed else {})]
        elif getattr(order, name) != value:
            setattr(order, name, value)
            changed.append(name)
    if typed:
        order.touched = sorted({*order.touched, *clean})
    if changed or typed:
        order.updated_at = max(now, order.updated_at)
    flush(session)
    return changed


def _asset(session: Session, code: str) -> Asset | None:
    found = assets.find(session, code)
    if code and found is None:
        raise Invalid(f"没有编号为 {code} 的部件", asset_code=f"没有编号为 {code} 的部件")
    return found


def _by_asset(order: WorkOrder, typed: Mapping[str, Any]) -> list[str]:
    """Write what the asset tells into fields nobody touched, and return their names: from now on they stand."""
    if order.asset is None:
        return []
    told = {"address": order.asset.address, "area_code": order.asset.area_code}
    told["category_code"] = order.asset.category_code
    filled = [name for name, value in told.items() if value and name not in order.touched and name not in typed]
    for name in filled:
        setattr(order, name, told[name])
    order.touched = sorted({*order.touched, *filled})
    return filled


def answer(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    entry_id: int | None = None,
    no_entry_reason: str = "",
) -> WorkOrder:
    """Settle the demand on the spot (N0 to N1): either the entry used, or why there was none."""
    rule_for(order, Action.ANSWER, actor)
    reason = no_entry_reason.strip()
    if (entry_id is None) == (not reason):
        raise Invalid("请选择采用的知识条目，或说明没有合适条目的原因", entry_id="采用条目与无条目原因二选一")
    if entry_id is not None and session.get(Entry, entry_id) is None:
        raise Invalid("没有这条知识", entry_id="没有这条知识")
    order.answer_entry_id = entry_id
    order.no_entry_reason = reason
    advance(
        session,
        order,
        Action.ANSWER,
        actor=actor,
        now=now,
        data={"entry_id": entry_id},
        private={"reason": reason},
    )
    return order


def submit(
    session: Session, *, order: WorkOrder, actor: Actor, now: datetime, calendar: Calendar, tz: tzinfo
) -> WorkOrder:
    """Submit the draft for review (N0 to N2): the order's clock starts, the deadline is set, the citizen is told.

    Raises ``Invalid`` naming every required field that is empty. An empty title is cut from the content.
    """
    rule_for(order, Action.SUBMIT, actor)
    demand = complete(session, order)
    rules = rules_of(order)
    told = derivation.move(order, What.ACCEPT, now=now, calendar=calendar, tz=tz)
    review = clock.step_due(rules, "dispatch", order.urgency, now, calendar, tz)
    order.submitted_at = order.clock_started_at = max(now, order.updated_at)  # as its event will say
    advance(
        session,
        order,
        Action.SUBMIT,
        actor=actor,
        now=now,
        step_due_at=review.at if review else None,
        data=demand.data | told,
        private=demand.private,
        messages=demand.messages,
    )
    return order


@dataclass(frozen=True, slots=True)
class Demand:
    """What the event keeps with which a draft becomes an order, and what the citizen is told then."""

    data: dict[str, Any]
    private: dict[str, Any]
    messages: list[Message]


def complete(session: Session, order: WorkOrder) -> Demand:
    """Return the demand of a draft that is about to leave the desk; an empty title is cut from the content.

    Raises ``Invalid`` naming every required field that is empty.
    """
    if faults := missing(session, order):
        raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)
    if not order.title:
        order.title = order.content.splitlines()[0][:_TITLE_FROM_CONTENT]
    return Demand(
        data={
            "demand_type": order.demand_type,
            "category_code": order.category_code,
            "urgency": order.urgency,
            "confidential": order.confidential,
            "sensitive_kind": order.sensitive_kind,
            "read_back_ok": order.read_back_ok,
            "caller": commitment(order.caller) if order.caller else None,
        },
        private={name: getattr(order, name) for name in _COMMITTED},
        messages=sms(order, "accepted"),
    )


def _checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    clean: dict[str, Any] = {}
    faults: dict[str, object] = {}
    for name, value in fields.items():
        clean[name], fault = _checked_one(name, value)
        if fault:
            faults[name] = fault
    if faults:
        raise Invalid("；".join(f"{WORDS.get(name, name)}：{fault}" for name, fault in faults.items()), **faults)
    return clean


def _checked_one(name: str, value: Any) -> tuple[Any, str]:
    """Return the clean value and what is wrong with it ("" when nothing)."""
    if name in DRAFT_SWITCHES:
        return value, "" if isinstance(value, bool) else "只能是是或否"
    if name in _CHOICES:
        return value, "" if value in _CHOICES[name] else "没有这个选项"
    if name not in _TEXTS:
        return value, "没有这个字段"
    if not isinstance(value, str):
        return value, "应是文字"
    text = value.strip()
    return text, f"最多 {_TEXTS[name]} 字" if len(text) > _TEXTS[name] else ""


def missing(session: Session, order: WorkOrder) -> dict[str, object]:
    """Return what a draft still lacks to be submitted: a sentence by field; empty when it is complete."""
    faults: dict[str, object] = {
        name: f"请填写{WORDS[name]}"
        for name in ("demand_type", "category_code", "content")
        if not getattr(order, name).strip()
    }
    if not (order.address.strip() or order.area_code.strip()):
        faults["address"] = "请填写事发地"
    if "category_code" not in faults and not session.scalar(
        select(Category.id).where(Category.code == order.category_code)
    ):
        faults["category_code"] = "没有这个问题分类"
    return faults
