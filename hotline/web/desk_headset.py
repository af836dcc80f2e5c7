"""The desk's telephone: a headset in the browser, and putting the caller on hold (which needs none)."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from hotline.calls.events import leg_on
from hotline.calls.holding import note_hold
from hotline.calls.states import Track
from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.telephony.base import CarrierRefused, CarrierUnreachable
from hotline.web import desk, desk_page, pages, switchboard
from hotline.web.access import roles, the_actor, visitor, when
from hotline.web.context import runtime, transaction
from hotline.web.desk_page import OPERATOR
from hotline.web.twiml import room_of

bp = Blueprint("headset", __name__)

SEATED: Final = (OPERATOR, "CBK", "SUP")  # officers call citizens back from their seats
NO_SEAT: Final = "您还没有话机号，请联系管理员"
NOT_SET_UP: Final = "耳机未配置，请用座席话机"
NOT_HELD: Final = "没有做成，请重试：电话系统没有回应"
NOT_TALKING: Final = "现在没有可以保持的通话"


@bp.get("/headset")
@roles(*SEATED)
def headset() -> ResponseReturnValue:
    """What makes this browser the telephone of one's seat: ``adapter token url address ttl_s``.

    ``adapter`` none: it cannot be one, and ``reason`` says why in words. Never kept by anything on the way.
    """
    someone = visitor()
    seat = someone.seat if someone else ""
    found = runtime().telephony.headset_pass(seat) if seat else None
    if found is None:
        return jsonify({"adapter": "none", "reason": NOT_SET_UP if seat else NO_SEAT})
    told = {"adapter": found.adapter, "token": found.token, "url": found.url, "ttl_s": found.ttl_s}
    return jsonify(told | {"address": f"client:{seat}"})


@bp.get("/calls/<int:call_id>/hold")
@roles(OPERATOR)
def hold(call_id: int) -> ResponseReturnValue:
    """Whether the caller is on hold, as the carrier says: a page loaded anew knows no better. Empty outside a talk."""
    try:
        line = _callers_line(call_id)
    except NotFound:  # it went to somebody else meanwhile; the page's head says so and leads back
        if not pages.is_htmx():
            raise
        line = None
    try:
        held = line is not None and runtime().telephony.is_held(line, room_of(call_id))
    except (CarrierRefused, CarrierUnreachable):
        return pages.fragment("desk/_hold.html", call_id=call_id, talking=line is not None, unknown=True)
    return pages.fragment("desk/_hold.html", call_id=call_id, talking=line is not None, held=held)


@bp.post("/calls/<int:call_id>/hold")
@roles(OPERATOR)
def set_hold(call_id: int) -> ResponseReturnValue:
    """Let the caller hear nothing of the desk (``on=1``), or the two speak again (``on=0``). Sent twice: as once.

    What the carrier has done is written down, what it refused is not.
    """
    wanted = request.form.get("on", "")
    if wanted not in {"0", "1"}:
        raise Invalid("没有说明是保持还是恢复", on="0 或 1")
    line = _callers_line(call_id)
    if line is None:
        raise NotAllowedNow(NOT_TALKING)
    try:
        runtime().telephony.hold(line, room_of(call_id), on=wanted == "1")
    except CarrierRefused as fault:
        raise NotAllowedNow(NOT_TALKING) from fault
    except CarrierUnreachable:
        pages.toast(NOT_HELD, tone="late")
    else:
        with transaction() as session:
            note_hold(session, call_id=call_id, on=wanted == "1", **when())
    switchboard.tell_call(call_id)
    if not pages.is_htmx():
        return pages.go(url_for("desk.call", call_id=call_id))
    return hold(call_id)


def _callers_line(call_id: int) -> str | None:
    """The carrier's id of the caller's line while the operator talks with them, else None. Raises ``NotFound``."""
    with transaction() as session:
        found = desk.own_call(session, the_actor(), call_id)
        if desk_page.talk(session, found).phase != "talking":
            return None
        leg = leg_on(session, found.id, Track.CALLER)
        return leg.provider_id if leg is not None else None
