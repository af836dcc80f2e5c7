"""Other processes learn of an edit at once, through the live port; while that is down, by asking now and then."""

from __future__ import annotations

import logging
import threading
from typing import Final, Protocol

from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hotline.db import SessionFactory, reading
from hotline.errors import Unavailable
from hotline.knowledge_base.models import Change
from hotline.live.base import Bus, Hint

log = logging.getLogger(__name__)

CHANNEL: Final = "knowledge"
UNTOLD: Final = "knowledge.untold"  # of a session: it changed knowledge that other processes have not heard of
ASK_EVERY_S: Final = 1.0  # while the bus is down
LOOK_UP_S: Final = 0.2  # how long a closing process may wait for a listening thread
WARM_EVERY_S: Final = 30.0  # what a hint lost without notice costs at most


def tell_after_commit(sessions: SessionFactory, bus: Bus) -> None:
    """Tell every process after each commit of these sessions that changed knowledge, so that nobody has to remember."""

    @event.listens_for(sessions, "after_flush")
    def on_flush(session: Session, _context: object) -> None:
        if any(isinstance(row, Change) for row in session.new):
            session.info[UNTOLD] = True

    @event.listens_for(sessions, "after_commit")
    def on_commit(session: Session) -> None:
        if not session.in_nested_transaction() and session.info.pop(UNTOLD, False):
            bus.publish(Hint(CHANNEL, "changed"))

    @event.listens_for(sessions, "after_rollback")
    def on_rollback(session: Session) -> None:
        session.info.pop(UNTOLD, None)


class Kept(Protocol):
    """What a process keeps of knowledge in its memory."""

    def refresh(self, session: Session) -> object:
        """Take in what changed."""
        ...


class Follower:
    """A thread that keeps what one process knows fresh, from its start on. ``close`` ends it."""

    def __init__(self, index: Kept, sessions: SessionFactory, bus: Bus, *others: Kept) -> None:
        self._kept, self._sessions, self._bus = (index, *others), sessions, bus
        self._closing = threading.Event()
        self._well = True
        self._thread = threading.Thread(target=self._run, name="knowledge", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._listen()
            except Unavailable:
                self._refresh()
                self._closing.wait(ASK_EVERY_S)

    def _listen(self) -> None:
        """Refresh at every hint, and once when listening begins: what changed before went unheard."""
        with self._bus.subscribe(CHANNEL) as hints:
            idle_s = WARM_EVERY_S
            while not self._closing.is_set():
                heard = next(iter(hints.hints(LOOK_UP_S)), None)
                idle_s += LOOK_UP_S
                if heard is not None or idle_s >= WARM_EVERY_S or not self._well:
                    self._refresh()
                    idle_s = 0.0

    def _refresh(self) -> None:
        try:
            with reading(self._sessions) as session:
                for kept in self._kept:
                    kept.refresh(session)
        except SQLAlchemyError as fault:
            if self._well:
                log.warning("knowledge not refreshed, the last state serves: %s", type(fault).__name__)
            self._well = False
        else:
            self._well = True
