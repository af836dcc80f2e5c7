"""How the ringing for an urgent order and each try of it stand. Both only move forward by rank."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class AlarmState(StrEnum):
    """What has become of ringing for one unit's part."""

    RINGING = "ringing"
    SIGNED = "signed"  # somebody pressed 1
    STOPPED = "stopped"  # the unit signed otherwise, or the part is no longer waiting to be signed
    FAILED = "failed"  # nobody left to ring: the hub must act


class TryState(StrEnum):
    """What has become of ringing one officer once."""

    PLANNED = "planned"
    NO_LINE = "no_line"  # the carrier gave no answer: rung as soon as it does
    RINGING = "ringing"
    ANSWERED = "answered"
    SIGNED = "signed"
    PASSED = "passed"  # pressed 2
    NO_KEY = "no_key"  # answered and pressed nothing
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"  # the carrier refused
    STOPPED = "stopped"  # no longer needed


RANK: Final = {TryState.PLANNED: 0, TryState.NO_LINE: 0, TryState.RINGING: 1, TryState.ANSWERED: 2} | dict.fromkeys(
    (
        TryState.SIGNED,
        TryState.PASSED,
        TryState.NO_KEY,
        TryState.NO_ANSWER,
        TryState.BUSY,
        TryState.FAILED,
        TryState.STOPPED,
    ),
    3,
)
LAST_RANK: Final = 3

# the carrier's word for how a line that nobody answered ended
END_OF_STATUS: Final = {
    "completed": TryState.NO_ANSWER,
    "no-answer": TryState.NO_ANSWER,
    "canceled": TryState.NO_ANSWER,
    "busy": TryState.BUSY,
    "failed": TryState.FAILED,
}

ALARM_WORDS: Final = {
    AlarmState.RINGING: "正在拨打",
    AlarmState.SIGNED: "已电话签收",
    AlarmState.STOPPED: "已停止",
    AlarmState.FAILED: "无人接听，请处理",
}
TRY_WORDS: Final = {
    TryState.PLANNED: "未拨打",
    TryState.NO_LINE: "线路不通，稍后再拨",
    TryState.RINGING: "振铃中",
    TryState.ANSWERED: "已接听",
    TryState.SIGNED: "按键签收",
    TryState.PASSED: "转下一位",
    TryState.NO_KEY: "接听未按键",
    TryState.NO_ANSWER: "无人接听",
    TryState.BUSY: "占线",
    TryState.FAILED: "拨打失败",
    TryState.STOPPED: "已停止",
}
