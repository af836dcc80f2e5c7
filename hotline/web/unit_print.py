"""Orders on paper, for whoever goes to the place with a clipboard."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hotline.errors import Invalid
from hotline.web import pages
from hotline.web.access import roles, the_actor
from hotline.web.context import transaction
from hotline.web.order_pages import about
from hotline.web.unit_inbox import UNIT, own_sub
from hotline.work_orders import queries

bp = Blueprint("paper", __name__, url_prefix="/print")

AT_MOST: Final = 50


@bp.post("")
@roles(*UNIT)
def ticked() -> ResponseReturnValue:
    """Lead to the ticked orders on paper: nothing but their numbers stands in that address."""
    numbers = request.form.getlist("number")
    if not numbers:
        pages.toast("请先勾选要打印的工单", tone="soon")
        return pages.go(url_for("portal.lists.inbox"))
    return pages.go(url_for("portal.paper.printed", number=numbers))


@bp.get("")
@roles(*UNIT)
def printed() -> ResponseReturnValue:
    """Orders on paper, each beginning a page; of the caller what the unit may see on its screen, not more."""
    numbers = list(dict.fromkeys(request.args.getlist("number")))
    if not numbers:
        return pages.go(url_for("portal.lists.inbox"))
    if len(numbers) > AT_MOST:
        raise Invalid(f"一次最多打印 {AT_MOST} 件")
    with transaction() as session:
        orders = [queries.visible_to(session, the_actor(), number) for number in numbers]
        sheets = [{"order": order, "sub": own_sub(session, order), **about(session, order)} for order in orders]
        return render_template("portal/print.html", sheets=sheets)
