"""What an order, its parts and what is asked about it can be, and the trade's words for it.

How they follow on each other stands in ``transitions``. Names (N5 ...) are those of the trade's own table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


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
    REFUSE = "refuse"
    RELEASE = "release"  # a confidential demand's words, redacted, for the units' eyes
    ASK_INFO = "ask_info"
    TELL = "tell"  # by telephone what is missing, where no text could say it
    DISPATCH = "dispatch"
    SIGN = "sign"
    HAND_DOWN = "hand_down"
    RECALL = "recall"
    RETURN = "return"
    ACCEPT_RETURN = "accept_return"
    REFUSE_RETURN = "refuse_return"
    TO_PANEL = "to_panel"
    DESIGNATE = "designate"
    JOIN = "join"
    ASK_EXTENSION = "ask_extension"
    GRANT_EXTENSION = "grant_extension"
    REFUSE_EXTENSION = "refuse_extension"
    ASK_SUSPENSION = "ask_suspension"
    REFUSE_SUSPENSION = "refuse_suspension"
    SUSPEND = "suspend"
    RESUME = "resume"
    PROGRESS = "progress"
    LIST_HOUSEHOLDS = "list_households"
    SETTLE_HOUSEHOLDS = "settle_households"
    REPORT = "report"
    APPROVE = "approve"
    REJECT = "reject"
    TAKE_UP = "take_up"  # the order is in the unit's hands again after a rejection, a redo or a review
    CALL_BACK = "call_back"  # settled without a unit's report of its own: the citizen is asked
    EXPLAIN = "explain"  # an officer holds that law or condition forbids more: a supervisor decides
    REFUSE_EXPLANATION = "refuse_explanation"
    REDO = "redo"
    CLOSE = "close"
    REVIEW = "review"
    RECOUNT = "recount"  # the calendar changed: open orders get the time that is due to them
    ARCHIVE = "archive"
    SUPPLEMENT = "supplement"
    URGE = "urge"
    WITHDRAW = "withdraw"
    MERGE = "merge"
    UNMERGE = "unmerge"
    SUPERVISE = "supervise"
    REPLY_NOTICE = "reply_notice"
    CLAIM = "claim"
    DECIDE_CLAIM = "decide_claim"
    APPEAL = "appeal"
    DECIDE_APPEAL = "decide_appeal"
    LEADER_NOTE = "leader_note"


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
    """Why an order is closed. The first four carry a citizen's verdict; the last three need no callback."""

    EVALUATED = "evaluated"
    EXPLAINED = "explained"  # not satisfied, but law or condition forbids more, and a supervisor agrees
    REDO_EXHAUSTED = "redo_exhausted"  # still not satisfied after the last redo: a supervisor looks at it
    NOT_HEARD = "not_heard"  # dissatisfied by key or SMS, then not reached to say why: a supervisor looks at it
    NOT_REACHED = "not_reached"
    NO_NUMBER = "no_number"  # the citizen withheld the number: nobody can be called
    NOT_WANTED = "not_wanted"  # the citizen asked not to be called back
    NO_INFO = "no_info"  # the citizen was asked for what was missing and did not answer
    WITHDRAWN = "withdrawn"
    CHECKED = "checked"  # no citizen behind it: the hub compared before and after


LEFT_TO_SUPERVISORS: Final = frozenset({CloseKind.REDO_EXHAUSTED, CloseKind.NOT_HEARD})
RATED: Final = frozenset({CloseKind.EVALUATED, CloseKind.EXPLAINED}) | LEFT_TO_SUPERVISORS
UNCALLED: Final = frozenset({CloseKind.NOT_REACHED, CloseKind.NO_NUMBER, CloseKind.NOT_WANTED})
UNASKED: Final = frozenset({CloseKind.NO_INFO, CloseKind.WITHDRAWN, CloseKind.CHECKED})


class RequestKind(StrEnum):
    """What may be asked about an order that somebody else decides."""

    RETURN = "return"
    EXTENSION = "extension"
    SUSPENSION = "suspension"
    EXPLANATION = "explanation"
    CLAIM = "claim"  # that the demand is unreasonable
    APPEAL = "appeal"  # against how the order was scored


class RequestState(StrEnum):
    """How far a request has come. ``PASSED``: the first of two deciders agreed."""

    ASKED = "asked"
    PASSED = "passed"
    GRANTED = "granted"
    REFUSED = "refused"
    DROPPED = "dropped"  # the order went on without it


PENDING: Final = frozenset({RequestState.ASKED, RequestState.PASSED})


class ReturnGround(StrEnum):
    """Why a unit may give an order back."""

    PLACE = "place"
    DUTY = "duty"
    OWNERSHIP = "ownership"
    DUPLICATE = "duplicate"
    INCOMPLETE = "incomplete"


class PanelState(StrEnum):
    """Whether a meeting is still to come."""

    PLANNED = "planned"
    HELD = "held"
    CANCELLED = "cancelled"


class PanelCause(StrEnum):
    """Why an order comes before a panel."""

    THIRD = "third"
    CYCLE = "cycle"
    LEADERS = "leaders"
    REFERRED = "referred"


class ExplainGround(StrEnum):
    """Why no more can be done for a citizen who is not satisfied."""

    LAW = "law"
    CONDITION = "condition"


class Missing(StrEnum):
    """What a caller may be asked for, in words that do not tell what the demand is about."""

    PLACE = "place"
    TIME = "time"
    FACTS = "facts"
    OTHER_SIDE = "other_side"
    PAPERS = "papers"
    CONTACT = "contact"


class ExtensionGround(StrEnum):
    """Why an order needs more time, in words that do not tell what it is about."""

    COMPLEX = "complex"
    SEVERAL = "several"
    PROCEDURE = "procedure"
    STEPS = "steps"
    CONDITIONS = "conditions"
    CHECKS = "checks"


class SuspensionGround(StrEnum):
    """An objective condition nobody can hurry."""

    SEASON = "season"
    COURT = "court"
    APPROVAL = "approval"
    SUPPLY = "supply"
    CALLER = "caller"
    OTHER = "other"


class ClaimGround(StrEnum):
    """Why a unit holds a demand to be unreasonable."""

    NOT_TRUE = "not_true"
    AGAINST_LAW = "against_law"
    MALICIOUS = "malicious"
    REPEATED = "repeated"
    NOBODYS_DUTY = "nobodys_duty"


class RefuseGround(StrEnum):
    """Where a demand belongs that is not accepted: the right channel is told."""

    LAWSUIT = "lawsuit"
    ARBITRATION = "arbitration"
    DISCIPLINE = "discipline"
    RECONSIDERATION = "reconsideration"
    DISCLOSURE = "disclosure"
    PETITION = "petition"
    CLASSIFIED = "classified"
    EMERGENCY = "emergency"


class SensitiveKind(StrEnum):
    """Demands handled with particular care; they cannot be withdrawn by a call."""

    THREAT = "threat"
    HAZARD = "hazard"
    DISTRESS = "distress"
    COLLECTIVE = "collective"
    MINOR = "minor"
    OPINION = "opinion"


class FileKind(StrEnum):
    """What a file of an order shows: the demand, who somebody is, that the citizen was contacted, before and after."""

    DEMAND = "demand"
    IDENTITY = "identity"
    CONTACT = "contact"
    BEFORE = "before"
    AFTER = "after"


class Supervision(StrEnum):
    """How closely an order is watched, rising."""

    NONE = "none"
    BLUE = "blue"
    YELLOW = "yellow"
    RED = "red"
    LISTED = "listed"
    JOINT = "joint"


class NoticeKind(StrEnum):
    """What a unit is sent about an order that goes badly, rising."""

    REMINDER = "reminder"
    SUPERVISION = "supervision"
    CRITICISM = "criticism"
    TALK = "talk"


class Overlay(StrEnum):
    """How a request about the order ended, beside its main state."""

    NONE = "none"
    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


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
PAUSED: Final = frozenset({Status.NEEDS_INFO, Status.SUSPENDED})  # the order's clock stands still
