"""Who of a unit may work by telephone: their number and a PIN that is shown once."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hotline.accounts.roles import Role
from hotline.errors import Invalid
from hotline.telephones import queries, service
from hotline.units.models import Unit
from hotline.web.access import roles, the_actor, when
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import tell_once

LONGEST: Final = 60


def make(template: str, keepers: tuple[str, ...]) -> Blueprint:
    """Return these pages for one part of the house; ``template`` extends that part's page."""
    bp = Blueprint("phones", __name__, url_prefix="/phones")

    def page(*, pin: str = "", of: int = 0, typed: str = "", error: str = "") -> str:
        now = runtime().now()
        with transaction() as session:
            text = request.args.get("q", "").strip()[:LONGEST]
            people = list(queries.kept_by(session, the_actor(), text))
            if of and all(person.user.id != of for person in people):
                people.insert(0, queries.person_of(session, the_actor(), of))
            names = {person.user.unit_id: session.get(Unit, person.user.unit_id) for person in people}
            return render_template(
                template,
                people=people,
                units=names,
                pin=pin,
                of=of,
                typed=typed,
                error=error,
                now_at=now,
                searches=the_actor().role == Role.ADM,
                text=text,
            )

    @bp.get("")
    @roles(*keepers)
    def listed() -> ResponseReturnValue:
        """The people of one's unit, with masked number and how their PIN stands."""
        return page()

    @bp.post("/<int:user_id>/give")
    @roles(*keepers)
    def give(user_id: int) -> ResponseReturnValue:
        """Give a new PIN; it is shown in the answer and kept nowhere, so sent again it is another one."""
        phone = request.form.get("phone", "")
        try:
            with transaction() as session:
                pin = service.give_pin(session, user_id=user_id, phone=phone, **when())
        except Invalid as fault:
            return page(of=user_id, typed=phone, error=fault.message), 422
        return page(pin=pin, of=user_id)

    @bp.post("/<int:user_id>/take")
    @roles(*keepers)
    def take(user_id: int) -> ResponseReturnValue:
        """End a PIN."""
        with transaction() as session:

            def act() -> str:
                service.take_pin(session, user_id=user_id, **when())
                return "电话密码已停用"

            return tell_once(session, act, then=url_for(".listed"))

    return bp
