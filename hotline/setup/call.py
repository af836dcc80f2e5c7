"""The first call, watched from the operator's log-in to both sides talking."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import click
import requests
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.roles import Role
from hotline.bootstrap import Runtime
from hotline.calls.models import Call, Presence, PresenceEvent, QueueEvent
from hotline.calls.states import CallState, PresenceState, QueueKind
from hotline.db import session_scope
from hotline.setup.asking import Asking

CALLER: Final = "+8619900000001"
EVERY_S: Final = 0.3
TRIES: Final = 3
WORDS: Final = {
    QueueKind.ENTERED: "问候语播完，排队等候",
    QueueKind.OFFERED: "请 {who} 接听",
    QueueKind.OFFER_LAPSED: "{who} 没有接，换下一位",
    QueueKind.DECLINED: "{who} 没有接，换下一位",
    QueueKind.ANSWERED: "{who} 接听",
    QueueKind.CONNECTED: "双方通话",
    QueueKind.RETURNED: "话务员线路断了，市民回到队首",
    QueueKind.ABANDONED: "市民挂断，没有等到人",
    QueueKind.ENDED: "通话结束",
}


class Watch:
    """Tells what happens on the line from the moment it was made."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        with session_scope(runtime.sessions) as session:
            self._calls = self._newest(session, Call)
            self._events = self._newest(session, QueueEvent)
            self._presences = self._newest(session, PresenceEvent)
        self.connected = False

    def see(self) -> list[str]:
        """Return a line for everything that happened since the last look."""
        tz = self._runtime.settings.tz
        with session_scope(self._runtime.sessions) as session:
            found = sorted([*self._people(session), *self._come(session), *self._queued(session)])
        return [f"{at.astimezone(tz):%H:%M:%S}  {words}" for at, words in found]

    def somebody_ready(self) -> bool:
        """Whether an operator waits for calls."""
        with session_scope(self._runtime.sessions) as session:
            ready = select(Presence.user_id).where(Presence.state == PresenceState.READY)
            return session.scalar(ready.limit(1)) is not None

    def call_under_way(self) -> bool:
        """Whether a call is on the line."""
        with session_scope(self._runtime.sessions) as session:
            return session.scalar(select(Call.id).where(Call.state != CallState.ENDED).limit(1)) is not None

    @staticmethod
    def _newest(session: Session, table: type[Call | QueueEvent | PresenceEvent]) -> int:
        return session.scalar(select(func.max(table.id))) or 0

    def _people(self, session: Session) -> Iterator[tuple[datetime, str]]:
        changes = session.execute(
            select(PresenceEvent, User.username)
            .join(User, User.id == PresenceEvent.user_id)
            .where(PresenceEvent.id > self._presences, PresenceEvent.to_state == PresenceState.READY)
            .order_by(PresenceEvent.id)
        ).all()
        for change, username in changes:
            self._presences = change.id
            yield change.at, f"{username} 示闲，等电话"

    def _come(self, session: Session) -> Iterator[tuple[datetime, str]]:
        for call in session.scalars(select(Call).where(Call.id > self._calls).order_by(Call.id)):
            self._calls = call.id
            yield call.started_at, f"电话进来了，拨的是 {call.dialled}；正在播放问候语"

    def _queued(self, session: Session) -> Iterator[tuple[datetime, str]]:
        events = session.execute(
            select(QueueEvent, User.username)
            .outerjoin(User, User.id == QueueEvent.user_id)
            .where(QueueEvent.id > self._events)
            .order_by(QueueEvent.id)
        ).all()
        for event, username in events:
            self._events = event.id
            self.connected = self.connected or event.kind == QueueKind.CONNECTED
            yield event.at, WORDS[QueueKind(event.kind)].format(who=username or "话务员")


def first_call(runtime: Runtime, ask: Asking, wait_s: float) -> bool:
    """Tell what to do, show the call live, and return whether both sides talked within ``wait_s``.

    Where the settings name an exchange it dials, as soon as somebody is ready; else a person does, on any telephone.
    """
    settings = runtime.settings
    by_itself = bool(settings.twilio_api_url) and ask.may(
        "dial", "有话务员示闲后，由交换机拨一个试验电话？", default=True, unasked=True
    )
    with session_scope(runtime.sessions) as session:
        names = session.scalars(
            select(User.username).where(User.role == Role.OPR, User.active, User.seat != "").order_by(User.username)
        ).all()
    click.echo(
        f"  1. 话务员（{'、'.join(names[:3])}）打开 {settings.public_url}/login，用首次登录码登录，设置密码，点“示闲”。"
    )
    if not settings.twilio_api_url:
        click.echo("  2. 在运营商处为热线号码填写（均为 POST）：")
        for what, path in (("来电", "voice"), ("备用", "fallback"), ("状态", "status"), ("短信", "message")):
            click.echo(f"       {what}  {settings.public_url}/ivr/{path}")
    click.echo(
        f"  最后：{'有人示闲后交换机自动拨号' if by_itself else f'用手机拨 {settings.numbers[0]}'}，话务员接听。"
    )
    watch, tries = Watch(runtime), 0
    limit = time.monotonic() + wait_s
    while time.monotonic() < limit:
        for line in watch.see():
            click.echo(f"  {line}")
        if watch.connected:
            return True
        if by_itself and tries < TRIES and watch.somebody_ready() and not watch.call_under_way():
            tries += 1
            if not _dial(runtime):
                return False
        time.sleep(EVERY_S)
    click.echo("  还没有接通。")
    return False


def _dial(runtime: Runtime) -> bool:
    """Let the exchange dial: a caller who waits for the operator, then hangs up after ten seconds."""
    settings = runtime.settings
    script = [{"wait_for": "talking", "timeout_s": 120}, {"wait_s": 10}, {"hang_up": True}]
    wanted = {"from": CALLER, "to": settings.numbers[0], "script": script}
    try:
        answer = requests.post(f"{settings.twilio_api_url}/lab/calls", json=wanted, timeout=10)
    except requests.RequestException as fault:
        click.echo(f"  交换机没有应答：{type(fault).__name__}", err=True)
        return False
    if not answer.ok:
        click.echo(f"  交换机拒绝：{answer.text[:200]}", err=True)
        return False
    click.echo(f"  交换机已拨 {settings.numbers[0]}")
    return True
