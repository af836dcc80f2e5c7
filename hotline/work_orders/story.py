"""An order's life told to one reader: what happened, by whom, in words that reader may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased, contains_eager

from hotline.accounts.models import User
from hotline.accounts.roles import HUB, UNITS
from hotline.accounts.service import SYSTEM, Actor
from hotline.errors import NotFound
from hotline.units import queries as units
from hotline.units.models import ResponsibilityLine, Unit
from hotline.work_orders.guards import live_subs
from hotline.work_orders.models import OrderEvent, WorkOrder
from hotline.work_orders.states import (
    STATES,
    Action,
    ClaimGround,
    CloseKind,
    ExplainGround,
    ExtensionGround,
    Missing,
    NoticeKind,
    PanelCause,
    RefuseGround,
    RequestState,
    ReturnGround,
    Satisfaction,
    Solved,
    Status,
    Supervision,
    SuspensionGround,
)
from hotline.work_orders.supervision.lights import GROUND_WORDS, Ground
from hotline.work_orders.visibility import sees
from hotline.work_orders.words import (
    ACTION_WORDS,
    CLAIM_WORDS,
    CLOSE_WORDS,
    EXPLAIN_WORDS,
    EXTENSION_WORDS,
    MISSING_WORDS,
    NOTICE_WORDS,
    PANEL_WORDS,
    REFUSE_WORDS,
    REQUEST_STATE_WORDS,
    RETURN_WORDS,
    SATISFACTION_WORDS,
    SOLVED_WORDS,
    SUPERVISION_WORDS,
    SUSPENSION_WORDS,
)

HUB_NAME: Final = "热线中心"

# words kept apart from the event's data, by the label they are shown under; what a draft held is the order itself
_LABELS: Final = {
    "advice": "办理要求",
    "reason": "原因",
    "note": "审核意见",
    "text": "补充内容",
    "channel": "应走的渠道",
    "released": "脱敏后内容",
    "progress": "进展情况",
    "public_reply": "公开答复",
    "process": "办理情况",
    "unsolved_reason": "未解决原因",
    "plan": "办理计划",
    "waits_for": "等待事项",
    "fact": "新情况",
    "words": "通知内容",
    "reply": "书面回复",
    "instruction": "批示",
    "leader": "批示领导",
    "evidence": "依据",
    "answer": "裁定意见",
    "explained": "已作解释",
    "spoke_to": "协调对象",
    "result": "协调结果",
}
_FOR_ALL: Final = frozenset({"public_reply"})


@dataclass(frozen=True, slots=True)
class StoryItem:
    """One step. ``facts`` and ``notes`` are (label, text); notes only those this reader may see."""

    seq: int
    at: datetime
    action: str
    word: str
    who: str
    status: str
    status_word: str
    facts: list[tuple[str, str]]
    notes: list[tuple[str, str]]


def story(session: Session, order: WorkOrder, actor: Actor) -> list[StoryItem]:
    """Return the order's steps, the first first, for this reader; ``NotFound`` where it may not know the order.

    The hub reads everything. A unit reads the steps of all, names and inside words of its own subtree and what was
    addressed to it; the hub's people appear to it as the hub. What callers of merged orders urge and add stands where
    it happened (``seq`` 0: it is of another order's chain); of a confidential one only that it happened.
    """
    if not sees(session, actor, order):
        raise NotFound("没有这张工单")
    beside = _of_followers(session, order)
    reader = _Reader(session, order, actor, beside)
    told = [reader.item(event) for event in order.events]
    return sorted([*told, *map(reader.beside, beside)], key=lambda one: one.at) if beside else told


def _of_followers(session: Session, order: WorkOrder) -> Sequence[OrderEvent]:
    """Return what the callers of orders merged into this one said since the merge."""
    merge = aliased(OrderEvent)
    since = (
        select(func.max(merge.seq))
        .where(merge.order_id == OrderEvent.order_id, merge.action == Action.MERGE)
        .scalar_subquery()
    )
    return session.scalars(
        select(OrderEvent)
        .join(OrderEvent.order)
        .where(
            WorkOrder.merged_into_id == order.id,
            OrderEvent.action.in_((Action.URGE, Action.SUPPLEMENT)),
            OrderEvent.seq > since,
        )
        .options(contains_eager(OrderEvent.order))
        .order_by(OrderEvent.id)
    ).all()


class _Reader:
    """What one reader may see of one order, with the names it takes."""

    def __init__(self, session: Session, order: WorkOrder, actor: Actor, beside: Sequence[OrderEvent]) -> None:
        self._order = order
        self._hub = actor.role in HUB or actor.role == SYSTEM.role
        own = set(units.subtree_ids(session, actor.unit_id)) if actor.role in UNITS and actor.unit_id else set()
        self._own = frozenset(own)
        self._holds = any(sub.unit_id in own for sub in live_subs(order))
        people = {event.actor_user_id for event in (*order.events, *beside) if event.actor_user_id}
        self._people = {user.id: user.display_name for user in session.scalars(select(User).where(User.id.in_(people)))}
        named = {event.actor_unit_id for event in order.events if event.actor_unit_id}
        for event in order.events:
            named |= {event.data[key] for key in ("unit", "lead", "suggested", "waits_for") if event.data.get(key)}
            named |= {unit for key in ("assisting", "circle", "units") for unit in event.data.get(key, ())}
        self._units = {unit.id: unit.name for unit in session.scalars(select(Unit).where(Unit.id.in_(named)))}
        cited = {event.data["line"] for event in order.events if event.data.get("line")}
        lines = session.scalars(select(ResponsibilityLine).where(ResponsibilityLine.id.in_(cited)))
        self._lines = {line.id: f"{line.version} {line.code} {line.matter}" for line in lines}

    def item(self, event: OrderEvent) -> StoryItem:
        """Tell one event."""
        return StoryItem(
            seq=event.seq,
            at=event.at,
            action=event.action,
            word=ACTION_WORDS[Action(event.action)],
            who=self._who(event),
            status=event.to_status,
            status_word=STATES[Status(event.to_status)].word,
            facts=self._facts(event),
            notes=self._notes(event),
        )

    def beside(self, event: OrderEvent) -> StoryItem:
        """Tell what the caller of a merged order said: to the hub, and to whoever holds this order now."""
        heard = self._hub or (self._holds and not event.order.confidential)
        words = (event.private or {}).get("text", "")
        return StoryItem(
            seq=0,
            at=event.at,
            action=event.action,
            word=ACTION_WORDS[Action(event.action)],
            who=self._who(event),
            status=self._order.status,
            status_word="",
            facts=[("来自", f"并入的工单 {event.order.order_no}" if self._hub else "共同反映的来电人")],
            notes=[(_LABELS["text"], words)] if heard and words else [],
        )

    def _who(self, event: OrderEvent) -> str:
        if event.actor_role == SYSTEM.role:
            return SYSTEM.name
        person = self._people.get(event.actor_user_id or 0, "")
        if event.actor_role not in UNITS:
            return f"{HUB_NAME} {person}".strip() if self._hub else HUB_NAME
        unit = self._units.get(event.actor_unit_id or 0, "")
        return f"{unit} {person}".strip() if self._hub or event.actor_unit_id in self._own else unit

    def _facts(self, event: OrderEvent) -> list[tuple[str, str]]:
        data = event.data
        facts = []
        if data.get("lead"):
            facts.append(("主办", self._units[data["lead"]]))
            if data.get("assisting"):
                facts.append(("协办", "、".join(self._units[unit] for unit in data["assisting"])))
        elif data.get("unit") and event.action in (Action.HAND_DOWN, Action.TAKE_UP, Action.REJECT):
            facts.append(("承办", self._units[data["unit"]]))
        facts += self._of_returns(event)
        if data.get("part") == "assisting":
            facts.append(("协办", "是"))
        if data.get("in_time") is False:
            facts.append(("时限", "已超时限"))
        facts += self._of_what_was_said(event)
        facts += self._of_the_demand(event)
        facts += self._of_time(event)
        if data.get("kind"):
            facts.append(("办结方式", CLOSE_WORDS[CloseKind(data["kind"])]))
        facts += self._supervision(event)
        return facts

    def _of_what_was_said(self, event: OrderEvent) -> list[tuple[str, str]]:
        data = event.data
        facts = []
        if data.get("satisfaction"):
            facts.append(("满意度", SATISFACTION_WORDS[Satisfaction(data["satisfaction"])]))
        if data.get("solved"):
            facts.append(("是否解决", SOLVED_WORDS[Solved(data["solved"])]))
        if data.get("contacted") is not None:
            facts.append(("是否联系群众", "已联系" if data["contacted"] else "未联系"))
        return facts

    def _of_the_demand(self, event: OrderEvent) -> list[tuple[str, str]]:
        data = event.data
        facts = []
        if data.get("households"):
            done = f"，已办 {data['households_done']} 户" if "households_done" in data else ""
            facts.append(("批量", f"共 {data['households']} 户{done}"))
        if event.action == Action.REFUSE:
            facts.append(("情形", REFUSE_WORDS[RefuseGround(data["ground"])]))
        if data.get("main"):
            facts.append(("主单", data["main"]))
            if data.get("order"):
                facts.append(("并入的工单", data["order"]))
        return facts

    def _of_time(self, event: OrderEvent) -> list[tuple[str, str]]:
        data = event.data
        facts = []
        if data.get("missing"):
            facts.append(("需要补充", "、".join(MISSING_WORDS[Missing(code)] for code in data["missing"])))
        if data.get("by_telephone"):
            facts.append(("告知方式", "收不到短信，须电话告知"))
        if event.action == Action.ASK_EXTENSION:
            facts.append(("延期原因", EXTENSION_WORDS[ExtensionGround(data["ground"])]))
        if event.action == Action.GRANT_EXTENSION and data["state"] == RequestState.PASSED:
            facts.append(("审批进度", REQUEST_STATE_WORDS[RequestState.PASSED]))
        if event.action in (Action.ASK_SUSPENSION, Action.SUSPEND):
            facts.append(("挂起原因", SUSPENSION_WORDS[SuspensionGround(data["ground"])]))
        if data.get("kept"):
            facts.append(("复查结果", "维持原办理结果"))
        return facts

    def _of_returns(self, event: OrderEvent) -> list[tuple[str, str]]:
        data = event.data
        facts = []
        if event.action in (Action.ACCEPT_RETURN, Action.REFUSE_RETURN, Action.TO_PANEL):
            facts.append(("退回单位", self._units[data["unit"]]))
            facts.append(("退回类别", RETURN_WORDS[ReturnGround(data["ground"])]))
        if event.action == Action.RECALL and data.get("unit"):
            facts.append(("撤回自", self._units[data["unit"]]))
        if event.action == Action.RETURN:
            facts.append(("退回类别", RETURN_WORDS[ReturnGround(data["ground"])]))
            facts.append(("责任清单", self._lines[data["line"]]))
            if data.get("suggested"):
                facts.append(("建议单位", self._units[data["suggested"]]))
        if data.get("cause"):
            facts.append(("会商原因", PANEL_WORDS[PanelCause(data["cause"])]))
        if data.get("waits_for"):
            facts.append(("等待单位", self._units[data["waits_for"]]))
        for key, label in (("circle", "循环退回"), ("units", "互相等待")):
            if data.get(key):
                facts.append((label, "、".join(self._units[unit] for unit in data[key])))
        return facts

    def _supervision(self, event: OrderEvent) -> list[tuple[str, str]]:
        data = event.data
        facts = []
        if data.get("level"):
            facts.append(("督办级别", SUPERVISION_WORDS[Supervision(data["level"])]))
        if data.get("alert"):
            facts.append(("缘由", GROUND_WORDS[Ground(data["alert"])]))
        if data.get("notice"):
            facts.append(("通知", NOTICE_WORDS[NoticeKind(data["notice"])]))
        if event.action == Action.SUPERVISE and data.get("unit"):
            facts.append(("单位", self._units[data["unit"]]))
        if data.get("explanation"):
            facts.append(("解释依据", EXPLAIN_WORDS[ExplainGround(data["explanation"])]))
        if data.get("claim"):
            facts.append(("申报类别", CLAIM_WORDS[ClaimGround(data["claim"])]))
        if data.get("upheld") is not None:
            facts.append(("结论", "成立" if data["upheld"] else "不成立"))
        return facts

    def _notes(self, event: OrderEvent) -> list[tuple[str, str]]:
        inside = (
            self._hub or event.actor_unit_id in self._own or not self._own.isdisjoint(event.data.get("for_units", ()))
        )
        return [
            (_LABELS[key], text)
            for key, text in (event.private or {}).items()
            if key in _LABELS and (inside or key in _FOR_ALL)
        ]
