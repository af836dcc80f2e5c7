"""Which channels of the live line there are, and who may hear them.

``queue``: the waiting calls, for whoever answers or watches over them. ``desk-USER``: one's own desk.
``alarms``: ringing for urgent orders, for supervisors.
``import-USER``: files one has sent in.
``call-CALL``: words and suggestions of a call, for the operator who is offered it or took it, and for supervisors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.calls import queries
from hotline.calls.models import Call
from hotline.web.sse import MayListen, id_of

WATCHES_QUEUE: Final = frozenset({Role.OPR, Role.SUP, Role.REV})


def queue(_session: Session, actor: Actor, channel: str) -> bool:
    """Operators and those over them."""
    return channel == "queue" and actor.role in WATCHES_QUEUE


def alarms(_session: Session, actor: Actor, channel: str) -> bool:
    """Supervisors."""
    return channel == "alarms" and actor.role == Role.SUP


def own(_session: Session, actor: Actor, channel: str) -> bool:
    """The person it is named after."""
    return id_of(channel) == actor.user_id


def call(session: Session, actor: Actor, channel: str) -> bool:
    """The operator who is offered it or took it, and supervisors."""
    call_id = id_of(channel)
    found = session.get(Call, call_id) if call_id is not None else None
    if found is None or actor.user_id is None:
        return False
    return actor.role == Role.SUP or found.operator_id == actor.user_id or queries.is_own_open(session, actor, found)


LISTENERS: Final[Mapping[str, MayListen]] = {"queue": queue, "alarms": alarms, "desk": own, "import": own, "call": call}
