"""What the pages of an order share, whoever works on it: its demand, acting on it once, rejecting, who called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.callers.service import reveal as reveal_field
from hotline.contacts import queries as contacts
from hotline.errors import Invalid
from hotline.units import queries as units
from hotline.web import pages
from hotline.web.access import the_actor, when
from hotline.web.contact_story import in_story
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import tell_once
from hotline.work_orders import queries, service, visibility
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.proposal import Candidate, share_words
from hotline.work_orders.queries import Page
from hotline.work_orders.story import story

Row = TypeVar("Row")


def by_clock() -> dict[str, Any]:
    """The city's working days and its zone, for verbs that set a time limit."""
    return {"calendar": runtime().calendar, "tz": runtime().settings.tz}


def pool_page(look: Callable[[int], Page[Row]]) -> Page[Row]:
    """Return the page of a pool that ``?page=`` names; the last one when colleagues have emptied it meanwhile."""
    found = look(max(request.args.get("page", 1, type=int), 1))
    if found.items or not found.total:
        return found
    return look(-(-found.total // found.per_page))


def unit_choices(candidates: Sequence[Candidate]) -> list[tuple[str, str, str, str]]:
    """Return the units proposed, for ``toggles``: ``unit id:line id``, name, no tone, how sure and why."""
    return [
        (
            f"{one.unit.id}:{one.line.id if one.line else ''}",
            one.unit.name,
            "",
            f"{share_words(one.confidence)} · {one.reason}",
        )
        for one in candidates
    ]


def about(session: Session, order: WorkOrder) -> dict[str, Any]:
    """What every page of one order shows, as far as whoever asks may see it: ``category person in_hand story contact``.

    ``in_hand``: whether a unit has it in hand, and so may ask for the caller's number.
    """
    actor = the_actor()
    names = {row.code: row.name for row in units.categories(session)}
    return {
        "category": names.get(order.category_code, order.category_code),
        "person": queries.caller_view(order, actor),
        "in_hand": visibility.holds(session, actor, order),
        "story": in_story(session, order, actor, story(session, order, actor)),
        "contact": contacts.offer(session, order, actor),
    }


def act(
    number: str,
    do: Callable[[Session, WorkOrder], str],
    *,
    then: Callable[[WorkOrder], str],
    again: Callable[[Invalid], str] | None = None,
) -> ResponseReturnValue:
    """Act once on an order whoever asks may see, say what ``do`` returns, go on.

    ``then`` tells where to, asked before anything changes; ``again`` renders the form anew with what is wrong in it.
    Without ``again`` the fault goes to the page for faults, as everything else does that is raised.
    """
    try:
        with transaction() as session:
            found = queries.visible_to(session, the_actor(), number)
            there = then(found)
            return tell_once(session, lambda: do(session, found), then=there)
    except Invalid as fault:
        if again is None:
            raise
        return again(fault), 422


def reject(
    number: str, *, template: str, said: Callable[[WorkOrder], str], then: Callable[[WorkOrder], str]
) -> ResponseReturnValue:
    """Send a report back for the reason in the form; without one ``template`` asks for it again."""
    reason = request.form.get("reason", "")

    def do(session: Session, order: WorkOrder) -> str:
        service.reject(session, order=order, reason=reason, **when())
        return said(order)

    def again(fault: Invalid) -> str:
        return reject_page(number, template, typed=reason, error=str(fault.details.get("reason", fault.message)))

    return act(number, do, then=then, again=again)


def reject_page(number: str, template: str, *, typed: str = "", error: str | None = None) -> str:
    """The reason for sending a report back, as a page of its own."""
    with transaction() as session:
        found = queries.visible_to(session, the_actor(), number)
        return render_template(template, order=found, typed=typed, error=error)


def reveal(number: str, *, action: str, back: str) -> ResponseReturnValue:
    """Show the caller's number for a reason that leaves a row; asks for the reason first, by a form to ``action``."""
    reason = request.form.get("reason", "")
    template = "ui/reveal.html" if pages.is_htmx() else "ui/reveal_page.html"
    try:
        with transaction() as session:
            found = queries.visible_to(session, the_actor(), number)
            if found.caller is None:
                raise Invalid("这张工单没有来电人信息")
            if queries.caller_view(found, the_actor()) is None:
                raise Invalid("这张工单的来电人保密")
            phone = reveal_field(
                session,
                caller=found.caller,
                field="phone",
                reason=reason,
                unit_may=lambda: visibility.holds(session, the_actor(), found),
                **when(),
            )
    except Invalid as fault:
        if "reason" not in fault.details:
            raise
        error = fault.details["reason"] if "reason" in request.form else None
        answer = render_template(template, action=action, back=back, typed=reason, error=error)
        return answer, 200 if error is None else 422
    return render_template(template, action=action, back=back, phone=phone)
