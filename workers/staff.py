"""Jobs that tell members of staff something on their own telephone."""

from __future__ import annotations

from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.bootstrap import Runtime
from hotline.callers.numbers import for_texts
from hotline.db import session_scope
from hotline.delivery import templates
from hotline.delivery.base import PermanentFailure
from hotline.outbox import OutboxMessage
from hotline.telephones import queries as telephones
from hotline.units.models import Unit
from workers.handling import Finish, handle, nothing_more


def tell_locked(message_id: int) -> None:
    """Tell the leaders of somebody's unit that their PIN is locked. Payload: ``user_id``."""
    handle(message_id, _tell_locked)


def _tell_locked(runtime: Runtime, message: OutboxMessage) -> Finish:
    with session_scope(runtime.sessions) as session:
        user = session.get_one(User, message.payload["user_id"])
        numbers = telephones.leaders_numbers(session, user.unit_id) or _duty_telephone(session, user.unit_id)
        body = templates.fill(templates.text_of(session, "staff.pin_locked"), name=user.display_name)
    for number in numbers:  # nobody to tell: the people's page of the unit shows it
        if message.tries > 1 and runtime.telephony.find_message(to=number, body=body) is not None:
            continue
        runtime.telephony.send_message(
            to=number,
            sender=runtime.settings.numbers[0],
            body=body,
            status_url=f"{runtime.settings.public_url}/ivr/status?message={message.token}",
        )
    return nothing_more


def _duty_telephone(session: Session, unit_id: int | None) -> list[str]:
    """Return the duty telephone, if any, as the carrier takes it. Raises ``PermanentFailure`` for a landline."""
    unit = session.get(Unit, unit_id) if unit_id is not None else None
    if unit is None or not unit.duty_phone:
        return []
    number = for_texts(unit.duty_phone)
    if number is None:
        raise PermanentFailure("值班电话收不到短信")
    return [number]
