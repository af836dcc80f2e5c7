"""The households of a batch order: the list brought as a sheet, each ticked off, for the hub and for units alike."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.callers.numbers import mask_contact
from hotline.errors import Invalid
from hotline.imports import read
from hotline.web.access import roles, the_actor, when
from hotline.web.context import transaction
from hotline.web.order_pages import act
from hotline.work_orders import batches, queries, service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Action


def make(template: str, readers: tuple[str, ...]) -> Blueprint:
    """Return these pages for one part of the house; ``template`` extends that part's page."""
    bp = Blueprint("households", __name__, url_prefix="/orders/<number>/households")

    def page(number: str, fault: Invalid | None = None) -> str:
        with transaction() as session:
            found = queries.visible_to(session, the_actor(), number)
            shown = batches.page_of(session, found, request.args.get("page", 1, type=int))
            may = {action for action, _ in queries.allowed_actions(found, the_actor())}
            return render_template(
                template,
                order=found,
                items=[(one, mask_contact(one.contact)) for one in shown.items],
                shown=shown,
                page=_page(shown.page),
                progress=batches.progress(session, found),
                may_list=Action.LIST_HOUSEHOLDS in may,
                may_settle=Action.SETTLE_HOUSEHOLDS in may,
                fault=fault,
            )

    def there(order: WorkOrder) -> str:
        page = _page(request.args.get("page", 1, type=int))
        return url_for(request.blueprint + ".listed" if request.blueprint else "", number=order.order_no, page=page)

    @bp.get("")
    @roles(*readers)
    def listed(number: str) -> ResponseReturnValue:
        """Every household, with its number masked and whether it is done."""
        return page(number)

    @bp.post("")
    @roles(*readers)
    def bring(number: str) -> ResponseReturnValue:
        """Take a sheet of households; nothing is written while a line is wrong."""

        def do(session: Session, order: WorkOrder) -> str:
            file = request.files.get("file")
            if file is None or not file.filename:
                raise Invalid("请选择一个文件", file="请选择一个文件")
            came = service.list_households(session, order=order, rows=read(file.read(), file.filename), **when())
            return f"已登记 {came} 户，共 {order.households} 户"

        return act(number, do, then=there, again=lambda fault: page(number, fault))

    @bp.post("/done")
    @roles(*readers)
    def done(number: str) -> ResponseReturnValue:
        """Say that the ticked households are done, or all that are left."""

        def do(session: Session, order: WorkOrder) -> str:
            numbers = None if request.form.get("all") == "1" else request.form.getlist("no", type=int)
            text = request.form.get("text", "")
            told = service.settle_households(session, order=order, numbers=numbers, text=text, **when())
            return f"已办 {told.done} 户，还有 {told.left} 户"

        return act(number, do, then=there, again=lambda fault: page(number, fault))

    return bp


def _page(number: int) -> int | None:
    """The page as an address says it: the first goes without saying."""
    return number if number > 1 else None
