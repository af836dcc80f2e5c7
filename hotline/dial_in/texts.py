"""A unit's person writes: ``签收 2611-00042-7 123456`` and the like. The message is kept nowhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from sqlalchemy.orm import Session

from hotline.calendars.base import Calendar
from hotline.calls import spoken
from hotline.dial_in.doing import NOT_THERE, WAYS, Here
from hotline.errors import Invalid, NotFound
from hotline.telephones import service as telephones
from hotline.work_orders import numbers
from hotline.work_orders.asks.returns import ELSEWHERE
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Solved
from hotline.work_orders.words import RETURN_WORDS, SOLVED_WORDS

EXAMPLE_NO: Final = "2611-00042-7"
EXAMPLES: Final = {
    "签收": f"签收 {EXAMPLE_NO} 密码",
    "查询": f"查询 {EXAMPLE_NO} 密码",
    "退回": f"退回 {EXAMPLE_NO} 密码 职能不符 L02 市城管局 该路段路灯由市里管护",
    "进展": f"进展 {EXAMPLE_NO} 密码 已到现场，正在更换灯具",
    "办结": f"办结 {EXAMPLE_NO} 密码 电话 09:30 已解决 路灯已修复，感谢您的反映",
}
WRONG_PIN: Final = "号码或密码不正确。"
LOCKED: Final = "密码连续输错，已暂停使用，请半小时后再试，或联系本单位负责人。"
NOT_CONTACTED: Final = "未联系"
_HEAD: Final = re.compile(rf"({'|'.join(EXAMPLES)})\s*([0-9][0-9-]{{8,15}})(?:\s+(\d{{4,8}}))?(?:\s+(.*))?", re.DOTALL)
# digits, brackets and blanks as telephones type them; one sign for one, so that the words themselves stay as written
_PLAIN: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " ", ord("—"): "-"}
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_SOLVED: Final = re.compile(rf"({'|'.join(SOLVED_WORDS.values())})(?:\((.*?)\))?\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Asked:
    here: Here
    order: WorkOrder
    rest: str


def take(
    session: Session, *, phone: str | None, body: str, now: datetime, calendar: Calendar, tz: tzinfo
) -> str | None:
    """Do what a message asks and return the answer to send; None when it is no message of a unit's person.

    Who writes from a number nobody registered, or with a wrong PIN, is told the same; another unit's order is
    answered like one that does not exist.
    """
    body = body.strip()
    found = _HEAD.fullmatch(body.translate(_PLAIN))
    if found is None:
        return None
    verb, typed, pin, _ = found.groups(default="")
    rest = body[slice(*found.span(4))] if found[4] else ""
    if not pin:
        return _example(verb, "请写上电话办理密码。")
    proof = telephones.prove(session, phone=phone, pin=pin, now=now)
    if proof.user is None:
        return LOCKED if proof.locked else WRONG_PIN
    here = Here(session, proof.user, now, calendar, tz)
    try:
        order = here.order(numbers.parse(typed))
    except Invalid as fault:
        return _example(verb, f"{fault.message}。")
    except NotFound:
        return f"{NOT_THERE}。"
    said = _VERBS[verb](_Asked(here, order, rest.strip()))
    word, due_at = here.state(order)
    left = spoken.left(due_at, now)
    return f"{order.order_no}：{said}现在{word}" + (f"，{left}。" if left else "。")


def _example(verb: str, what: str) -> str:
    return f"{what}例如：{EXAMPLES[verb]}"


def _done(fault: str, done: str) -> str:
    return f"{fault.rstrip('。')}。" if fault else done


def _state(asked: _Asked) -> str:
    return ""


def _sign(asked: _Asked) -> str:
    return _done(asked.here.sign(asked.order), "已签收。")


def _progress(asked: _Asked) -> str:
    if not asked.rest:
        return _example("进展", "请写上进展。")
    return _done(asked.here.progress(asked.order, asked.rest), "进展已报告。")


def _return(asked: _Asked) -> str:
    words = asked.rest.split(maxsplit=1)  # at any blank, also a wide one
    ground = next((ground for ground, word in RETURN_WORDS.items() if words and word == words[0]), None)
    if ground is None:
        return _example("退回", f"请写明退回类别（{'、'.join(RETURN_WORDS.values())}）。")
    code, rest = _first(words[1] if len(words) > 1 else "")
    line = asked.here.line_coded(code) if code else None
    if line is None:
        return _example("退回", "请引用现行责任清单的条目编号。")
    unit = None
    if ground in ELSEWHERE:
        name, rest = _first(rest)
        unit = asked.here.unit_named(name)
        if unit is None:
            return _example("退回", "请写明应由哪个单位办理（单位全称或编号）。")
    if not rest.strip():
        return _example("退回", "请写明理由。")
    fault = asked.here.ask_return(
        asked.order, ground=ground, line_id=line.id, unit_id=unit.id if unit else None, reason=rest.strip()
    )
    return _done(fault, "已申请退回，请等候审批。")


def _report(asked: _Asked) -> str:
    way, rest = _first(asked.rest)
    contacted_at = None
    if way in WAYS:
        clock, rest = _first(rest)
        if not _CLOCK.fullmatch(clock.translate(_PLAIN)):
            return _example("办结", "请写明几点联系的。")
        contacted_at = _latest(clock.translate(_PLAIN), asked.here)
    elif way != NOT_CONTACTED:
        return _example("办结", f"请写明怎样联系的（{'、'.join((*WAYS, NOT_CONTACTED))}）。")
    found = _SOLVED.fullmatch(rest.translate(_PLAIN))
    if found is None or not found[3].strip():
        return _example("办结", f"请写明是否解决（{'、'.join(SOLVED_WORDS.values())}）和给反映人的答复。")
    word, reason, reply = (rest[slice(*found.span(part))] if found[part] else "" for part in (1, 2, 3))
    solved = next(one for one, name in SOLVED_WORDS.items() if name == word)
    if solved != Solved.YES and not reason.strip():
        return "没有完全解决的请在括号里写明原因。例如：部分解决（等待配件） 已修复一半，其余下周完成"
    fault = asked.here.report(
        asked.order,
        way=way if contacted_at else "",
        contacted_at=contacted_at,
        solved=solved,
        reason=reason,
        reply=reply,
    )
    return _done(fault, "办理结果已提交。")


def _first(words: str) -> tuple[str, str]:
    """Return the first word and what follows, cut at any blank."""
    first, *rest = words.split(maxsplit=1) or [""]
    return first, rest[0].strip() if rest else ""


def _latest(clock: str, here: Here) -> datetime:
    """Return the newest moment not after now at which the city's clocks showed this."""
    hour, minute = map(int, clock.split(":"))
    local = here.now.astimezone(here.tz)
    moment = datetime.combine(local.date(), time(hour, minute), here.tz)
    return moment if moment <= local else moment - timedelta(days=1)


_VERBS: Final[dict[str, Callable[[_Asked], str]]] = {
    "签收": _sign,
    "查询": _state,
    "退回": _return,
    "进展": _progress,
    "办结": _report,
}
