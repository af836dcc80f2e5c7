"""Keys of units' own systems, on the page of the unit: made, shown once, revoked."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.errors import NotFound
from hotline.units import keys
from hotline.units.models import Unit
from hotline.web.access import roles, when
from hotline.web.city.views import KEEPERS
from hotline.web.context import transaction
from hotline.web.idempotency import once, tell_once

bp = Blueprint("unit_keys", __name__)


@bp.post("/units/<int:row_id>/keys")
@roles(*KEEPERS)
def create(row_id: int) -> ResponseReturnValue:
    """Give the unit's system a key; its secret is shown this once."""
    with transaction() as session:

        def act() -> ResponseReturnValue:
            unit = _unit(session, row_id)
            key, secret = keys.create_key(session, unit=unit, **when())
            return _shown_once(unit, "接口密钥", secret, key_id=key.key_id)

        return once(session, act)


@bp.post("/units/<int:row_id>/keys/<key_id>/revoke")
@roles(*KEEPERS)
def revoke(row_id: int, key_id: str) -> ResponseReturnValue:
    """Let a key open nothing any more."""
    with transaction() as session:

        def act() -> str:
            unit = _unit(session, row_id)
            if key_id not in {key.key_id for key in keys.keys_of(session, unit.id)}:
                raise NotFound("没有这个接口密钥")
            keys.revoke_key(session, key_id=key_id, **when())
            return f"密钥 {key_id} 已停用"

        return tell_once(session, act, then=f"{url_for('office.city.units_opened', row_id=row_id)}#systems")


@bp.post("/units/<int:row_id>/webhook-secret")
@roles(*KEEPERS)
def webhook_secret(row_id: int) -> ResponseReturnValue:
    """Make a new secret for our pushes to the unit; shown this once, the old one ends."""
    with transaction() as session:

        def act() -> ResponseReturnValue:
            unit = _unit(session, row_id)
            return _shown_once(unit, "推送签名密钥", keys.new_webhook_secret(session, unit=unit, **when()))

        return once(session, act)


def _unit(session: Session, row_id: int) -> Unit:
    unit = session.get(Unit, row_id)
    if unit is None:
        raise NotFound("没有这个单位，可能已删除")
    return unit


def _shown_once(unit: Unit, what: str, secret: str, *, key_id: str = "") -> str:
    back = f"{url_for('office.city.units_opened', row_id=unit.id)}#systems"
    return render_template("city/unit_key.html", unit=unit, what=what, secret=secret, key_id=key_id, back=back)
