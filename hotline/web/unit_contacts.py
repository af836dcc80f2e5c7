"""Units call citizens through the hub: the button on an order's page."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from hotline.contacts import service
from hotline.errors import Invalid
from hotline.web import pages
from hotline.web.access import roles, the_actor, when
from hotline.web.context import transaction
from hotline.web.idempotency import tell_once
from hotline.web.unit_inbox import UNIT
from hotline.work_orders.queries import visible_to

bp = Blueprint("contacts", __name__)


@bp.post("/orders/<number>/contact")
@roles(*UNIT)
def contact(number: str) -> ResponseReturnValue:
    """Ask to be put through: one's own telephone rings first, then the citizen's."""
    back = url_for("portal.order", number=number)
    try:
        with transaction() as session:

            def act() -> str:
                order = visible_to(session, the_actor(), number)
                service.ask(session, order=order, phone=request.form.get("phone", ""), **when())
                return "正在呼叫您的电话，接听后为您接通来电人"

            return tell_once(session, act, then=back)
    except Invalid as fault:
        pages.toast(fault.message, tone="soon")
        return pages.go(back)
