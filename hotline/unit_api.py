"""Units' own systems: the same verbs and eyes as the portal, as JSON under ``/api/unit/v1``, each request signed.

A key stands for a clerk of one unit; it sees what that unit sees. A POST sent twice is done once: its
``Idempotency-Key`` is compulsory, and a signature that comes again, under whatever key, gets the answer it got.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from hotline.delivery import service as delivery
from hotline.errors import Invalid
from hotline.web import openapi, order_acts, order_json
from hotline.web.access import let_in, public, roles, the_actor
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import once
from hotline.web.json_body import moment
from hotline.web.unit_signature import SIGNATURE, signer
from hotline.work_orders import batches, evidence, queries
from hotline.work_orders.visibility import visible_to

bp = Blueprint("unit_api", __name__, url_prefix="/api/unit/v1")

UNIT: Final = ("U2", "U3")
PER_PAGE: Final = 50
LAST_PAGE: Final = 1_000_000


@bp.before_request
def only_signed() -> None:
    """Admit nobody without a signature but to the description."""
    if request.endpoint != "unit_api.describe":
        with transaction() as session:
            let_in(signer(session, request, runtime().now()))


@bp.get("/orders")
@roles(*UNIT)
def get_orders() -> ResponseReturnValue:
    """The unit's own part of its orders, the earliest change first: ``?state=`` one bucket, ``?since=`` changed then or
    later, ``?page=``."""
    with transaction() as session:
        found = queries.parts_of_unit(
            session,
            the_actor(),
            bucket=request.args.get("state", ""),
            since=_since(),
            now=runtime().now(),
            page=_page(),
            per_page=PER_PAGE,
        )
        return jsonify(
            orders=[order_json.brief(sub) for sub in found.items],
            total=found.total,
            page=found.page,
            per_page=found.per_page,
        )


def _since() -> datetime | None:
    typed = request.args.get("since")
    if typed is None:
        return None
    try:
        since: datetime = moment(typed.replace(" ", "+"))  # a + of the zone that nobody escaped
    except TypeError as fault:
        raise Invalid(f"since {fault}", since=str(fault)) from fault
    return since


def _page() -> int:
    typed = request.args.get("page", "1")
    if typed.isascii() and typed.isdigit() and 1 <= int(typed[:8]) <= LAST_PAGE:
        return int(typed[:8])
    raise Invalid("页码从 1 开始", page="页码从 1 开始")


@bp.get("/orders/<number>")
@roles(*UNIT)
def get_order(number: str) -> ResponseReturnValue:
    """One order, as far as the unit may see it. Reading it is the receipt of its push."""
    actor = the_actor()
    with transaction() as session:
        found = visible_to(session, actor, number)
        if actor.unit_id is not None:
            delivery.receipted(session, found.id, actor.unit_id, runtime().now())
        return jsonify(order_json.whole(session, found, actor))


@bp.get("/orders/<number>/households")
@roles(*UNIT)
def get_households(number: str) -> ResponseReturnValue:
    """The households of a batch order in the order of its list, ``?page=``; none of any other order."""
    page = _page()
    with transaction() as session:
        found = batches.items(session, visible_to(session, the_actor(), number))
        shown = found[(page - 1) * PER_PAGE : page * PER_PAGE]
        told = [order_json.household(one) for one in shown]
        return jsonify(households=told, total=len(found), page=page, per_page=PER_PAGE)


@bp.get("/orders/<number>/events")
@roles(*UNIT)
def get_events(number: str) -> ResponseReturnValue:
    """The order's life, first event first, in the words the unit may see."""
    actor = the_actor()
    with transaction() as session:
        return jsonify(events=order_json.events(session, visible_to(session, actor, number), actor))


@bp.post("/orders/<number>/actions")
@roles(*UNIT)
def post_action(number: str) -> ResponseReturnValue:
    """Do ``action`` to an order: ``sign``, ``report`` … with the fields it takes. 409 in words when not allowed now."""
    name, fields = order_acts.read_action()
    actor = the_actor()
    with transaction() as session:

        def act() -> ResponseReturnValue:
            order = visible_to(session, actor, number)
            order_acts.do(session, order, name, fields, actor)
            return jsonify(order_json.whole(session, order, actor))

        def act_once() -> ResponseReturnValue:
            # who caught a signed request could send it under another key: the signature itself is good once
            return once(session, act, key=f"signature {request.headers[SIGNATURE]}")

        return once(session, act_once, required=True)


@bp.post("/orders/<number>/files")
@roles(*UNIT)
def post_file(number: str) -> ResponseReturnValue:
    """Bring a photograph or paper as it is, ``?kind=`` ``contact``, ``before`` or ``after``, ``?name=`` the file's own;
    the next report of the unit is proved by it. The same file again is the same."""
    actor, kind = the_actor(), request.args.get("kind", "")
    with transaction() as session:
        evidence.may_add(visible_to(session, actor, number), actor, kind)
    judged = evidence.judged(request.args.get("name", ""), request.get_data(), kind)  # no transaction open meanwhile
    with transaction() as session:

        def act() -> ResponseReturnValue:
            order = visible_to(session, actor, number)
            row = evidence.add(session, order=order, actor=actor, now=runtime().now(), kind=kind, file=judged)
            return jsonify(order_json.file(row)), 201

        return once(session, act, required=True)


@bp.get("/orders/<number>/files/<int:file_id>")
@roles(*UNIT)
def get_file(number: str, file_id: int) -> ResponseReturnValue:
    """A file of the order, as far as the unit may open it."""
    actor = the_actor()
    with transaction() as session:
        row = evidence.opened(session, visible_to(session, actor, number), actor, file_id)
        answer = Response(evidence.bytes_of(row), content_type=row.mime)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/openapi.json")
@public
def describe() -> Response:
    """The API's description, OpenAPI 3.1."""
    return jsonify(openapi.unit_document(order_acts.for_units()))
