"""What is said to a unit's person on the telephone, question by question.

Said are number, state and time left, the list's lines and units' names; nothing about a citizen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from hotline.calls import spoken
from hotline.dial_in.doing import GROUNDS, SOLVED, WAYS
from hotline.dial_in.talk import LISTED, At, Talk
from hotline.telephones.service import PIN_DIGITS
from hotline.work_orders.states import Action, ReturnGround, Solved
from hotline.work_orders.words import RETURN_WORDS, SOLVED_WORDS

NUMBER_DIGITS: Final = 14
CODE_DIGITS: Final = 10

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


@dataclass(frozen=True, slots=True)
class Prompt:
    """What to say, then how many digits to wait for; 0: the call is over. ``turn`` goes back with the answer.

    ``to_person``: who calls is no unit's person after all, and waits for an operator like everybody.
    """

    sentences: tuple[str, ...] = ()
    digits: int = 0
    turn: int = 0
    to_person: bool = False


def ask(talk: Talk | None, at: At, keyed: dict[str, Any], first: str) -> Prompt:
    """Ask a question, after the words that come first. Without a talk only for a number or a PIN."""
    if at == At.NUMBER:
        sentences, digits = [ASK_NUMBER], NUMBER_DIGITS
    elif at == At.PIN or talk is None:
        sentences, digits = [ASK_PIN], PIN_DIGITS
    else:
        sentences, digits = _ASK[at](talk), CODE_DIGITS if at == At.LINE_CODE else 1
    return Prompt(tuple(one for one in (first, *sentences) if one), digits, int(keyed["turn"]))


def _choices(words: list[str]) -> str:
    return "".join(f"{word}，请按{spoken.digit(key)}。" for key, word in enumerate(words, 1))


def _ask_menu(talk: Talk) -> list[str]:
    word, due_at = talk.here.state(talk.order)
    left = spoken.left(due_at, talk.here.now)
    told = f"工单{spoken.number(talk.order.order_no)}，{word}" + (f"，{left}。" if left else "。")
    steps = talk.here.steps(talk.order)
    return [told, *(STEP_KEYS[step] for step in steps), ANOTHER]


def _ask_ground(talk: Talk) -> list[str]:
    return ["请选择退回类别。", _choices([RETURN_WORDS[ground] for ground in GROUNDS])]


def _ask_line(talk: Talk) -> list[str]:
    lines = talk.here.lines(talk.order)[:LISTED]
    words = [f"责任清单{line.code}，{line.matter}" for line in lines]
    return ["请选择引用的责任清单条目。", _choices(words), "其他条目，请按九。"]


def _ask_line_code(talk: Talk) -> list[str]:
    return ["请输入责任清单条目编号中的数字，按井号键结束。"]


def _ask_unit(talk: Talk) -> list[str]:
    return ["应当由哪个单位办理？", _choices([unit.name for unit in talk.units()]), "其他单位，请按九。"]


def _ask_return_sure(talk: Talk) -> list[str]:
    word = RETURN_WORDS[ReturnGround(talk.keyed["ground"])]
    line, unit = talk.line, talk.unit
    told = f"您要以{word}申请退回，依据责任清单{line.code if line else ''}"
    return [told + (f"，建议由{unit.name}办理。" if unit else "。"), SURE]


def _ask_progress(talk: Talk) -> list[str]:
    return ["请选择进展。", _choices(list(talk.here.sentences("progress").values()))]


def _ask_contacted(talk: Talk) -> list[str]:
    return ["是否联系了反映人？", _choices([f"已{way}联系" for way in WAYS]), "没有联系，请按四。"]


def _ask_hours(talk: Talk) -> list[str]:
    return ["是多少小时以前联系的？请按一位数字，不到一小时请按零。"]


def _ask_solved(talk: Talk) -> list[str]:
    return ["问题是否解决？", _choices([SOLVED_WORDS[word] for word in SOLVED])]


def _ask_reason(talk: Talk) -> list[str]:
    return ["请选择没有完全解决的原因。", _choices(list(talk.here.sentences("reason").values()))]


def _ask_reply(talk: Talk) -> list[str]:
    return ["请选择给反映人的答复。", _choices(list(talk.here.sentences("reply").values()))]


def _ask_report_sure(talk: Talk) -> list[str]:
    keyed = talk.keyed
    way = f"已{keyed['way']}联系" if keyed["way"] else "没有联系反映人"
    reason = f"，原因：{talk.here.sentences('reason')[keyed['reason']]}" if keyed["reason"] else ""
    reply = talk.here.sentences("reply")[keyed["reply"]]
    return [f"您的反馈是：{way}，{SOLVED_WORDS[Solved(keyed['solved'])]}{reason}。答复：{reply}", SURE]


_ASK: Final[dict[At, Callable[[Talk], list[str]]]] = {
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
