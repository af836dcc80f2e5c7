"""Connects everything: places calls, keeps them, and gives documents what their verbs need."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any, Protocol

from .conferences import Conference, Conferences, Event
from .handsets import Recordings, checked_script
from .ids import WITHHELD, iso8601, masked, new_sid, now, rfc2822
from .leg import Callback, CallOver, Document, Leg
from .lines import Lines
from .media import Stream, dial_address
from .messages import Messages
from .prompts import Prompts
from .queues import CallQueue, Ticket
from .ringing import RING_LIMIT_S, Ringing
from .settings import Number, Settings
from .sound import RATE
from .telephones import Link
from .twiml.dial import answer_for
from .twiml.errors import TwimlError
from .twiml.run import Session
from .twiml.verbs import VERBS
from .webhooks import Webhooks

log = logging.getLogger(__name__)

STOP_S = 5.0
GOING_AWAY = 1001


class OpenLink(Link, Protocol):
    """A browser's socket, whose thread can be waited for."""

    def join(self, timeout: float) -> None:
        """Wait for its end, that many seconds at most."""


class Switchboard:
    """One running exchange without its HTTP side."""

    def __init__(self, settings: Settings) -> None:
        """Nothing runs yet. Raises ValueError for folders that cannot be read."""
        self.settings = settings
        self.lines = Lines()
        self.webhooks = Webhooks(settings.auth_token, settings.webhook_budget_s)
        self.prompts = Prompts(settings.prompts, settings.speak_speed)
        self.recordings = Recordings(settings.media_dirs, self.prompts)
        self.numbers: dict[str, Number] = dict(settings.numbers)
        self.number_sids = {number: new_sid("PN") for number in self.numbers}
        self.calls: OrderedDict[str, Leg] = OrderedDict()
        self.ringing = Ringing(self.lines, self.recordings, settings.line_grace_s)
        self.links: set[OpenLink] = set()
        """Sockets of browsers that are open; they end with the exchange."""
        self.conferences = Conferences(self._tell_of_conference)
        self.messages = Messages(
            settings.account_sid,
            self.lines.lock,
            self.webhooks,
            sms_url=lambda number: self.numbers[number].sms_url,
            reaches=lambda number: not self.ringing.rule_for(number).undeliverable,
            keep=settings.keep_messages,
        )
        self._queues: dict[str, CallQueue] = {}
        self._threads: set[threading.Thread] = set()
        self._stopping = False

    def start(self) -> None:
        """Let the clock and the callbacks run."""
        self.lines.start()
        self.webhooks.start()

    def stop(self) -> None:
        """End every call and every thread."""
        with self.lines.lock:
            self._stopping = True
            live = list(self.lines.legs.values())
            for leg in live:
                self.hang_up(leg)
            links = list(self.links)
            for link in links:
                link.end(GOING_AWAY)
        deadline = monotonic() + STOP_S
        for link in links:
            link.join(max(0.0, deadline - monotonic()))
        for thread in list(self._threads):
            thread.join(max(0.0, deadline - monotonic()))
        for leg in live:
            for stream in leg.streams:
                stream.join(max(0.0, deadline - monotonic()))
        self.lines.stop()
        self.webhooks.stop()

    def set_number(self, number: str, where: Number) -> None:
        """Give the application a number, or change where one of its numbers answers."""
        self.numbers[number] = where
        self.number_sids.setdefault(number, new_sid("PN"))

    # -- calls ------------------------------------------------------------------------------------------------------

    def dial_in(self, from_: str, to: str, script: Sequence[Mapping[str, Any]]) -> Leg:
        """A handset calls one of the application's numbers. Raises KeyError for another, ScriptError for the script."""
        number = self.numbers[to]
        checked_script(list(script), self.recordings)
        leg = Leg(
            self.lines.lock,
            account_sid=self.settings.account_sid,
            from_=WITHHELD.get(from_.lower(), from_),
            to=to,
            direction="inbound",
            callback=Callback(number.status_callback) if number.status_callback else None,
            fallback=Document(number.voice_fallback_url) if number.voice_fallback_url else None,
        )
        leg.number_sid = self.number_sids[to]
        self.ringing.hand_over(leg, script)
        leg.status = "ringing"
        self._take_up(leg, lambda: self._session(leg).live(Document(number.voice_url)))
        return leg

    def dial_out(
        self,
        to: str,
        from_: str,
        document: Document,
        *,
        timeout: float = RING_LIMIT_S,
        callback: Callback | None = None,
        fallback: Document | None = None,
    ) -> Leg:
        """The application calls a handset; the document runs once it has picked up."""
        leg = Leg(
            self.lines.lock,
            account_sid=self.settings.account_sid,
            from_=from_,
            to=to,
            direction="outbound-api",
            callback=callback,
            fallback=fallback,
        )
        leg.number_sid = self.number_sids.get(from_)
        self._take_up(leg, lambda: self._ring(leg, timeout, lambda: self._session(leg).live(document)))
        return leg

    def ring_for(
        self,
        parent: Leg,
        *,
        to: str,
        from_: str,
        timeout: float,
        callback: Callback | None,
        whisper: Document | None,
        ticket: Ticket,
    ) -> Leg:
        """`<Dial>` calls a handset for a leg; whoever picks up first takes the ticket."""
        leg = Leg(
            self.lines.lock,
            account_sid=self.settings.account_sid,
            from_=from_,
            to=to,
            direction="outbound-dial",
            callback=callback,
            parent=parent,
        )
        parent.timeline.add("dial", f"rings {to}", child=leg.sid)
        self._take_up(leg, lambda: self._ring(leg, timeout, lambda: answer_for(self._session(leg), ticket, whisper)))
        return leg

    def _session(self, leg: Leg) -> Session:
        return Session(leg, self, VERBS)

    def hang_up(self, leg: Leg) -> None:
        """End a call from outside; one that was never answered is canceled."""
        leg.finish("completed" if leg.answered else "canceled")

    def _take_up(self, leg: Leg, live: Callable[[], None]) -> None:
        leg.heard_limit = self.settings.heard_limit_s * RATE
        leg.on_status = self._on_status
        leg.timeline.add("status", leg.status)
        thread = threading.Thread(target=self._live, args=(leg, live), name=f"exchange-leg-{leg.sid}", daemon=True)
        with self.lines.lock:
            self.calls[leg.sid] = leg
            self.lines.legs[leg.sid] = leg
            self._threads.add(thread)
            self._forget_old()
        log.info("call %s %s %s -> %s", leg.sid, leg.direction, masked(leg.from_), masked(leg.to))
        thread.start()

    def _live(self, leg: Leg, live: Callable[[], None]) -> None:
        try:
            if self._stopping:
                self.hang_up(leg)
            live()
        except CallOver:
            log.debug("call %s is over", leg.sid)
        except Exception as fault:
            log.exception("call %s failed inside the exchange", leg.sid)
            leg.timeline.add("error", f"the exchange itself failed: {fault!r}")
        finally:
            leg.finish("completed" if leg.answered else "failed")
            with self.lines.lock:
                self._threads.discard(threading.current_thread())
                self.ringing.put_down(leg)

    def _ring(self, leg: Leg, timeout: float, then: Callable[[], None]) -> None:
        if self.ringing.until_answered(leg, timeout, lambda: self._on_status(leg, "initiated")):
            then()

    def opened(self, link: OpenLink) -> None:
        """A browser has connected; it will be told when the exchange ends, which may be at once."""
        with self.lines.lock:
            self.links.add(link)
            if self._stopping:
                link.end(GOING_AWAY)

    def closed(self, link: OpenLink) -> None:
        """That browser's socket is gone."""
        with self.lines.lock:
            self.links.discard(link)

    def _on_status(self, leg: Leg, event: str) -> None:
        """Tell the application, if it asked; tidy up after the end. Runs under the lock."""
        if leg.over:
            for stream in leg.streams:
                stream.stop()
            self.lines.legs.pop(leg.sid, None)
            self._forget_sound()
        self.ringing.telephones.on_status(leg, event)
        if leg.parent is not None:
            leg.parent.notify()
        callback = leg.callback
        if callback is None or event not in callback.events:
            return
        params = leg.params() | {
            "CallStatus": "initiated" if event == "initiated" else leg.status,
            "Timestamp": rfc2822(now()) or "",
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(leg.sequence),
        }
        leg.sequence += 1
        if leg.over:
            params["CallDuration"] = str(leg.duration_s())
        if leg.status == "completed":
            params["Duration"] = str(-(-leg.duration_s() // 60))
        self.webhooks.notify(leg.sid, callback.method, callback.url, params, leg.timeline)

    def _forget_old(self) -> None:
        for sid in [sid for sid, leg in self.calls.items() if leg.over][
            : max(0, len(self.calls) - self.settings.keep_calls)
        ]:
            del self.calls[sid]

    def _forget_sound(self) -> None:
        """Keep what legs heard within its limit, the oldest go first; the calls themselves stay."""
        kept = sum(len(leg.heard) for leg in self.calls.values())
        for leg in self.calls.values():
            if kept <= self.settings.keep_sound_bytes:
                return
            if leg.over:
                kept -= len(leg.heard)
                leg.heard = bytearray()

    # -- what verbs need --------------------------------------------------------------------------------------------

    def wake(self, sid: str) -> None:
        """Let one leg look again at what it waits for."""
        leg = self.lines.legs.get(sid)
        if leg is not None:
            leg.notify()

    def queue(self, name: str) -> CallQueue:
        """The queue of that name, made on demand. Call under the lock."""
        return self._queues.setdefault(name, CallQueue(name))

    def existing_queue(self, name: str) -> CallQueue | None:
        """The queue of that name if anybody ever waited in it."""
        return self._queues.get(name)

    def wake_all(self) -> None:
        """Let every leg look again; for changes that are rare and concern who knows whom."""
        with self.lines.lock:
            for leg in self.lines.legs.values():
                leg.notify()

    def open_stream(
        self,
        leg: Leg,
        *,
        url: str,
        name: str,
        track: str,
        parameters: Mapping[str, str],
        callback: tuple[str, str] | None,
    ) -> None:
        """Open a media stream for a leg; whatever fails is noted and the call goes on."""

        def report(stream: Stream, event: str, error: str) -> None:
            leg.timeline.add("stream", event, name=stream.name, sid=stream.sid)
            if callback is not None:
                params = {
                    "AccountSid": leg.account_sid,
                    "CallSid": leg.sid,
                    "StreamSid": stream.sid,
                    "StreamName": stream.name,
                    "StreamEvent": event,
                    "Timestamp": iso8601(now()),
                }
                if error:
                    params["StreamError"] = error
                self.webhooks.notify(leg.sid, callback[0], callback[1], params, leg.timeline)

        try:
            address = dial_address(url, self.settings.stream_insecure_hosts)
        except TwimlError as fault:
            leg.timeline.add("error", str(fault), code=fault.code, url=url)
            return
        stream = Stream(
            leg,
            url=url,
            address=address,
            signature=self.webhooks.signature(url, {}),
            name=name,
            track=track,
            parameters=parameters,
            report=report,
        )
        with leg.changed:
            leg.streams.append(stream)
        stream.start()

    def _tell_of_conference(self, conference: Conference, event: Event) -> None:
        params = conference.event_params(event, self.settings.account_sid)
        if event.subject is not None:
            event.subject.leg.timeline.add("conference", event.name, sid=conference.sid)
        callback = conference.callback
        if callback is not None and event.asked_as in callback.events:
            timeline = event.subject.leg.timeline if event.subject is not None else conference.timeline
            self.webhooks.notify(conference.sid, callback.method, callback.url, params, timeline)
