"""What a dispatcher looks at before an order goes out: words for units to read, and whether it is told already."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.db import key_ring
from hotline.errors import Invalid
from hotline.routing.model import Proposal as Learnt
from hotline.units import queries as units
from hotline.web.access import roles, the_actor, when
from hotline.web.context import runtime
from hotline.web.order_pages import act
from hotline.work_orders import duplicates, queries, releasing, service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.proposal import earlier_words, share_words

bp = Blueprint("before", __name__, url_prefix="/dispatch/<number>")


def offered(session: Session, order: WorkOrder) -> dict[str, Any]:
    """Return what the page of an order to be dispatched shows besides: ``likely release``.

    ``release``: the words to begin redacting with, or those released; None where the order is not confidential.
    """
    phone = order.caller.phone if order.caller else None
    demand = duplicates.of_order(order, key_ring().indexes(phone) if phone else ())
    found = duplicates.find(session, demand, now=runtime().now())
    release = (order.released_content or releasing.suggestion(order)) if order.confidential else None
    return {"likely": found, "release": release}


def looks_like(session: Session, order: WorkOrder, learnt: Learnt | None) -> str:
    """Return in words which other kind of matter the message looks like; empty when it looks like its own."""
    first = learnt.candidates[0] if learnt else None
    if learnt is None or first is None or learnt.asks or first.label == order.category_code:
        return ""
    name = next((one.name for one in units.categories(session) if one.code == first.label), "")
    return f"{name}（{share_words(first.confidence)}），{earlier_words(first.words)}" if name else ""


@bp.post("/merge")
@roles("REV")
def merge(number: str) -> ResponseReturnValue:
    """Merge the order into the one whose button was pressed; the next one follows."""

    def do(session: Session, order: WorkOrder) -> str:
        typed = request.form.get("into", "")
        if not typed:
            raise Invalid("请选择并入哪张工单", into="请选择并入哪张工单")
        main = queries.visible_to(session, the_actor(), typed)
        service.merge(session, order=order, into=main, **when())
        return f"{order.order_no} 已并入 {main.order_no}"

    return act(number, do, then=lambda _: url_for("office.dispatch_pool"))
