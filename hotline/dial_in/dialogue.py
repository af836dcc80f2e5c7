"""A unit's person at the keypad: order number, PIN, then what is to be done, key by key.

Said are number, state and time left, the list's lines and units' names; nothing about a citizen. What a call has come
to stands in its ``DialIn`` row; ``turn`` counts the questions, so that a webhook that comes late answers none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.calendars.base import Calendar
from hotline.calls import spoken
from hotline.dial_in.doing import GROUNDS, NOT_THERE, SOLVED, STEPS, WAYS, Here, chosen
from hotline.dial_in.models import DialIn
from hotline.errors import Invalid, NotFound
from hotline.telephones import service as telephones
from hotline.telephones.service import PIN_DIGITS
from hotline.units.models import ResponsibilityLine, Unit
from hotline.work_orders import numbers
from hotline.work_orders.asks.returns import ELSEWHERE
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Action, ReturnGround, Solved
from hotline.work_orders.words import RETURN_WORDS, SOLVED_WORDS

NUMBER_DIGITS: Final = 14
CODE_DIGITS: Final = 10
WRONG_AT_MOST: Final = 3
LISTED: Final = 8  # choices at once; 9 leads on
MORE: Final = "9"
YES: Final = "1"
PERSON_KEYS: Final = ("", "0")  # pressed by mistake: nobody is kept from a person

ASK_NUMBER: Final = "请输入工单编号，按井号键结束。转人工服务请按零和井号键。"
ASK_PIN: Final = f"请输入您的{PIN_DIGITS}位电话办理密码。"
WRONG_NUMBER: Final = "工单编号有误，请核对。"
WRONG_PIN: Final = "号码或密码不正确。"
LOCKED: Final = "密码连续输错，已暂停使用，请半小时后再试，或联系本单位负责人。再见。"
WRONG_KEY: Final = "您的按键有误。"
GOODBYE: Final = "感谢来电，再见。"
SURE: Final = "确认请按一，取消请按二。"
CANCELLED: Final = "已取消。"
STEP_KEYS: Final = {
    Action.SIGN: "签收请按一。",
    Action.RETURN: "申请退回请按二。",
    Action.PROGRESS: "报告进展请按三。",
    Action.REPORT: "反馈办理结果请按四。",
}
ANOTHER: Final = "办理另一张工单请按九。"


class At(StrEnum):
    """Which question was asked last."""

    NUMBER = "number"
    PIN = "pin"
    MENU = "menu"
    GROUND = "ground"
    LINE = "line"
    LINE_CODE = "line_code"
    UNIT = "unit"
    RETURN_SURE = "return_sure"
    PROGRESS = "progress"
    CONTACTED = "contacted"
    HOURS = "hours"
    SOLVED = "solved"
    REASON = "reason"
    REPLY = "reply"
    REPORT_SURE = "report_sure"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What to say, then how many digits to wait for; 0: the call is over. ``turn`` goes back with the answer.

    ``to_person``: who calls is no unit's person after all, and waits for an operator like everybody.
    """

    sentences: tuple[str, ...] = ()
    digits: int = 0
    turn: int = 0
    to_person: bool = False


@dataclass(slots=True)
class _Talk:
    """One call while a key is taken."""

    here: Here
    keyed: dict[str, Any]

    @property
    def order(self) -> WorkOrder:
        return self.here.order(self.keyed["number"])

    @property
    def line(self) -> ResponsibilityLine | None:
        return self.here.session.get(ResponsibilityLine, self.keyed["line"]) if "line" in self.keyed else None

    @property
    def unit(self) -> Unit | None:
        return self.here.session.get(Unit, self.keyed["unit"]) if "unit" in self.keyed else None

    def units(self) -> list[Unit]:
        """The units on the page that is being read."""
        begin = self.keyed.get("page", 0) * LISTED
        return self.here.others(self.order, self.line)[begin : begin + LISTED]


# what was taken: words to say first, and the next question (None: wrong, the same again)
_Taken = tuple[str, At | None]


def begin(session: Session, *, provider_id: str, now: datetime) -> Prompt:
    """Ask for an order's number; a call that has come further is asked where it is."""
    row = _row(session, provider_id)
    if row is None:
        row = DialIn(provider_id=provider_id, at=now, keyed={"at": At.NUMBER, "turn": 1, "wrong": 0})
        session.add(row)
        session.flush()
    return Prompt((ASK_NUMBER,), NUMBER_DIGITS, int(row.keyed["turn"]))


def hear(
    session: Session,
    *,
    provider_id: str,
    phone: str | None,
    turn: int,
    digits: str,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
) -> Prompt:
    """Take what was keyed and return what to say next. ``phone`` is the number that calls."""
    row = _row(session, provider_id)
    if row is None:
        return begin(session, provider_id=provider_id, now=now)
    keyed = dict(row.keyed)
    at = At(keyed["at"])
    user = session.get(User, row.user_id) if row.user_id is not None else None
    talk = _Talk(Here(session, user, now, calendar, tz), keyed) if user is not None else None
    if turn != keyed["turn"]:
        return _ask(talk, at, keyed, "")
    digits = digits.strip("#*")
    if at == At.NUMBER and talk is None and digits in PERSON_KEYS:
        return Prompt(to_person=True)
    if at == At.NUMBER:
        words, following = _number(talk, keyed, digits)
    elif at == At.PIN:
        proof = telephones.prove(session, phone=phone, pin=digits, now=now)
        if proof.locked:
            return Prompt((LOCKED,))
        words, following = WRONG_PIN, None
        if proof.user is not None:
            row.user_id = proof.user.id
            talk = _Talk(Here(session, proof.user, now, calendar, tz), keyed)
            words, following = _open(talk)
    else:
        assert talk is not None  # only a right PIN leads further
        words, following = _TAKE[at](talk, digits)
    if following is None:
        keyed["wrong"] += 1
    else:
        keyed["wrong"] = 0
    keyed["at"], keyed["turn"] = following or at, turn + 1
    row.keyed = keyed
    if talk is not None and keyed["at"] != At.NUMBER:
        row.order_id = talk.order.id
    session.flush()
    if keyed["wrong"] >= WRONG_AT_MOST:
        return Prompt((words or WRONG_KEY, GOODBYE))
    return _ask(talk, At(keyed["at"]), keyed, words)


def _row(session: Session, provider_id: str) -> DialIn | None:
    return session.scalar(
        select(DialIn)
        .where(DialIn.provider_id == provider_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


# ---- asking


def _ask(talk: _Talk | None, at: At, keyed: dict[str, Any], first: str) -> Prompt:
    if at == At.NUMBER:
        sentences, digits = [ASK_NUMBER], NUMBER_DIGITS
    elif at == At.PIN or talk is None:
        sentences, digits = [ASK_PIN], PIN_DIGITS
    else:
        sentences, digits = _ASK[at](talk), CODE_DIGITS if at == At.LINE_CODE else 1
    return Prompt(tuple(one for one in (first, *sentences) if one), digits, int(keyed["turn"]))


def _choices(words: list[str]) -> str:
    return "".join(f"{word}，请按{spoken.digit(key)}。" for key, word in enumerate(words, 1))


def _ask_menu(talk: _Talk) -> list[str]:
    word, due_at = talk.here.state(talk.order)
    left = spoken.left(due_at, talk.here.now)
    told = f"工单{spoken.number(talk.order.order_no)}，{word}" + (f"，{left}。" if left else "。")
    steps = talk.here.steps(talk.order)
    return [told, *(STEP_KEYS[step] for step in steps), ANOTHER]


def _ask_ground(talk: _Talk) -> list[str]:
    return ["请选择退回类别。", _choices([RETURN_WORDS[ground] for ground in GROUNDS])]


def _ask_line(talk: _Talk) -> list[str]:
    lines = talk.here.lines(talk.order)[:LISTED]
    words = [f"责任清单{line.code}，{line.matter}" for line in lines]
    return ["请选择引用的责任清单条目。", _choices(words), "其他条目，请按九。"]


def _ask_line_code(talk: _Talk) -> list[str]:
    return ["请输入责任清单条目编号中的数字，按井号键结束。"]


def _ask_unit(talk: _Talk) -> list[str]:
    return ["应当由哪个单位办理？", _choices([unit.name for unit in talk.units()]), "其他单位，请按九。"]


def _ask_return_sure(talk: _Talk) -> list[str]:
    word = RETURN_WORDS[ReturnGround(talk.keyed["ground"])]
    line, unit = talk.line, talk.unit
    told = f"您要以{word}申请退回，依据责任清单{line.code if line else ''}"
    return [told + (f"，建议由{unit.name}办理。" if unit else "。"), SURE]


def _ask_progress(talk: _Talk) -> list[str]:
    return ["请选择进展。", _choices(list(talk.here.sentences("progress").values()))]


def _ask_contacted(talk: _Talk) -> list[str]:
    return ["是否联系了反映人？", _choices([f"已{way}联系" for way in WAYS]), "没有联系，请按四。"]


def _ask_hours(talk: _Talk) -> list[str]:
    return ["是多少小时以前联系的？请按一位数字，不到一小时请按零。"]


def _ask_solved(talk: _Talk) -> list[str]:
    return ["问题是否解决？", _choices([SOLVED_WORDS[word] for word in SOLVED])]


def _ask_reason(talk: _Talk) -> list[str]:
    return ["请选择没有完全解决的原因。", _choices(list(talk.here.sentences("reason").values()))]


def _ask_reply(talk: _Talk) -> list[str]:
    return ["请选择给反映人的答复。", _choices(list(talk.here.sentences("reply").values()))]


def _ask_report_sure(talk: _Talk) -> list[str]:
    keyed = talk.keyed
    way = f"已{keyed['way']}联系" if keyed["way"] else "没有联系反映人"
    reason = f"，原因：{talk.here.sentences('reason')[keyed['reason']]}" if keyed["reason"] else ""
    reply = talk.here.sentences("reply")[keyed["reply"]]
    return [f"您的反馈是：{way}，{SOLVED_WORDS[Solved(keyed['solved'])]}{reason}。答复：{reply}", SURE]


_ASK: Final[dict[At, Callable[[_Talk], list[str]]]] = {
    At.MENU: _ask_menu,
    At.GROUND: _ask_ground,
    At.LINE: _ask_line,
    At.LINE_CODE: _ask_line_code,
    At.UNIT: _ask_unit,
    At.RETURN_SURE: _ask_return_sure,
    At.PROGRESS: _ask_progress,
    At.CONTACTED: _ask_contacted,
    At.HOURS: _ask_hours,
    At.SOLVED: _ask_solved,
    At.REASON: _ask_reason,
    At.REPLY: _ask_reply,
    At.REPORT_SURE: _ask_report_sure,
}


# ---- taking


def _number(talk: _Talk | None, keyed: dict[str, Any], digits: str) -> _Taken:
    try:
        keyed["number"] = numbers.parse(digits)
    except Invalid:
        return WRONG_NUMBER, None
    return _open(talk) if talk is not None else ("", At.PIN)


def _open(talk: _Talk) -> _Taken:
    """Lead to the order that was keyed; one of another unit is answered like one that does not exist."""
    try:
        talk.here.order(talk.keyed["number"])
    except NotFound:
        return f"{NOT_THERE}。", At.NUMBER
    return "", At.MENU


def _wrong(key: str) -> _Taken:
    return (WRONG_KEY if key else ""), None


def _take_menu(talk: _Talk, key: str) -> _Taken:
    step = chosen(STEPS, key)
    if key == MORE:
        return "", At.NUMBER
    if step is None or step not in talk.here.steps(talk.order):
        return _wrong(key)
    if step == Action.SIGN:
        return talk.here.sign(talk.order) or "已签收。", At.MENU
    for name in ("ground", "line", "unit", "page", "way", "hours", "solved", "reason", "reply"):
        talk.keyed.pop(name, None)
    return "", {Action.RETURN: At.GROUND, Action.PROGRESS: At.PROGRESS, Action.REPORT: At.CONTACTED}[step]


def _take_ground(talk: _Talk, key: str) -> _Taken:
    ground = chosen(GROUNDS, key)
    if ground is None:
        return _wrong(key)
    talk.keyed["ground"] = ground
    return "", At.LINE


def _take_line(talk: _Talk, key: str) -> _Taken:
    line = chosen(talk.here.lines(talk.order)[:LISTED], key)
    if key == MORE:
        return "", At.LINE_CODE
    return _cited(talk, line) if line is not None else _wrong(key)


def _take_line_code(talk: _Talk, digits: str) -> _Taken:
    line = talk.here.line_coded(digits)
    return _cited(talk, line) if line is not None else ("现行责任清单中没有这一条。", At.LINE)


def _cited(talk: _Talk, line: ResponsibilityLine) -> _Taken:
    talk.keyed["line"], talk.keyed["page"] = line.id, 0
    return "", At.UNIT if talk.keyed["ground"] in ELSEWHERE else At.RETURN_SURE


def _take_unit(talk: _Talk, key: str) -> _Taken:
    if key == MORE:
        talk.keyed["page"] += 1
        if not talk.units():
            talk.keyed["page"] = 0
        return "", At.UNIT
    unit = chosen(talk.units(), key)
    if unit is None:
        return _wrong(key)
    talk.keyed["unit"] = unit.id
    return "", At.RETURN_SURE


def _take_return_sure(talk: _Talk, key: str) -> _Taken:
    if key != YES:
        return CANCELLED, At.MENU
    ground = ReturnGround(talk.keyed["ground"])
    fault = talk.here.ask_return(
        talk.order,
        ground=ground,
        line_id=talk.keyed["line"],
        unit_id=talk.keyed.get("unit"),
        reason=f"{RETURN_WORDS[ground]}（电话按键申请）",
    )
    return fault or "已申请退回，请等候审批。", At.MENU


def _take_progress(talk: _Talk, key: str) -> _Taken:
    words = talk.here.sentences("progress").get(key)
    if words is None:
        return _wrong(key)
    return talk.here.progress(talk.order, words) or "进展已报告。", At.MENU


def _take_contacted(talk: _Talk, key: str) -> _Taken:
    way = chosen((*WAYS, ""), key)
    if way is None:
        return _wrong(key)
    talk.keyed["way"] = way
    return "", At.HOURS if way else At.SOLVED


def _take_hours(talk: _Talk, key: str) -> _Taken:
    if not key.isdigit():
        return _wrong(key)
    talk.keyed["hours"] = int(key)
    return "", At.SOLVED


def _take_solved(talk: _Talk, key: str) -> _Taken:
    solved = chosen(SOLVED, key)
    if solved is None:
        return _wrong(key)
    talk.keyed["solved"], talk.keyed["reason"] = solved, ""
    return "", At.REPLY if solved == Solved.YES else At.REASON


def _take_reason(talk: _Talk, key: str) -> _Taken:
    if key not in talk.here.sentences("reason"):
        return _wrong(key)
    talk.keyed["reason"] = key
    return "", At.REPLY


def _take_reply(talk: _Talk, key: str) -> _Taken:
    if key not in talk.here.sentences("reply"):
        return _wrong(key)
    talk.keyed["reply"] = key
    return "", At.REPORT_SURE


def _take_report_sure(talk: _Talk, key: str) -> _Taken:
    if key != YES:
        return CANCELLED, At.MENU
    keyed, here = talk.keyed, talk.here
    fault = here.report(
        talk.order,
        way=keyed["way"],
        contacted_at=here.now - timedelta(hours=keyed.get("hours", 0)),
        solved=keyed["solved"],
        reason=here.sentences("reason")[keyed["reason"]] if keyed["reason"] else "",
        reply=here.sentences("reply")[keyed["reply"]],
    )
    return fault or "办理结果已提交。", At.MENU


_TAKE: Final[dict[At, Callable[[_Talk, str], _Taken]]] = {
    At.MENU: _take_menu,
    At.GROUND: _take_ground,
    At.LINE: _take_line,
    At.LINE_CODE: _take_line_code,
    At.UNIT: _take_unit,
    At.RETURN_SURE: _take_return_sure,
    At.PROGRESS: _take_progress,
    At.CONTACTED: _take_contacted,
    At.HOURS: _take_hours,
    At.SOLVED: _take_solved,
    At.REASON: _take_reason,
    At.REPLY: _take_reply,
    At.REPORT_SURE: _take_report_sure,
}
