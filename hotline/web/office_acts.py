"""Further steps on an order from the hub's order page: a table of forms, of which what is possible now is offered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound as NoSuchPage

from hotline.accounts.roles import HUB
from hotline.errors import Invalid, NotFound
from hotline.units import queries as units
from hotline.web.access import roles, the_actor, when
from hotline.web.context import runtime, transaction
from hotline.web.moments import moment_of
from hotline.web.order_pages import act, by_clock
from hotline.work_orders import queries, service
from hotline.work_orders.guards import live_subs
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Action, Solved, Status, Supervision
from hotline.work_orders.visibility import visible_to
from hotline.work_orders.words import (
    ACTION_WORDS,
    MISSING_WORDS,
    NOTICE_WORDS,
    REFUSE_WORDS,
    SOLVED_WORDS,
    SUPERVISION_WORDS,
)

bp = Blueprint("acts", __name__)

INSIDE: Final = tuple(sorted(HUB))
Options = Callable[[Session, WorkOrder], list[tuple[str, str]]]
Take = Callable[[Session, Any], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. ``take`` makes what the verb wants of what was typed; ``many``: several may be chosen.

    ``given_as``: what the verb calls it, where that is not the name by which it says what is wrong.
    """

    name: str
    label: str
    kind: str = "textarea"  # text, textarea, select, checks, datetime, switch
    help: str = ""
    required: bool = True
    options: Options | None = None
    take: Take | None = None
    many: bool = False
    given_as: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """One step: its verb, its fields, what its button says and what is said when it is done."""

    action: Action
    verb: Callable[..., object]
    button: str
    done: str
    fields: tuple[Field, ...] = ()
    by_clock: bool = False
    danger: bool = False
    icon: str = "check-lg"
    note: str = ""
    key: str = ""  # where one action has two forms
    states: tuple[Status, ...] = ()  # in which it is this form, where that depends
    pool: str = ""  # where whoever did it goes on; else the order's own page

    @property
    def name(self) -> str:
        """How the form is called in its address."""
        return self.key or self.action.value


def _choices(words: Mapping[Any, str], *, empty: str | None = "请选择") -> Options:
    first = [] if empty is None else [("", empty)]
    return lambda _session, _order: [*first, *((str(code), word) for code, word in words.items())]


def _units_of(_session: Session, order: WorkOrder) -> list[tuple[str, str]]:
    there = {sub.unit_id: sub.unit.name for sub in order.sub_orders}
    return [("", "只调整督办级别"), *((str(unit_id), name) for unit_id, name in there.items())]


def _units_to_join(session: Session, order: WorkOrder) -> list[tuple[str, str]]:
    there = {sub.unit_id for sub in live_subs(order)}
    return [(str(unit.id), unit.name) for unit in units.units_of_tier(session, 2) if unit.id not in there]


def _numbers(_session: Session, typed: list[str]) -> list[int]:
    return [int(one) for one in typed if one.isdigit()]


def _number_or_none(_session: Session, typed: str) -> int | None:
    return int(typed) if typed.isdigit() else None


def _reply_due(_session: Session, typed: str) -> datetime | None:
    return moment_of(typed, "reply_due") if typed else None


def _order(session: Session, typed: str) -> WorkOrder:
    try:
        return visible_to(session, the_actor(), typed)
    except NotFound as fault:
        raise Invalid("没有这张工单", into="没有这张工单，请核对编号") from fault


def _flag(_session: Session, typed: str) -> bool:
    return typed == "1"


def _text_or_none(_session: Session, typed: str) -> str | None:
    return typed or None


_REASON: Final = Field("reason", "原因")
_SOLVED: Final = Field("solved", "解决情况", "select", options=_choices(SOLVED_WORDS))
_LEVELS: Final = {level: word for level, word in SUPERVISION_WORDS.items() if level != Supervision.JOINT}

FORMS: Final = (
    Form(
        Action.ASK_INFO,
        service.ask_info,
        "请来电人补充",
        "已请来电人补充，计时暂停",
        (
            Field("missing", "缺什么", "checks", options=_choices(MISSING_WORDS, empty=None), many=True),
            Field("text", "补充说明", help="接听来电人电话的话务员会看到", required=False),
        ),
        by_clock=True,
        icon="question-circle",
        note="会短信告知来电人缺什么；收不到短信的，须打电话告知。提醒一次后仍未补充的，系统按规定办结。",
    ),
    Form(
        Action.TELL,
        service.tell,
        "已电话告知",
        "已记录电话告知，开始计补充期限",
        by_clock=True,
        icon="telephone",
        note="来电人收不到短信。请打电话告知缺什么、请其补充；告知之前，系统不提醒也不办结这张工单。",
    ),
    Form(
        Action.REFUSE,
        service.refuse,
        "不予受理",
        "已告知来电人正确渠道",
        (
            Field("ground", "依据", "select", options=_choices(REFUSE_WORDS)),
            Field("channel", "告知的渠道", required=False, help="不填则用标准用语"),
        ),
        danger=True,
        icon="slash-circle",
    ),
    Form(
        Action.RECALL,
        service.recall,
        "撤回派单",
        "已撤回，可重新派单",
        (_REASON,),
        by_clock=True,
        icon="arrow-counterclockwise",
    ),
    Form(
        Action.MERGE,
        service.merge,
        "并入另一张工单",
        "已合并：各自的回执、计时和回访不变",
        (Field("into", "并入哪张工单", "text", help="填主单编号", take=_order),),
        icon="intersect",
    ),
    Form(Action.UNMERGE, service.unmerge, "拆分", "已拆分，从原来的环节继续", icon="scissors"),
    Form(
        Action.CALL_BACK,
        service.settle,
        "中心协调办结",
        "已转回访",
        (
            Field("spoke_to", "与谁协调", "text"),
            Field("result", "协调结果", help="内部记录"),
            Field("public_reply", "给市民的答复", help="不写姓名、电话等个人信息"),
            _SOLVED,
            Field("unsolved_reason", "未解决的原因", "text", required=False),
        ),
        by_clock=True,
        icon="people",
    ),
    Form(
        Action.SUPERVISE,
        service.supervise,
        "督办",
        "督办已生效",
        (
            Field("level", "级别", "select", options=_choices(_LEVELS)),
            Field(
                "unit",
                "发通知给",
                "select",
                options=_units_of,
                required=False,
                take=_number_or_none,
                given_as="unit_id",
            ),
            Field(
                "kind",
                "通知类型",
                "select",
                options=_choices(NOTICE_WORDS, empty="不发通知"),
                required=False,
                take=_text_or_none,
            ),
            Field("words", "督办意见"),
            Field("reply_due", "书面回复期限", "datetime", required=False, take=_reply_due),
        ),
        icon="exclamation-triangle",
    ),
    Form(
        Action.JOIN,
        service.join,
        "联合督办",
        "已转联合办理，参加的单位已通知",
        (
            Field(
                "units",
                "联合办理的单位",
                "checks",
                options=_units_to_join,
                take=_numbers,
                many=True,
                given_as="unit_ids",
            ),
            Field("reason", "原因", help="参加的单位会看到"),
        ),
        by_clock=True,
        icon="people",
        note="主办单位不变，选中的单位作为协办参加，不能退回。",
    ),
    Form(
        Action.LEADER_NOTE,
        service.note_leader,
        "记录领导批示",
        "批示已记入工单并告知承办单位",
        (Field("leader", "批示领导", "text"), Field("text", "批示内容")),
        icon="pencil",
    ),
    Form(
        Action.RESUME,
        service.resume,
        "恢复办理",
        "已恢复办理，继续计时",
        (Field("reason", "说明", required=False),),
        by_clock=True,
        icon="play-fill",
    ),
    Form(
        Action.REVIEW,
        service.review,
        "申请复查",
        "已转复查",
        (Field("fact", "新的事实"),),
        by_clock=True,
        icon="arrow-repeat",
        note="办结后规定的天数内，市民提出新的事实的可以复查。",
    ),
    Form(
        Action.TAKE_UP,
        service.reopen,
        "复查后重新办理",
        "已交原承办单位重新办理",
        (_REASON,),
        by_clock=True,
        icon="arrow-repeat",
        states=(Status.REVIEW,),
    ),
    Form(
        Action.CLOSE,
        service.keep_closed,
        "复查后维持办结",
        "维持原办结结果，已告知来电人",
        (_REASON,),
        icon="check-lg",
        key="keep_closed",
        states=(Status.REVIEW,),
    ),
    Form(
        Action.CLOSE,
        service.close_checked,
        "前后对比核验，办结",
        "已核验办结",
        (Field("note", "核验意见", required=False),),
        icon="check-lg",
        key="close_checked",
        note="这张工单没有来电人，不回访；请对比办理前、办理后的照片。",
        states=(Status.TO_CHECK_HUB,),
        pool="office.check_pool",
    ),
    Form(
        Action.SUPPLEMENT,
        service.supplement,
        "补充情况",
        "已补充并告知承办单位",
        (Field("text", "来电人补充的情况"),),
        by_clock=True,
        icon="plus-lg",
    ),
    Form(
        Action.URGE,
        service.urge,
        "催单",
        "已记录催单并告知承办单位",
        (Field("text", "来电人的话", required=False),),
        icon="bell",
    ),
    Form(
        Action.WITHDRAW,
        service.withdraw,
        "来电人撤诉",
        "已撤诉办结，不再回访",
        (
            Field("reason", "撤诉原因"),
            Field("read_back_ok", "已向来电人复述并确认撤诉", "switch", take=_flag),
        ),
        danger=True,
        icon="x-circle",
    ),
)
BY_NAME: Final = {form.name: form for form in FORMS}


def offered(order: WorkOrder) -> list[Form]:
    """Return the forms of what whoever asks may do with the order now."""
    possible = {action for action, _word in queries.allowed_actions(order, the_actor(), runtime().now())}
    return [form for form in FORMS if form.action in possible and (not form.states or order.status in form.states)]


@bp.get("/<number>/act/<name>")
@roles(*INSIDE)
def ask(number: str, name: str) -> ResponseReturnValue:
    """The form of one step."""
    return _page(number, _form(name), {}, {})


@bp.post("/<number>/act/<name>")
@roles(*INSIDE)
def do(number: str, name: str) -> ResponseReturnValue:
    """Take the step."""
    form = _form(name)

    def step(session: Session, order: WorkOrder) -> str:
        values: dict[str, Any] = {}
        for one in form.fields:
            typed: Any = request.form.getlist(one.name) if one.many else request.form.get(one.name, "").strip()
            values[one.given_as or one.name] = one.take(session, typed) if one.take else typed
        if form.by_clock:
            values |= by_clock()
        form.verb(session, order=order, **when(), **values)
        return f"{order.order_no} {form.done}"

    def again(fault: Invalid) -> str:
        typed = request.form.to_dict() | {one.name: request.form.getlist(one.name) for one in form.fields if one.many}
        return _page(number, form, typed, fault.details or {"": fault.message})

    def then(order: WorkOrder) -> str:
        return url_for(form.pool) if form.pool else url_for("office.orders.order", number=order.order_no)

    return act(number, step, then=then, again=again)


def _form(name: str) -> Form:
    if name not in BY_NAME:
        raise NoSuchPage
    return BY_NAME[name]


def _page(number: str, form: Form, typed: dict[str, Any], faults: dict[str, object]) -> str:
    with transaction() as session:
        order = queries.visible_to(session, the_actor(), number)
        return render_template(
            "office/act.html",
            order=order,
            form=form,
            typed=typed,
            faults=faults,
            stray=[said for name, said in faults.items() if name not in {one.name for one in form.fields}],
            word=ACTION_WORDS[form.action],
            options={one.name: one.options(session, order) for one in form.fields if one.options},
            solved=Solved,
        )
