"""What units and officers ask for and the hub decides: returns, extensions, suspensions, explanations, claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.errors import Invalid
from hotline.units import queries as units
from hotline.units.models import ResponsibilityLine
from hotline.web import order_pages
from hotline.web.access import roles, the_actor, when
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import tell_once
from hotline.web.order_pages import about, by_clock
from hotline.work_orders import advising, service
from hotline.work_orders.asks import queries
from hotline.work_orders.models import OrderRequest
from hotline.work_orders.states import RequestKind
from hotline.work_orders.words import (
    CLAIM_WORDS,
    EXTENSION_WORDS,
    REQUEST_WORDS,
    RETURN_WORDS,
    SUSPENSION_WORDS,
)

bp = Blueprint("requests", __name__, url_prefix="/requests")

DECIDERS: Final = ("REV", "SUP", "ADJ")
GRANT, REFUSE, PANEL = "grant", "refuse", "panel"
GROUNDS: Final[dict[str, dict[Any, str]]] = {
    RequestKind.RETURN: dict(RETURN_WORDS),
    RequestKind.EXTENSION: dict(EXTENSION_WORDS),
    RequestKind.SUSPENSION: dict(SUSPENSION_WORDS),
    RequestKind.CLAIM: dict(CLAIM_WORDS),
}
Verb = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Decision:
    """How one kind is decided: its verbs, what its buttons say, and the name its verbs give the words."""

    yes: Verb
    no: Verb
    yes_word: str
    no_word: str
    yes_words: str = "answer"
    no_words: str = "reason"
    yes_by_clock: bool = True
    no_by_clock: bool = False
    verdict: bool = False  # one verb for both, told ``upheld``


DECISIONS: Final[dict[str, Decision]] = {
    RequestKind.EXTENSION: Decision(service.grant_extension, service.refuse_extension, "同意延期，告知市民", "不同意"),
    RequestKind.SUSPENSION: Decision(service.suspend, service.refuse_suspension, "同意挂起", "不同意"),
    RequestKind.EXPLANATION: Decision(
        service.grant_explanation,
        service.refuse_explanation,
        "认可解释，办结",
        "不认可，重办",
        no_words="answer",
        no_by_clock=True,
    ),
    RequestKind.CLAIM: Decision(
        service.decide_claim,
        service.decide_claim,
        "认定不合理",
        "不予认定",
        no_words="answer",
        yes_by_clock=False,
        verdict=True,
    ),
    RequestKind.APPEAL: Decision(
        service.decide_appeal,
        service.decide_appeal,
        "申诉成立",
        "维持原评价",
        no_words="answer",
        yes_by_clock=False,
        verdict=True,
    ),
}


@bp.get("")
@roles(*DECIDERS)
def desk() -> ResponseReturnValue:
    """What waits for this person, the first one opened."""
    return _page(None, {}, {})


@bp.get("/<int:request_id>")
@roles(*DECIDERS)
def one(request_id: int) -> ResponseReturnValue:
    """One request with its order."""
    return _page(request_id, {}, {})


@bp.post("/<int:request_id>")
@roles(*DECIDERS)
def decide(request_id: int) -> ResponseReturnValue:
    """Decide it; the next one follows."""
    try:
        with transaction() as session:
            asked = queries.one_to_decide(session, the_actor(), request_id)
            return tell_once(
                session,
                lambda: _decide(session, asked),
                then=url_for("office.requests.desk", kind=request.args.get("kind") or None),
            )
    except Invalid as fault:
        return _page(request_id, request.form.to_dict(flat=True) | _assisting(), fault.details), 422


def _assisting() -> dict[str, Any]:
    return {"assisting": request.form.getlist("assisting")}


def _decide(session: Session, asked: OrderRequest) -> str:
    verdict, words = request.form.get("verdict", ""), request.form.get("words", "").strip()
    if verdict not in (GRANT, REFUSE, PANEL):
        raise Invalid("请选择同意或不同意", verdict="请选择同意或不同意")
    if asked.kind == RequestKind.RETURN:
        return _decide_return(session, asked, verdict, words)
    how = DECISIONS[asked.kind]
    agreed = verdict == GRANT
    verb, name = (how.yes, how.yes_words) if agreed else (how.no, how.no_words)
    values: dict[str, Any] = {name: words}
    if how.verdict:
        values["upheld"] = agreed
    if how.yes_by_clock if agreed else how.no_by_clock:
        values |= by_clock()
    verb(session, order=asked.order, **when(), **values)
    return f"{asked.order.order_no}：{how.yes_word if agreed else how.no_word}"


def _decide_return(session: Session, asked: OrderRequest, verdict: str, words: str) -> str:
    order = asked.order
    if verdict == REFUSE:
        service.refuse_return(session, order=order, reason=words, request_id=asked.id, **when(), **by_clock())
        return f"{order.order_no} 不同意退回，由原单位办理"
    if verdict == PANEL:
        service.to_panel(session, order=order, reason=words, **when(), **by_clock())
        return f"{order.order_no} 已提交会商"
    lead, _, line = request.form.get("lead", "").partition(":")
    lead_id = request.form.get("other", type=int) if lead == "other" else int(lead) if lead.isdigit() else None
    service.accept_return(
        session,
        order=order,
        lead_unit_id=lead_id,
        assisting_ids=request.form.getlist("assisting", type=int),
        responsibility_line_id=int(line) if line.isdigit() else None,
        advice=words,
        hard=request.form.get("hard") == "1",
        correction=request.form.get("correction", ""),
        request_id=asked.id,
        **when(),
        **by_clock(),
    )
    lead_unit = order.lead_unit.name if order.lead_unit else "承办单位"
    return f"{order.order_no} 同意退回，" + ("已提交会商" if order.status == "panel" else f"改派{lead_unit}")


def _page(request_id: int | None, typed: dict[str, Any], faults: dict[str, object]) -> str:
    actor, kind = the_actor(), request.args.get("kind", "")
    with transaction() as session:
        counts = queries.counts(session, actor)
        found = order_pages.pool_page(lambda page: queries.to_decide(session, actor, kind=kind, page=page))
        asked = queries.one_to_decide(session, actor, request_id) if request_id else next(iter(found.items), None)
        more: dict[str, Any] = {}
        if asked is not None:
            more = about(session, asked.order) | _told(session, asked)
            if asked.kind == RequestKind.RETURN:
                more |= _next_units(session, asked, typed)
        return render_template(
            "office/requests.html",
            found=found,
            chips=_chips(counts, kind),
            kind=kind,
            asked=asked,
            order=asked.order if asked else None,
            how=DECISIONS.get(asked.kind) if asked else None,
            typed=typed,
            faults=faults,
            **more,
        )


def _chips(counts: dict[str, int], kind: str) -> list[dict[str, Any]]:
    chips = [{"href": url_for("office.requests.desk"), "word": "全部", "count": sum(counts.values()), "on": not kind}]
    for one_kind, word in REQUEST_WORDS.items():
        if number := counts.get(one_kind):
            href = url_for("office.requests.desk", kind=one_kind.value)
            chips.append({"href": href, "word": word, "count": number, "on": kind == one_kind})
    return chips


def _told(session: Session, asked: OrderRequest) -> dict[str, Any]:
    """What is asked, in pairs for the page, and what the order has been through of the same kind."""
    line = session.get(ResponsibilityLine, asked.line_id) if asked.line_id else None
    facts = [("申请单位", asked.unit.name if asked.unit else "热线中心")]
    if asked.ground:
        facts.append(("类别", GROUNDS.get(asked.kind, {}).get(asked.ground, asked.ground)))
    if line is not None:
        facts.append(("引用清单", f"{line.version} {line.code}：{line.matter}"))
    if asked.suggested_unit is not None:
        facts.append(("建议由", asked.suggested_unit.name))
    before = [row for row in asked.order.requests if row.kind == asked.kind and row.id != asked.id]
    return {"facts": facts, "before": before, "kind_word": REQUEST_WORDS[RequestKind(asked.kind)]}


def _next_units(session: Session, asked: OrderRequest, typed: dict[str, Any]) -> dict[str, Any]:
    """Whom a returned order may go to: who the unit suggests, then what the list and the place say."""
    order, tier2 = asked.order, units.units_of_tier(session, 2)
    choices: list[tuple[str, str, str, str]] = []
    suggested = asked.suggested_unit
    if suggested is not None and suggested.tier == 2:
        choices.append((f"{suggested.id}:", suggested.name, "", "退回单位建议"))
    without = {unit_id for unit_id in (asked.unit_id, suggested.id if suggested else None) if unit_id}
    advice = advising.advise(session, order, routing=runtime().routing, on=runtime().today(), without=without)
    choices += order_pages.unit_choices(advice.units)
    asks = bool(choices) and advice.asks and not (suggested is not None and suggested.tier == 2)
    choices.append(("other", "其他单位", "", ""))
    typed.setdefault("lead", None if asks else choices[0][0])
    typed.setdefault("assisting", [])
    return {
        "choices": choices,
        "asks": asks,
        "others": [("", "请选择"), *((unit.id, unit.name) for unit in tier2)],
        "units": tier2,
    }
