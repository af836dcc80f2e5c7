"""The clock of the exchange: one thread moves every leg's sound by 20 ms, fifty times a second."""

from __future__ import annotations

import logging
import threading
from time import monotonic

from .leg import Leg
from .sound import TICK_S

log = logging.getLogger(__name__)

LOST_AFTER_S = 1.0
"""A machine that slept this long is not caught up with: its callers would hear a burst."""


class Lines:
    """All live legs and the one lock under which their state changes."""

    def __init__(self) -> None:
        """No legs; the clock stands."""
        self.lock = threading.RLock()
        self.legs: dict[str, Leg] = {}
        self.ticks = 0
        self.skipped = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="exchange-clock", daemon=True)

    def start(self) -> None:
        """Let the clock run."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the clock and wait for its thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        due = monotonic()
        while not self._stop.is_set():
            self.tick()
            due += TICK_S
            late = monotonic() - due
            if late > LOST_AFTER_S:
                self.skipped += int(late / TICK_S)
                due = monotonic()
            elif late < 0:
                self._stop.wait(-late)

    def tick(self) -> None:
        """20 ms: every handset speaks, every room is mixed, every ear and stream is served."""
        with self.lock:
            self.ticks += 1
            live = [leg for leg in self.legs.values() if leg.answered is not None and not leg.over]
            spoken = {leg.sid: self._listen(leg) for leg in live}
            for leg in live:
                room = leg.room
                leg.carry(spoken[leg.sid], room.heard_by(leg.sid, spoken) if room is not None else None)

    @staticmethod
    def _listen(leg: Leg) -> bytes | None:
        """One handset's frame; a fault in its script ends that call, not the clock of all the others."""
        try:
            return leg.speak()
        except Exception as fault:
            log.exception("the handset of %s failed", leg.sid)
            leg.timeline.add("error", f"the handset failed: {fault}")
            leg.finish()
            return None
