"""The life of a work order as tables. Whatever is not in ``TRANSITIONS`` cannot happen.

Line names (T3, N5 ...) are those of the trade's own table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hotline.accounts.roles import TIER_2, TIER_3, Role


class Status(StrEnum):
    """The one main state of an order, N0 to N19 in order."""

    DRAFT = "draft"
    ANSWERED = "answered"
    TO_REVIEW = "to_review"
    NEEDS_INFO = "needs_info"
    REFUSED = "refused"
    TO_SIGN = "to_sign"
    IN_HAND = "in_hand"
    TO_SIGN_TIER3 = "to_sign_tier3"
    IN_HAND_TIER3 = "in_hand_tier3"
    RETURN_ASKED = "return_asked"
    PANEL = "panel"
    TO_CHECK_TIER2 = "to_check_tier2"
    TO_CHECK_HUB = "to_check_hub"
    SENT_BACK = "sent_back"
    TO_CALL_BACK = "to_call_back"
    REDO = "redo"
    CLOSED = "closed"
    ARCHIVED = "archived"
    SUSPENDED = "suspended"
    REVIEW = "review"


class Action(StrEnum):
    """What somebody does to an order."""

    OPEN = "open"
    ANSWER = "answer"
    SUBMIT = "submit"
    DISPATCH = "dispatch"
    SIGN = "sign"
    HAND_DOWN = "hand_down"
    REPORT = "report"
    APPROVE = "approve"
    REJECT = "reject"
    TAKE_UP = "take_up"  # the order is in the unit's hands again after a rejection or a redo
    REDO = "redo"
    CLOSE = "close"
    ARCHIVE = "archive"
    SUPPLEMENT = "supplement"
    URGE = "urge"


class SubState(StrEnum):
    """What one unit has come to with its part."""

    TO_SIGN = "to_sign"
    SIGNED = "signed"
    IN_HAND = "in_hand"
    REPORTED = "reported"
    RETURNING = "returning"
    LEFT = "left"
    CLOSED = "closed"


class Part(StrEnum):
    """A unit leads or assists."""

    LEAD = "lead"
    ASSISTING = "assisting"


class Holder(StrEnum):
    """Who is charged for a minute."""

    HUB = "hub"
    CALLER = "caller"
    UNIT = "unit"
    PAUSE = "pause"


class CloseKind(StrEnum):
    """Why an order is closed. Only ``EVALUATED`` and ``REDO_EXHAUSTED`` carry a citizen's verdict."""

    EVALUATED = "evaluated"
    REDO_EXHAUSTED = "redo_exhausted"  # still not satisfied after the last redo: a supervisor looks at it
    NOT_REACHED = "not_reached"
    NO_NUMBER = "no_number"  # the citizen withheld the number: nobody can be called
    NOT_WANTED = "not_wanted"  # the citizen asked not to be called back


UNCALLED: Final = frozenset({CloseKind.NOT_REACHED, CloseKind.NO_NUMBER, CloseKind.NOT_WANTED})


class DemandType(StrEnum):
    """Kinds of demand."""

    CONSULT = "consult"
    HELP = "help"
    COMPLAINT = "complaint"
    REPORT = "report"
    SUGGESTION = "suggestion"
    PRAISE = "praise"
    OTHER = "other"


class Urgency(StrEnum):
    """Danger to life or property; water, power, gas, heat; everything else."""

    CRITICAL = "critical"
    URGENT = "urgent"
    NORMAL = "normal"


class Satisfaction(StrEnum):
    """What the citizen says of the result."""

    SATISFIED = "satisfied"
    FAIR = "fair"
    DISSATISFIED = "dissatisfied"
    NONE = "none"


class Solved(StrEnum):
    """Whether the matter is solved."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class State:
    """One main state: its code, its word, who is charged while it lasts, and the tier whose step it is."""

    code: str
    word: str
    holder: Holder | None
    tier: int | None = None


STATES: Final[dict[Status, State]] = {
    Status.DRAFT: State("N0", "记录中", Holder.HUB),
    Status.ANSWERED: State("N1", "直接答复", None),
    Status.TO_REVIEW: State("N2", "待预审", Holder.HUB),
    Status.NEEDS_INFO: State("N3", "待补充", Holder.CALLER),
    Status.REFUSED: State("N4", "不予受理", None),
    Status.TO_SIGN: State("N5", "待签收", Holder.UNIT, 2),
    Status.IN_HAND: State("N6", "二级办理中", Holder.UNIT, 2),
    Status.TO_SIGN_TIER3: State("N7", "已转派·待签收", Holder.UNIT, 3),
    Status.IN_HAND_TIER3: State("N8", "三级办理中", Holder.UNIT, 3),
    Status.RETURN_ASKED: State("N9", "申请退回", Holder.HUB),
    Status.PANEL: State("N10", "会商/指定", Holder.HUB),
    Status.TO_CHECK_TIER2: State("N11", "待二级审核", Holder.UNIT, 2),
    Status.TO_CHECK_HUB: State("N12", "待中心审核", Holder.HUB),
    Status.SENT_BACK: State("N13", "审核驳回", Holder.UNIT),
    Status.TO_CALL_BACK: State("N14", "待回访", Holder.HUB),
    Status.REDO: State("N15", "重办", Holder.UNIT),
    Status.CLOSED: State("N16", "办结", None),
    Status.ARCHIVED: State("N17", "归档", None),
    Status.SUSPENDED: State("N18", "挂起", Holder.PAUSE),
    Status.REVIEW: State("N19", "复查", Holder.HUB),
}

DONE: Final = frozenset({Status.ANSWERED, Status.REFUSED, Status.CLOSED, Status.ARCHIVED})
OPEN: Final = frozenset(Status) - DONE

ACTION_WORDS: Final[dict[Action, str]] = {
    Action.OPEN: "记录诉求",
    Action.ANSWER: "直接答复",
    Action.SUBMIT: "提交",
    Action.DISPATCH: "派单",
    Action.SIGN: "签收",
    Action.HAND_DOWN: "转派",
    Action.REPORT: "反馈结果",
    Action.APPROVE: "审核通过",
    Action.REJECT: "审核驳回",
    Action.TAKE_UP: "重新办理",
    Action.REDO: "重办",
    Action.CLOSE: "办结",
    Action.ARCHIVE: "归档",
    Action.SUPPLEMENT: "补充情况",
    Action.URGE: "催单",
}

SUB_WORDS: Final[dict[SubState, str]] = {
    SubState.TO_SIGN: "待签收",
    SubState.SIGNED: "已签收",
    SubState.IN_HAND: "办理中",
    SubState.REPORTED: "已反馈",
    SubState.RETURNING: "退回中",
    SubState.LEFT: "已退出",
    SubState.CLOSED: "已办结",
}

URGENCY_WORDS: Final = {Urgency.CRITICAL: "特急", Urgency.URGENT: "紧急", Urgency.NORMAL: "一般"}
DEMAND_WORDS: Final = {
    DemandType.CONSULT: "咨询",
    DemandType.HELP: "求助",
    DemandType.COMPLAINT: "投诉",
    DemandType.REPORT: "举报",
    DemandType.SUGGESTION: "建议",
    DemandType.PRAISE: "表扬",
    DemandType.OTHER: "其他",
}
SATISFACTION_WORDS: Final = {
    Satisfaction.SATISFIED: "满意",
    Satisfaction.FAIR: "基本满意",
    Satisfaction.DISSATISFIED: "不满意",
    Satisfaction.NONE: "未评价",
}
SOLVED_WORDS: Final = {
    Solved.YES: "已解决",
    Solved.PARTLY: "部分解决",
    Solved.NO: "未解决",
    Solved.IMPOSSIBLE: "无法解决",
}
CLOSE_WORDS: Final = {
    CloseKind.EVALUATED: "回访办结",
    CloseKind.REDO_EXHAUSTED: "重办仍不满意，转督办",
    CloseKind.NOT_REACHED: "未联系上",
    CloseKind.NO_NUMBER: "号码保密，无法回访",
    CloseKind.NOT_WANTED: "市民不需要回访",
}

SYS: Final = "SYS"
START: Final = ""  # the state before the first


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: where it may lead and who may do it. A unit role must be of the unit whose step it is."""

    line: str
    to: tuple[Status, ...]
    roles: frozenset[str]


def _rule(line: str, to: Status | tuple[Status, ...], *roles: str) -> Rule:
    return Rule(line, to if isinstance(to, tuple) else (to,), frozenset(roles))


_IN_HAND_AGAIN: Final = (Status.IN_HAND, Status.IN_HAND_TIER3)

TRANSITIONS: Final[dict[tuple[str, Action], Rule]] = {
    (START, Action.OPEN): _rule("T1", Status.DRAFT, Role.OPR),
    (Status.DRAFT, Action.ANSWER): _rule("T2", Status.ANSWERED, Role.OPR),
    (Status.DRAFT, Action.SUBMIT): _rule("T3", Status.TO_REVIEW, Role.OPR),
    (Status.TO_REVIEW, Action.DISPATCH): _rule("T6", Status.TO_SIGN, Role.REV),
    (Status.TO_SIGN, Action.SIGN): _rule("T8", Status.IN_HAND, *TIER_2),
    (Status.IN_HAND, Action.HAND_DOWN): _rule("T9", Status.TO_SIGN_TIER3, *TIER_2),
    (Status.TO_SIGN_TIER3, Action.SIGN): _rule("T10", Status.IN_HAND_TIER3, *TIER_3),
    (Status.IN_HAND_TIER3, Action.REPORT): _rule("T19", Status.TO_CHECK_TIER2, *TIER_3),
    (Status.TO_CHECK_TIER2, Action.APPROVE): _rule("T20", Status.TO_CHECK_HUB, *TIER_2),
    (Status.TO_CHECK_TIER2, Action.REJECT): _rule("T20", Status.SENT_BACK, *TIER_2),
    (Status.IN_HAND, Action.REPORT): _rule("T21", Status.TO_CHECK_HUB, *TIER_2),
    (Status.TO_CHECK_HUB, Action.APPROVE): _rule("T22", Status.TO_CALL_BACK, Role.REV),
    (Status.TO_CHECK_HUB, Action.REJECT): _rule("T22", Status.SENT_BACK, Role.REV),
    (Status.TO_CALL_BACK, Action.CLOSE): _rule("T23 T25", Status.CLOSED, Role.CBK, Role.SUP, SYS),
    (Status.TO_CALL_BACK, Action.REDO): _rule("T24", Status.REDO, Role.CBK, Role.SUP, SYS),
    (Status.CLOSED, Action.ARCHIVE): _rule("T30", Status.ARCHIVED, SYS),
    (Status.ANSWERED, Action.ARCHIVE): _rule("T41", Status.ARCHIVED, SYS, Role.REV),
    (Status.SENT_BACK, Action.TAKE_UP): _rule("T41", _IN_HAND_AGAIN, SYS, Role.REV),
    (Status.REDO, Action.TAKE_UP): _rule("T41", _IN_HAND_AGAIN, SYS, Role.REV),
}

WITH_UNITS: Final = frozenset(
    {
        Status.TO_SIGN,
        Status.IN_HAND,
        Status.TO_SIGN_TIER3,
        Status.IN_HAND_TIER3,
        Status.RETURN_ASKED,
        Status.PANEL,
        Status.TO_CHECK_TIER2,
        Status.TO_CHECK_HUB,
        Status.SENT_BACK,
        Status.REDO,
    }
)

_CALLERS_WORDS: Final = Rule("T35", (), frozenset({Role.OPR, Role.REV, Role.CBK, Role.SUP}))
_ASSISTS: Final = Rule("T8", (), TIER_2 | TIER_3)

# what leaves the main state as it is: {action: (states it is possible in, rule)}
NOTES: Final[dict[Action, tuple[frozenset[Status], Rule]]] = {
    Action.SUPPLEMENT: (OPEN - {Status.DRAFT}, _CALLERS_WORDS),
    Action.URGE: (OPEN - {Status.DRAFT}, _CALLERS_WORDS),
    # an assisting unit's own steps touch its sub-order only
    Action.SIGN: (WITH_UNITS, _ASSISTS),
    Action.HAND_DOWN: (WITH_UNITS, _ASSISTS),
    Action.REPORT: (WITH_UNITS, _ASSISTS),
}

SUB_TRANSITIONS: Final[dict[tuple[SubState, Action], SubState]] = {
    (SubState.TO_SIGN, Action.SIGN): SubState.SIGNED,
    (SubState.SIGNED, Action.HAND_DOWN): SubState.IN_HAND,
    (SubState.IN_HAND, Action.HAND_DOWN): SubState.IN_HAND,
    (SubState.SIGNED, Action.REPORT): SubState.REPORTED,
    (SubState.IN_HAND, Action.REPORT): SubState.REPORTED,
    (SubState.SIGNED, Action.APPROVE): SubState.REPORTED,  # tier 2 passes on what its tier 3 reported
    (SubState.IN_HAND, Action.APPROVE): SubState.REPORTED,
    (SubState.SIGNED, Action.TAKE_UP): SubState.IN_HAND,
    (SubState.IN_HAND, Action.TAKE_UP): SubState.IN_HAND,
    (SubState.REPORTED, Action.TAKE_UP): SubState.IN_HAND,
    (SubState.TO_SIGN, Action.CLOSE): SubState.CLOSED,
    (SubState.SIGNED, Action.CLOSE): SubState.CLOSED,
    (SubState.IN_HAND, Action.CLOSE): SubState.CLOSED,
    (SubState.REPORTED, Action.CLOSE): SubState.CLOSED,
}

LIVE: Final = frozenset(SubState) - {SubState.LEFT, SubState.CLOSED}
