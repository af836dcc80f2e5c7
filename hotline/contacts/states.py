"""How a call of a unit to a citizen stands. It only moves forward by rank: a late webhook never takes it back."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ContactState(StrEnum):
    """One call."""

    ASKED = "asked"
    JOINED = "joined"  # the unit's side is on the line; the citizen is rung
    CONNECTED = "connected"
    ENDED = "ended"
    NO_ANSWER = "no_answer"  # the citizen did not answer
    UNIT_AWAY = "unit_away"  # the unit's own side did not answer, or left before the citizen did
    FAILED = "failed"  # the carrier could not, or the unit may not call any more


RANK: Final = {
    ContactState.ASKED: 0,
    ContactState.JOINED: 1,
    ContactState.CONNECTED: 2,
    ContactState.ENDED: 3,
    ContactState.NO_ANSWER: 3,
    ContactState.UNIT_AWAY: 3,
    ContactState.FAILED: 3,
}
LAST_RANK: Final = 3
OPEN: Final = tuple(state for state, rank in RANK.items() if rank < LAST_RANK)

CONTACT_WORDS: Final = {
    ContactState.ASKED: "正在呼叫本单位电话",
    ContactState.JOINED: "正在呼叫来电人",
    ContactState.CONNECTED: "通话中",
    ContactState.ENDED: "已通话",
    ContactState.NO_ANSWER: "来电人未接听",
    ContactState.UNIT_AWAY: "本单位电话未接听",
    ContactState.FAILED: "呼叫失败",
}
