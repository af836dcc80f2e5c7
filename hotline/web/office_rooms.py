"""The hub's second navigation: which pages there are, for whom, and how much waits in each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask import g, request, url_for
from sqlalchemy.orm import Session

from hotline.accounts.roles import HUB
from hotline.accounts.service import Actor
from hotline.alarms.queries import failing
from hotline.web.access import actor
from hotline.web.city.views import KEEPERS
from hotline.web.context import transaction
from hotline.web.office_accuracy import JUDGES
from hotline.web.office_panels import MEMBERS
from hotline.web.office_requests import DECIDERS
from hotline.web.office_supervision import SUPERVISORS
from hotline.web.office_watch import AUDITORS, MENDERS, WATCHERS
from hotline.work_orders import boards
from hotline.work_orders.asks import queries as requests
from hotline.work_orders.states import Status
from hotline.work_orders.supervision import queries as supervision

DISPATCHERS: Final = ("REV",)
INSIDE: Final = tuple(sorted(HUB))
Count = Callable[[Session, Actor], int]


def _in(*states: Status) -> Count:
    return lambda session, _actor: boards.waiting_in(session, *states)


def _requests(session: Session, someone: Actor) -> int:
    return sum(requests.counts(session, someone).values())


def _unanswered(session: Session, _someone: Actor) -> int:
    return failing(session)


def _replies(session: Session, someone: Actor) -> int:
    return supervision.unread(session, someone)


@dataclass(frozen=True, slots=True)
class Room:
    """One page of the hub; ``count`` tells how much waits there for whoever asks."""

    endpoint: str
    word: str
    icon: str
    roles: tuple[str, ...]
    count: Count | None = None


ROOMS: Final = (
    Room("office.dispatch_pool", "待派单", "send", DISPATCHERS, _in(Status.TO_REVIEW)),
    Room("office.check_pool", "待审核", "clipboard-check", DISPATCHERS, _in(Status.TO_CHECK_HUB)),
    Room("office.requests.desk", "申请审批", "check2-square", DECIDERS, _requests),
    Room("office.panels.desk", "会商", "people", MEMBERS, _in(Status.PANEL)),
    Room("office.supervision.board", "督办", "exclamation-triangle", SUPERVISORS, _replies),
    Room("office.alarms.listed", "紧急拨打", "telephone-outbound", SUPERVISORS, _unanswered),
    Room("office.orders.find", "工单", "list-ul", INSIDE),
    Room("office.accuracy.board", "派单准确率", "diagram-3", JUDGES),
    Room("office.watch.board", "今日大屏", "graph-up", WATCHERS),
    Room("office.roster.week", "值班表", "calendar3", SUPERVISORS),
    Room("office.watch.messages", "通知送达", "bell", MENDERS),
    Room("office.phones.listed", "电话办理", "telephone", KEEPERS),
    Room("office.city.home", "城市设置", "sliders", KEEPERS),
    Room("office.watch.audit", "查看记录", "journal-text", AUDITORS),
)


@dataclass(frozen=True, slots=True)
class OpenRoom:
    """A room as the navigation shows it."""

    href: str
    word: str
    icon: str
    count: int | None
    on: bool


def count() -> None:
    """Count what waits in the rooms of this person: a page shows its navigation while its own transaction is open."""
    someone = actor()
    if someone is None:
        return
    with transaction() as session:
        g.office_rooms = [
            OpenRoom(
                href=url_for(room.endpoint),
                word=room.word,
                icon=room.icon,
                count=room.count(session, someone) if room.count else None,
                on=request.path.startswith(url_for(room.endpoint)),
            )
            for room in ROOMS
            if someone.role in room.roles
        ]


def offer() -> dict[str, Any]:
    """Offer ``rooms`` to the hub's templates."""
    return {"rooms": g.get("office_rooms", [])}
