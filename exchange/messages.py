"""Text messages: out of the application to handsets, and from handsets into the application."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .ids import new_sid, now
from .leg import API_VERSION
from .timeline import Timeline
from .twiml import TwimlError, check_message
from .webhooks import Webhooks

UNREACHABLE = 30003
WIDE_LENGTH, WIDE_PART = 70, 67
NARROW_LENGTH, NARROW_PART = 160, 153


def segments(body: str) -> int:
    """How many messages a network makes of this text."""
    alone, part = (NARROW_LENGTH, NARROW_PART) if body.isascii() else (WIDE_LENGTH, WIDE_PART)
    return 1 if len(body) <= alone else -(-len(body) // part)


@dataclass
class Message:
    """One message, either way."""

    from_: str
    to: str
    body: str
    direction: str
    status: str
    callback: str = ""
    sid: str = field(default_factory=lambda: new_sid("SM"))
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    sent: datetime | None = None
    error_code: int | None = None
    timeline: Timeline = field(default_factory=Timeline)

    def params(self, account_sid: str) -> dict[str, str]:
        """What every webhook about it carries."""
        return {
            "AccountSid": account_sid,
            "ApiVersion": API_VERSION,
            "MessageSid": self.sid,
            "SmsSid": self.sid,
            "From": self.from_,
            "To": self.to,
        }

    def as_json(self) -> dict[str, Any]:
        """The message as the lab's API shows it."""
        return {
            "sid": self.sid,
            "from": self.from_,
            "to": self.to,
            "body": self.body,
            "direction": self.direction,
            "status": self.status,
            "at": self.created.isoformat(),
        }


class Messages:
    """All messages, oldest first, up to a number."""

    def __init__(
        self,
        account_sid: str,
        lock: threading.RLock,
        webhooks: Webhooks,
        *,
        sms_url: Callable[[str], str],
        reaches: Callable[[str], bool],
        keep: int,
    ) -> None:
        """`sms_url(number)` is where the application takes messages to its number (empty: nowhere), `reaches(number)`
        whether messages arrive at that handset, `keep` how many are kept. The lock is the exchange's."""
        self._account_sid, self._lock, self._webhooks = account_sid, lock, webhooks
        self._sms_url, self._reaches = sms_url, reaches
        self._all: deque[Message] = deque(maxlen=keep)

    def all(self) -> list[Message]:
        """Oldest first."""
        with self._lock:
            return list(self._all)

    def get(self, sid: str) -> Message | None:
        """One by identifier."""
        return next((message for message in self.all() if message.sid == sid), None)

    def received_by(self, number: str) -> list[Message]:
        """What a handset has got, oldest first."""
        return [message for message in self.all() if message.to == number and message.status == "delivered"]

    def send(self, from_: str, to: str, body: str, callback: str, direction: str = "outbound-api") -> Message:
        """From the application to a handset; each later step is told to the callback address."""
        message = Message(from_, to, body, direction, "queued", callback)
        with self._lock:
            self._all.append(message)
        self._move(message, "sent")  # of the first status, queued, the answer to the request tells
        if self._reaches(to):
            self._move(message, "delivered")
        else:
            message.error_code = UNREACHABLE
            self._move(message, "undelivered")
        return message

    def receive(self, from_: str, to: str, body: str) -> Message:
        """From a handset to one of the application's numbers; its answer may send messages back."""
        message = Message(from_, to, body, "inbound", "received", sent=now())
        with self._lock:
            self._all.append(message)
        url = self._sms_url(to)
        params = message.params(self._account_sid) | {
            "SmsMessageSid": message.sid,
            "SmsStatus": "received",
            "Body": body,
            "NumMedia": "0",
            "NumSegments": str(segments(body)),
        }
        if not url:
            message.timeline.add("error", f"no address for messages to {to}")
            return message
        self._webhooks.put(message.sid, lambda: self._ask(message, url, params))
        return message

    def _ask(self, message: Message, url: str, params: dict[str, str]) -> None:
        try:
            answer = self._webhooks.send("POST", url, params, message.timeline)
            verbs = check_message(answer.body) if answer.body.strip() else []
        except TwimlError as fault:
            message.timeline.add("error", str(fault), code=fault.code)
            return
        for verb in verbs:
            if verb.name == "Message":
                body = verb.text or "".join(child.text for child in verb.children if child.name == "Body")
                to, from_ = verb.get("to", message.from_), verb.get("from", message.to)
                self.send(from_, to, body, verb.get("statusCallback"), "outbound-reply")
            else:
                self._ask(message, verb.text, params)

    def _move(self, message: Message, status: str) -> None:
        message.status = status
        message.updated = now()
        if status == "sent":
            message.sent = message.updated
        self._tell(message, status)

    def _tell(self, message: Message, status: str) -> None:
        if message.callback:
            params = message.params(self._account_sid) | {"MessageStatus": status, "SmsStatus": status}
            if message.error_code is not None:
                params["ErrorCode"] = str(message.error_code)
            self._webhooks.notify(message.sid, "POST", message.callback, params, message.timeline)
