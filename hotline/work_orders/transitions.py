"""The life of a work order as tables. Whatever is not in ``TRANSITIONS`` or ``NOTES`` cannot happen.

Line names (T3 ...) are those of the trade's own table. What a row asks beyond state and role stands in ``guards``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hotline.accounts.roles import TIER_2, TIER_3, Role
from hotline.work_orders.states import DONE, OPEN, Action, Status, SubState

SYS: Final = "SYS"
START: Final = ""  # the state before the first


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: where it may lead and who may do it.

    A unit role must be of the unit that leads at ``tier``, by default the tier whose step the state is.
    """

    line: str
    to: tuple[Status, ...]
    roles: frozenset[str]
    tier: int | None = None


def _rule(line: str, to: Status | tuple[Status, ...], *roles: str, tier: int | None = None) -> Rule:
    return Rule(line, to if isinstance(to, tuple) else (to,), frozenset(roles), tier)


_IN_HAND_AGAIN: Final = (Status.IN_HAND, Status.IN_HAND_TIER3)
_TO_THE_UNIT: Final = (Status.TO_SIGN, Status.IN_HAND, Status.TO_SIGN_TIER3, Status.IN_HAND_TIER3)

TRANSITIONS: Final[dict[tuple[str, Action], Rule]] = {
    (START, Action.OPEN): _rule("T1", Status.DRAFT, Role.OPR),
    (Status.DRAFT, Action.ANSWER): _rule("T2", Status.ANSWERED, Role.OPR),
    (Status.DRAFT, Action.SUBMIT): _rule("T3", Status.TO_REVIEW, Role.OPR),
    (Status.DRAFT, Action.REFUSE): _rule("T4", Status.REFUSED, Role.OPR),
    (Status.TO_REVIEW, Action.REFUSE): _rule("T4", Status.REFUSED, Role.REV),
    (Status.TO_REVIEW, Action.ASK_INFO): _rule("T5", Status.NEEDS_INFO, Role.REV),
    (Status.NEEDS_INFO, Action.SUPPLEMENT): _rule("T5", Status.TO_REVIEW, Role.OPR, Role.REV, Role.CBK, Role.SUP, SYS),
    (Status.NEEDS_INFO, Action.CLOSE): _rule("T41", Status.CLOSED, SYS, Role.REV),
    (Status.TO_REVIEW, Action.DISPATCH): _rule("T6", Status.TO_SIGN, Role.REV),
    (Status.DRAFT, Action.DISPATCH): _rule("T7", Status.TO_SIGN, Role.OPR),
    (Status.TO_SIGN, Action.SIGN): _rule("T8", Status.IN_HAND, *TIER_2, Role.DTY),
    (Status.IN_HAND, Action.HAND_DOWN): _rule("T9", Status.TO_SIGN_TIER3, *TIER_2),
    (Status.TO_SIGN_TIER3, Action.SIGN): _rule("T10", Status.IN_HAND_TIER3, *TIER_3, Role.DTY),
    **{
        (state, Action.RETURN): _rule("T11", Status.RETURN_ASKED, *roles)
        for state, roles in zip(_TO_THE_UNIT, (TIER_2, TIER_2, TIER_3, TIER_3), strict=True)
    },
    (Status.RETURN_ASKED, Action.ACCEPT_RETURN): _rule(
        "T12", (Status.TO_SIGN, Status.IN_HAND), Role.REV, *TIER_2, tier=2
    ),
    (Status.RETURN_ASKED, Action.REFUSE_RETURN): _rule("T13", _TO_THE_UNIT, Role.REV, *TIER_2, tier=2),
    (Status.RETURN_ASKED, Action.TO_PANEL): _rule("T14", Status.PANEL, SYS, Role.REV),
    (Status.PANEL, Action.DESIGNATE): _rule("T15", Status.IN_HAND, Role.ADJ),
    (Status.IN_HAND, Action.SUSPEND): _rule("T18", Status.SUSPENDED, Role.SUP),
    (Status.IN_HAND_TIER3, Action.SUSPEND): _rule("T18", Status.SUSPENDED, Role.SUP),
    (Status.SUSPENDED, Action.RESUME): _rule("T18", _IN_HAND_AGAIN, SYS, Role.SUP, Role.U2L, tier=2),
    (Status.IN_HAND_TIER3, Action.REPORT): _rule("T19", Status.TO_CHECK_TIER2, *TIER_3),
    (Status.TO_CHECK_TIER2, Action.APPROVE): _rule("T20", Status.TO_CHECK_HUB, *TIER_2),
    (Status.TO_CHECK_TIER2, Action.REJECT): _rule("T20", Status.SENT_BACK, *TIER_2),
    (Status.IN_HAND, Action.REPORT): _rule("T21", Status.TO_CHECK_HUB, *TIER_2),
    (Status.TO_CHECK_HUB, Action.APPROVE): _rule("T22", Status.TO_CALL_BACK, Role.REV),
    (Status.TO_CHECK_HUB, Action.REJECT): _rule("T22", Status.SENT_BACK, Role.REV),
    (Status.TO_CHECK_HUB, Action.CLOSE): _rule("T40", Status.CLOSED, Role.REV),
    (Status.TO_CALL_BACK, Action.CLOSE): _rule("T23 T25 T26", Status.CLOSED, Role.CBK, Role.SUP, SYS),
    # what the hub settled itself is redone by whoever it is dispatched to
    (Status.TO_CALL_BACK, Action.REDO): _rule("T24", (Status.REDO, Status.TO_REVIEW), Role.CBK, Role.SUP, SYS),
    (Status.CLOSED, Action.REVIEW): _rule("T29", Status.REVIEW, Role.OPR, Role.CBK, Role.SUP),
    (Status.REVIEW, Action.TAKE_UP): _rule("T29", _IN_HAND_AGAIN, Role.SUP),
    (Status.REVIEW, Action.CLOSE): _rule("T29", Status.CLOSED, Role.SUP),
    (Status.CLOSED, Action.ARCHIVE): _rule("T30", Status.ARCHIVED, SYS),
    (Status.ANSWERED, Action.ARCHIVE): _rule("T41", Status.ARCHIVED, SYS, Role.REV),
    (Status.REFUSED, Action.ARCHIVE): _rule("T41", Status.ARCHIVED, SYS, Role.REV),
    (Status.SENT_BACK, Action.TAKE_UP): _rule("T41", _IN_HAND_AGAIN, SYS, Role.REV),
    (Status.REDO, Action.TAKE_UP): _rule("T41", _IN_HAND_AGAIN, SYS, Role.REV),
    # a matter the hub settles itself, or one that goes with the order it was merged into
    (Status.TO_REVIEW, Action.CALL_BACK): _rule("T39 T33", Status.TO_CALL_BACK, Role.SUP, SYS),
    **{(state, Action.WITHDRAW): _rule("T36", Status.CLOSED, Role.OPR) for state in OPEN},
    (Status.TO_SIGN, Action.RECALL): _rule("T37", Status.TO_REVIEW, Role.REV),
    (Status.TO_SIGN_TIER3, Action.RECALL): _rule("T37", Status.IN_HAND, *TIER_2, tier=2),
    (Status.IN_HAND_TIER3, Action.RECALL): _rule("T37", Status.IN_HAND, *TIER_2, tier=2),
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
TRANSITIONS.update(
    {
        (state, Action.CALL_BACK): _rule("T33", Status.TO_CALL_BACK, SYS)
        for state in (*WITH_UNITS, Status.NEEDS_INFO, Status.SUSPENDED)
    }
)

_UNDER_WAY: Final = OPEN - {Status.DRAFT}
_KNOWN: Final = (_UNDER_WAY | DONE) - {Status.ARCHIVED}
_CALLERS_WORDS: Final = Rule("T35", (), frozenset({Role.OPR, Role.REV, Role.CBK, Role.SUP}))
_UNITS: Final = TIER_2 | TIER_3
_AT_WORK: Final = frozenset({Status.IN_HAND, Status.IN_HAND_TIER3})

# what leaves the main state as it is: {action: (states it is possible in, rule)}
NOTES: Final[dict[Action, tuple[frozenset[Status], Rule]]] = {
    Action.SUPPLEMENT: (_UNDER_WAY - {Status.NEEDS_INFO}, _CALLERS_WORDS),
    Action.URGE: (_UNDER_WAY, _CALLERS_WORDS),
    Action.ASK_INFO: (frozenset({Status.NEEDS_INFO}), _rule("T5", (), SYS)),  # once more
    Action.TELL: (frozenset({Status.NEEDS_INFO}), _CALLERS_WORDS),
    Action.RELEASE: (frozenset({Status.TO_REVIEW}), _rule("T6", (), Role.REV)),
    # an assisting unit's own steps touch its sub-order only
    Action.SIGN: (WITH_UNITS, _rule("T8", (), *_UNITS, Role.DTY)),
    Action.HAND_DOWN: (WITH_UNITS, _rule("T9", (), *_UNITS)),
    Action.REPORT: (WITH_UNITS, _rule("T19", (), *_UNITS)),
    Action.RECALL: (WITH_UNITS, _rule("T37", (), *TIER_2)),
    Action.RETURN: (WITH_UNITS, _rule("T11", (), *_UNITS)),
    Action.ACCEPT_RETURN: (WITH_UNITS - {Status.RETURN_ASKED}, _rule("T12", (), Role.REV, *TIER_2)),
    Action.REFUSE_RETURN: (WITH_UNITS - {Status.RETURN_ASKED}, _rule("T13", (), Role.REV, *TIER_2)),
    # lead and assisting alike
    Action.PROGRESS: (WITH_UNITS, _rule("T19", (), *_UNITS)),
    Action.LIST_HOUSEHOLDS: (_AT_WORK | {Status.TO_REVIEW}, _rule("T19", (), Role.REV, Role.SUP, *_UNITS)),
    Action.SETTLE_HOUSEHOLDS: (_AT_WORK, _rule("T19", (), *_UNITS)),
    Action.JOIN: (WITH_UNITS, _rule("T14", (), SYS, Role.SUP)),
    Action.ASK_EXTENSION: (_AT_WORK, _rule("T16", (), *_UNITS)),
    Action.GRANT_EXTENSION: (_AT_WORK, _rule("T17", (), Role.U2L, Role.SUP, tier=2)),
    Action.REFUSE_EXTENSION: (_AT_WORK, _rule("T17", (), Role.U2L, Role.SUP, tier=2)),
    Action.ASK_SUSPENSION: (_AT_WORK, _rule("T18", (), Role.U2L, tier=2)),
    Action.REFUSE_SUSPENSION: (_AT_WORK, _rule("T18", (), Role.SUP)),
    Action.EXPLAIN: (frozenset({Status.TO_CALL_BACK}), _rule("T26", (), Role.CBK)),
    Action.REFUSE_EXPLANATION: (frozenset({Status.TO_CALL_BACK}), _rule("T26", (), Role.SUP)),
    Action.RECOUNT: (_UNDER_WAY, _rule("T3", (), SYS)),
    Action.SUPERVISE: (_UNDER_WAY | {Status.CLOSED}, _rule("T27 T28", (), Role.SUP, SYS)),
    Action.REPLY_NOTICE: (_UNDER_WAY | DONE, _rule("T28", (), *_UNITS)),
    Action.CLAIM: (WITH_UNITS - {Status.TO_SIGN}, _rule("T31", (), *TIER_2)),
    Action.DECIDE_CLAIM: (_KNOWN, _rule("T31", (), Role.ADJ)),
    Action.APPEAL: (frozenset({Status.CLOSED}), _rule("T32", (), *TIER_2)),
    Action.DECIDE_APPEAL: (frozenset({Status.CLOSED, Status.ARCHIVED}), _rule("T32", (), Role.ADJ)),
    Action.MERGE: (_KNOWN, _rule("T33", (), Role.REV)),
    Action.UNMERGE: (_KNOWN, _rule("T33", (), Role.REV, SYS)),
    Action.LEADER_NOTE: (_KNOWN, _rule("T28", (), Role.SUP)),
}

_NOT_YET_GONE: Final = (SubState.TO_SIGN, SubState.SIGNED, SubState.IN_HAND, SubState.REPORTED, SubState.RETURNING)

SUB_TRANSITIONS: Final[dict[tuple[SubState, Action], SubState]] = {
    (SubState.TO_SIGN, Action.SIGN): SubState.SIGNED,
    (SubState.SIGNED, Action.HAND_DOWN): SubState.IN_HAND,
    (SubState.IN_HAND, Action.HAND_DOWN): SubState.IN_HAND,
    (SubState.SIGNED, Action.PROGRESS): SubState.IN_HAND,
    (SubState.IN_HAND, Action.PROGRESS): SubState.IN_HAND,
    (SubState.SIGNED, Action.REPORT): SubState.REPORTED,
    (SubState.IN_HAND, Action.REPORT): SubState.REPORTED,
    (SubState.SIGNED, Action.APPROVE): SubState.REPORTED,  # tier 2 passes on what its tier 3 reported
    (SubState.IN_HAND, Action.APPROVE): SubState.REPORTED,
    (SubState.SIGNED, Action.TAKE_UP): SubState.IN_HAND,
    (SubState.IN_HAND, Action.TAKE_UP): SubState.IN_HAND,
    (SubState.REPORTED, Action.TAKE_UP): SubState.IN_HAND,
    (SubState.CLOSED, Action.TAKE_UP): SubState.IN_HAND,  # a review found that more must be done
    (SubState.TO_SIGN, Action.RETURN): SubState.RETURNING,
    (SubState.SIGNED, Action.RETURN): SubState.RETURNING,
    (SubState.IN_HAND, Action.RETURN): SubState.RETURNING,
    (SubState.RETURNING, Action.ACCEPT_RETURN): SubState.LEFT,
    (SubState.TO_SIGN, Action.RECALL): SubState.LEFT,
    (SubState.SIGNED, Action.RECALL): SubState.LEFT,
    (SubState.IN_HAND, Action.RECALL): SubState.LEFT,
    (SubState.RETURNING, Action.RECALL): SubState.LEFT,
    **{(state, Action.DESIGNATE): SubState.LEFT for state in _NOT_YET_GONE},  # another leads from now on
    **{(state, Action.CALL_BACK): SubState.LEFT for state in _NOT_YET_GONE},  # the main order's units answer for it
    **{(state, Action.WITHDRAW): SubState.CLOSED for state in _NOT_YET_GONE},
    **{(state, Action.CLOSE): SubState.CLOSED for state in _NOT_YET_GONE},
}
# refused, a part is again what it was before it asked (see ``SubOrder.before_return``)

LIVE: Final = frozenset(SubState) - {SubState.LEFT, SubState.CLOSED}
