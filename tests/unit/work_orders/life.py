"""Every step anybody can take on an order, with something that fits to say: for walks at random through its life."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from hotline.accounts.service import SYSTEM, Actor
from hotline.work_orders import service
from hotline.work_orders.asks.explanations import Explanation
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Action, Status
from tests.factories.orders import WHEN, report_fields

if TYPE_CHECKING:
    from tests.unit.work_orders.test_whole_life import Life

Step = Callable[["Life", WorkOrder, Actor], object]
LIST_DAY: Final = date(2026, 1, 1)
UNITS: Final = ("county", "other_county", "power", "township", "other_township", "far_township")
TIER_2: Final = UNITS[:3]


def _verb(verb: Callable[..., object], *, by_clock: bool = False, **fields: Any) -> Step:
    """A step whose fields are always the same."""
    extra = WHEN if by_clock else {}
    return lambda life, order, actor: verb(life.session, order=order, actor=actor, now=life.now, **fields, **extra)


def _with(make: Callable[[Life, WorkOrder], Mapping[str, Any]], verb: Callable[..., object], *, by_clock: bool) -> Step:
    """A step whose fields depend on the moment."""
    extra = WHEN if by_clock else {}
    return lambda life, order, actor: verb(
        life.session, order=order, actor=actor, now=life.now, **make(life, order), **extra
    )


def _dispatch(life: Life, order: WorkOrder) -> dict[str, Any]:
    lead, *others = life.units(1 + life.pick(2))
    return {"lead_unit_id": lead, "assisting_ids": others, "responsibility_line_id": life.line, "hard": life.odd(5)}


def _accept(life: Life, order: WorkOrder) -> dict[str, Any]:
    lead, *others = life.units(1 + life.pick(2))
    return {"lead_unit_id": lead, "assisting_ids": others}


def _return(life: Life, order: WorkOrder) -> dict[str, Any]:
    return {
        "ground": "duty",
        "responsibility_line_id": life.line,
        "suggested_unit_id": life.units(1)[0],
        "reason": "不属于本单位职责",
    }


def _settle(life: Life, order: WorkOrder) -> dict[str, Any]:
    return {
        "spoke_to": "市水务集团",
        "result": "已协调",
        "public_reply": "已协调恢复供水。",
        "solved": "yes",
        "unsolved_reason": "",
    }


def _close(life: Life, order: WorkOrder, actor: Actor) -> object:
    """Closing by hand: unanswered, checked before and after, kept closed after a review, an explanation granted."""
    told: dict[str, Any] = {"order": order, "actor": actor, "now": life.now}
    by_state: dict[str, Callable[[], object]] = {
        Status.NEEDS_INFO: lambda: service.close_unanswered(life.session, **told),
        Status.TO_CHECK_HUB: lambda: service.close_checked(life.session, **told),
        Status.REVIEW: lambda: service.keep_closed(life.session, reason="没有新的事实", **told),
        Status.TO_CALL_BACK: lambda: service.grant_explanation(life.session, answer="同意", **told, **WHEN),
    }
    return by_state.get(order.status, by_state[Status.REVIEW])()


def _merge(life: Life, order: WorkOrder) -> dict[str, Any]:
    return {"into": life.other(order)}


STEPS: Final[dict[Action, Step]] = {
    Action.ANSWER: _verb(service.answer, no_entry_reason="询问天气"),
    Action.SUBMIT: _verb(service.submit, by_clock=True),
    Action.REFUSE: _verb(service.refuse, ground="lawsuit"),
    Action.RELEASE: _verb(service.release, content="小区停水两天，请尽快处理。"),
    Action.ASK_INFO: _verb(service.ask_info, by_clock=True, missing=["place"]),
    Action.TELL: _verb(service.tell, by_clock=True),
    Action.DISPATCH: _with(_dispatch, service.dispatch, by_clock=True),
    Action.SIGN: _verb(service.sign),
    Action.HAND_DOWN: _with(lambda life, _: {"unit_id": life.units(1, UNITS[3:])[0]}, service.hand_down, by_clock=True),
    Action.RECALL: _verb(service.recall, by_clock=True, reason="派错了"),
    Action.RETURN: _with(_return, service.ask_return, by_clock=True),
    Action.ACCEPT_RETURN: _with(_accept, service.accept_return, by_clock=True),
    Action.REFUSE_RETURN: _verb(service.refuse_return, by_clock=True, reason="清单写明由贵单位负责"),
    Action.TO_PANEL: _verb(service.to_panel, by_clock=True, reason="权属有争议"),
    Action.DESIGNATE: _with(
        lambda life, _: {"lead_unit_id": life.units(1)[0], "reason": "经会商"}, service.designate, by_clock=True
    ),
    Action.JOIN: _with(lambda life, _: {"unit_ids": life.units(1), "reason": "需要配合"}, service.join, by_clock=True),
    Action.ASK_EXTENSION: _with(
        lambda life, order: {
            "ground": "procedure",
            "plan": "等配件",
            "until": (order.deadline_at or life.now) + timedelta(hours=1 + life.pick(40)),
        },
        service.ask_extension,
        by_clock=True,
    ),
    Action.GRANT_EXTENSION: _verb(service.grant_extension, by_clock=True),
    Action.REFUSE_EXTENSION: _verb(service.refuse_extension, reason="不必延期"),
    Action.ASK_SUSPENSION: _with(
        lambda life, _: {
            "ground": "season",
            "waits_for": "停暖后施工",
            "review_at": life.now + timedelta(days=1 + life.pick(29)),
        },
        service.ask_suspension,
        by_clock=True,
    ),
    Action.REFUSE_SUSPENSION: _verb(service.refuse_suspension, reason="可以办理"),
    Action.SUSPEND: _verb(service.suspend, by_clock=True),
    Action.RESUME: _verb(service.resume, by_clock=True),
    Action.PROGRESS: _with(
        lambda life, _: {"text": "正在办理", "waits_for_unit_id": life.units(1)[0] if life.odd(2) else None},
        service.progress,
        by_clock=True,
    ),
    Action.REPORT: _verb(service.report, by_clock=True, **report_fields()),
    Action.APPROVE: _verb(service.approve, by_clock=True),
    Action.REJECT: _verb(service.reject, reason="没有答到点上"),
    Action.TAKE_UP: _verb(service.reopen, by_clock=True, reason="有新的事实"),
    Action.CALL_BACK: _with(_settle, service.settle, by_clock=True),
    Action.CLOSE: _close,
    Action.REVIEW: _verb(service.review, by_clock=True, fact="又停水了"),
    Action.ARCHIVE: lambda life, order, _actor: service.archive(life.session, order=order, actor=SYSTEM, now=life.now),
    Action.SUPPLEMENT: _verb(service.supplement, by_clock=True, text="在五号楼"),
    Action.URGE: _verb(service.urge),
    Action.WITHDRAW: _verb(service.withdraw, reason="已自行解决", read_back_ok=True),
    Action.MERGE: _with(_merge, service.merge, by_clock=False),
    Action.UNMERGE: _verb(service.unmerge),
    Action.SUPERVISE: _with(
        lambda life, order: {
            "level": ("blue", "yellow", "red", "listed")[life.pick(4)],
            "words": "请抓紧办理",
            "kind": "supervision",
            "unit_id": order.lead_unit_id,
            "reply_due": life.now + timedelta(days=1),
        },
        service.supervise,
        by_clock=False,
    ),
    Action.REPLY_NOTICE: _verb(service.reply_notice, text="明天完成"),
    Action.CLAIM: _verb(service.claim, ground="repeated", evidence="上月已办结"),
    Action.DECIDE_CLAIM: _with(
        lambda life, _: {"upheld": life.odd(2), "answer": "经查阅"}, service.decide_claim, by_clock=False
    ),
    Action.APPEAL: _verb(service.appeal, reason="已按期办结"),
    Action.DECIDE_APPEAL: _with(
        lambda life, _: {"upheld": life.odd(2), "answer": "经查阅"}, service.decide_appeal, by_clock=False
    ),
    Action.EXPLAIN: _with(
        lambda _, order: {
            "explanation": Explanation("law", "已说明政策"),
            "round": order.round,
            "satisfaction": "dissatisfied",
            "solved": "impossible",
            "contacted": True,
        },
        service.explain,
        by_clock=False,
    ),
    Action.REFUSE_EXPLANATION: _verb(service.refuse_explanation, by_clock=True, answer="解释不充分"),
    Action.LIST_HOUSEHOLDS: _with(
        lambda life, _: {"rows": [(2, {"户主": f"户{life.pick(10**6)}", "地址": "冀州镇"})]},
        service.list_households,
        by_clock=False,
    ),
    Action.SETTLE_HOUSEHOLDS: _verb(service.settle_households),
    Action.LEADER_NOTE: _verb(service.note_leader, leader="王市长", text="请抓紧"),
}
