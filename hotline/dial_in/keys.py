"""What a key means at each question, and which question follows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from hotline.dial_in.doing import GROUNDS, NOT_THERE, SOLVED, STEPS, WAYS, chosen
from hotline.dial_in.questions import CANCELLED, WRONG_KEY, WRONG_NUMBER
from hotline.dial_in.talk import LISTED, At, Talk
from hotline.errors import Invalid, NotFound
from hotline.units.models import ResponsibilityLine
from hotline.work_orders import numbers
from hotline.work_orders.asks.returns import ELSEWHERE
from hotline.work_orders.states import Action, ReturnGround, Solved
from hotline.work_orders.words import RETURN_WORDS

MORE: Final = "9"
YES: Final = "1"

# what was taken: words to say first, and the next question (None: wrong, the same again)
Taken = tuple[str, At | None]


def take(talk: Talk, at: At, digits: str) -> Taken:
    """Take what was keyed as the answer to a question about an order."""
    return _TAKE[at](talk, digits)


def number(talk: Talk | None, keyed: dict[str, Any], digits: str) -> Taken:
    """Take an order's number; who has not proved who they are is asked for the PIN."""
    try:
        keyed["number"] = numbers.parse(digits)
    except Invalid:
        return WRONG_NUMBER, None
    return opened(talk) if talk is not None else ("", At.PIN)


def opened(talk: Talk) -> Taken:
    """Lead to the order that was keyed; one of another unit is answered like one that does not exist."""
    try:
        talk.here.order(talk.keyed["number"])
    except NotFound:
        return f"{NOT_THERE}。", At.NUMBER
    return "", At.MENU


def _wrong(key: str) -> Taken:
    return (WRONG_KEY if key else ""), None


def _take_menu(talk: Talk, key: str) -> Taken:
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


def _take_ground(talk: Talk, key: str) -> Taken:
    ground = chosen(GROUNDS, key)
    if ground is None:
        return _wrong(key)
    talk.keyed["ground"] = ground
    return "", At.LINE


def _take_line(talk: Talk, key: str) -> Taken:
    line = chosen(talk.here.lines(talk.order)[:LISTED], key)
    if key == MORE:
        return "", At.LINE_CODE
    return _cited(talk, line) if line is not None else _wrong(key)


def _take_line_code(talk: Talk, digits: str) -> Taken:
    line = talk.here.line_coded(digits)
    return _cited(talk, line) if line is not None else ("现行责任清单中没有这一条。", At.LINE)


def _cited(talk: Talk, line: ResponsibilityLine) -> Taken:
    talk.keyed["line"], talk.keyed["page"] = line.id, 0
    return "", At.UNIT if talk.keyed["ground"] in ELSEWHERE else At.RETURN_SURE


def _take_unit(talk: Talk, key: str) -> Taken:
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


def _take_return_sure(talk: Talk, key: str) -> Taken:
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


def _take_progress(talk: Talk, key: str) -> Taken:
    words = talk.here.sentences("progress").get(key)
    if words is None:
        return _wrong(key)
    return talk.here.progress(talk.order, words) or "进展已报告。", At.MENU


def _take_contacted(talk: Talk, key: str) -> Taken:
    way = chosen((*WAYS, ""), key)
    if way is None:
        return _wrong(key)
    talk.keyed["way"] = way
    return "", At.HOURS if way else At.SOLVED


def _take_hours(talk: Talk, key: str) -> Taken:
    if not key.isdigit():
        return _wrong(key)
    talk.keyed["hours"] = int(key)
    return "", At.SOLVED


def _take_solved(talk: Talk, key: str) -> Taken:
    solved = chosen(SOLVED, key)
    if solved is None:
        return _wrong(key)
    talk.keyed["solved"], talk.keyed["reason"] = solved, ""
    return "", At.REPLY if solved == Solved.YES else At.REASON


def _take_reason(talk: Talk, key: str) -> Taken:
    if key not in talk.here.sentences("reason"):
        return _wrong(key)
    talk.keyed["reason"] = key
    return "", At.REPLY


def _take_reply(talk: Talk, key: str) -> Taken:
    if key not in talk.here.sentences("reply"):
        return _wrong(key)
    talk.keyed["reply"] = key
    return "", At.REPORT_SURE


def _take_report_sure(talk: Talk, key: str) -> Taken:
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


_TAKE: Final[dict[At, Callable[[Talk, str], Taken]]] = {
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
