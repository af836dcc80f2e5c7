"""States of a callback and of a try, as tables; what a citizen may answer."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from hotline.accounts.roles import Role


class CallbackState(StrEnum):
    """What has become of the duty to ask."""

    WAITING = "waiting"
    TAKEN = "taken"
    DONE = "done"
    NOT_REACHED = "not_reached"
    WITHDRAWN = "withdrawn"


class CallbackAction(StrEnum):
    """What moves it."""

    TAKE = "take"
    RELEASE = "release"
    ASK_IN_PERSON = "ask_in_person"  # a key said dissatisfied: a person has to ask what and why
    EVALUATE = "evaluate"
    GIVE_UP = "give_up"
    WITHDRAW = "withdraw"  # the citizen took the demand back: there is nothing left to ask about


TRANSITIONS: Final[dict[tuple[CallbackState, CallbackAction], CallbackState]] = {
    (CallbackState.WAITING, CallbackAction.TAKE): CallbackState.TAKEN,
    (CallbackState.TAKEN, CallbackAction.RELEASE): CallbackState.WAITING,
    (CallbackState.WAITING, CallbackAction.ASK_IN_PERSON): CallbackState.WAITING,
    (CallbackState.TAKEN, CallbackAction.ASK_IN_PERSON): CallbackState.TAKEN,
    (CallbackState.WAITING, CallbackAction.EVALUATE): CallbackState.DONE,
    (CallbackState.TAKEN, CallbackAction.EVALUATE): CallbackState.DONE,
    (CallbackState.WAITING, CallbackAction.GIVE_UP): CallbackState.NOT_REACHED,
    (CallbackState.TAKEN, CallbackAction.GIVE_UP): CallbackState.NOT_REACHED,
    (CallbackState.WAITING, CallbackAction.WITHDRAW): CallbackState.WITHDRAWN,
    (CallbackState.TAKEN, CallbackAction.WITHDRAW): CallbackState.WITHDRAWN,
}

OPEN: Final = (CallbackState.WAITING, CallbackState.TAKEN)

STATE_WORDS: Final = {
    CallbackState.WAITING: "待回访",
    CallbackState.TAKEN: "回访中",
    CallbackState.DONE: "已回访",
    CallbackState.NOT_REACHED: "未联系上",
    CallbackState.WITHDRAWN: "已撤销",
}

OFFICERS: Final = frozenset({Role.CBK, Role.SUP})


class Way(StrEnum):
    """How a citizen is asked."""

    PERSON = "person"
    KEYPAD = "keypad"
    SMS = "sms"


class AttemptState(StrEnum):
    """One try. It only moves forward by rank: a late webhook never takes it back."""

    PLANNED = "planned"
    RINGING = "ringing"
    CONNECTED = "connected"
    ENDED = "ended"
    NO_ANSWER = "no_answer"
    FAILED = "failed"  # the carrier could not: no try on the citizen


RANK: Final = {
    AttemptState.PLANNED: 0,
    AttemptState.RINGING: 1,
    AttemptState.CONNECTED: 2,
    AttemptState.ENDED: 3,
    AttemptState.NO_ANSWER: 3,
    AttemptState.FAILED: 3,
}
LAST_RANK: Final = 3


class Reason(StrEnum):
    """Why a citizen is not satisfied."""

    NOT_CONTACTED = "not_contacted"
    PERFUNCTORY = "perfunctory"
    BUCK_PASSING = "buck_passing"
    LATE = "late"
    ATTITUDE = "attitude"
    REPLY_DIFFERS = "reply_differs"
    NOT_SOLVED = "not_solved"
    BRIBERY = "bribery"
    OBSTRUCTION = "obstruction"
    SLOW = "slow"
    POLICY = "policy"
    OTHER = "other"


REASON_WORDS: Final[dict[Reason, str]] = {
    Reason.NOT_CONTACTED: "未联系",
    Reason.PERFUNCTORY: "敷衍",
    Reason.BUCK_PASSING: "推诿",
    Reason.LATE: "超时",
    Reason.ATTITUDE: "态度差",
    Reason.REPLY_DIFFERS: "结果与答复不符",
    Reason.NOT_SOLVED: "未解决",
    Reason.BRIBERY: "吃拿卡要",
    Reason.OBSTRUCTION: "故意刁难",
    Reason.SLOW: "办理慢",
    Reason.POLICY: "政策不认可",
    Reason.OTHER: "其他",
}

# what the keys say; asked of nothing but satisfaction
KEYS: Final = {"1": "satisfied", "2": "fair", "3": "dissatisfied"}
