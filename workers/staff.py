"""Jobs that tell members of staff something on their own telephone."""

from __future__ import annotations

import logging
from typing import Final

from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.bootstrap import Runtime
from hotline.callers.numbers import for_texts
from hotline.db import session_scope
from hotline.delivery import templates
from hotline.delivery.base import PermanentFailure
from hotline.outbox import OutboxMessage
from hotline.telephones import queries as telephones
from hotline.telephony.base import CarrierRefused
from hotline.units.models import Unit
from hotline.web.formats import moment
from workers.handling import Finish, handle, nothing_more, words

log = logging.getLogger(__name__)

TEMPLATE: Final = "staff.pin_locked"
TIME: Final = "{time}"


def tell_locked(message_id: int) -> None:
    """Tell the leaders of somebody's unit that their PIN is locked; where none left a number that shows texts, its duty
    telephone. One the carrier refuses does not keep it from the others. Payload: ``user_id``."""
    handle(message_id, _tell_locked)


def _tell_locked(runtime: Runtime, message: OutboxMessage) -> Finish:
    with session_scope(runtime.sessions) as session:
        user = session.get_one(User, message.payload["user_id"])
        left = telephones.leaders_numbers(session, user.unit_id)
        leaders = [number for number in map(for_texts, left) if number]
        numbers = leaders or _duty_telephone(session, user.unit_id)
        text = templates.text_of(session, TEMPLATE)
        if TIME not in text:  # a city's own words, which would be those of an earlier lock again
            text += f"（{TIME}）"
        # the message is written as the PIN locks
        body = templates.fill(text, name=user.display_name, time=moment(message.created_at, runtime.settings.tz))
    if left and not numbers:
        raise PermanentFailure("负责人的电话收不到短信")
    refusals = [fault for number in numbers if (fault := _refusal(runtime, message, number, body))]
    if numbers and len(refusals) == len(numbers):
        raise refusals[0]
    return nothing_more  # nobody to tell: the people's page of the unit shows it


def _refusal(runtime: Runtime, message: OutboxMessage, number: str, body: str) -> CarrierRefused | None:
    """Send the text, unless an earlier try did. Returns why the carrier will not: others may still be told."""
    try:
        if message.tries > 1 and runtime.telephony.find_message(to=number, body=body) is not None:
            return None
        runtime.telephony.send_message(
            to=number,
            sender=runtime.settings.numbers[0],
            body=body,
            status_url=f"{runtime.settings.public_url}/ivr/status?message={message.token}",
        )
    except CarrierRefused as fault:
        log.warning("outbox row %d (%s), one number: %s", message.id, message.topic, words(fault))
        return fault
    return None


def _duty_telephone(session: Session, unit_id: int | None) -> list[str]:
    """Return the duty telephone, if any, as the carrier takes it. Raises ``PermanentFailure`` for a landline."""
    unit = session.get(Unit, unit_id) if unit_id is not None else None
    if unit is None or not unit.duty_phone:
        return []
    number = for_texts(unit.duty_phone)
    if number is None:
        raise PermanentFailure("值班电话收不到短信")
    return [number]
