"""Which fields the provider documents for each of its webhooks and stream messages.

Each table names the page it was taken from, read in stored copies of the provider's documentation of 2024 to 2026.
``always`` is what the page promises without a condition, ``sometimes`` what it promises under one (a field that only
some numbers, events or settings bring). ``seen`` is on no page that could be looked up: it stands in requests of the
real service that others have published, and an application must not need it.

Two pages could be read in part only: of ``<Dial>``'s action the table as of 2015 (``DialBridged`` came later and is
known from such requests), and of what that action is told after ``<Queue>`` none at all. No page promises the
geography of ``Caller`` and ``Called`` since the one of 2008.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

DOCS = "https://www.twilio.com/docs"


@dataclass(frozen=True)
class Fields:
    """What one kind of request may and must carry."""

    source: str
    always: frozenset[str]
    sometimes: frozenset[str] = frozenset()
    seen: frozenset[str] = frozenset()
    by_event: dict[str, frozenset[str]] = field(default_factory=dict)
    """What is promised with a value of ``StatusCallbackEvent``, ``CallStatus``, ``StreamEvent`` or ``MessageStatus``
    and with no other than those it stands under."""

    def faults(self, sent: Collection[str], event: str = "") -> list[str]:
        """What is missing in, and what is foreign to, a request with these fields that tells of ``event``."""
        due = self.always | self.by_event.get(event, frozenset())
        misplaced = frozenset[str]().union(*self.by_event.values()) - due
        known = due | self.sometimes | self.seen
        return [
            *(f"{name} is missing" for name in sorted(due - set(sent))),
            *(f"{name} is not sent with {event}" for name in sorted(misplaced & set(sent) - known)),
            *(f"{name} is on no page" for name in sorted(set(sent) - known - misplaced)),
        ]

    def plus(
        self,
        source: str,
        always: frozenset[str] = frozenset(),
        sometimes: frozenset[str] = frozenset(),
        seen: frozenset[str] = frozenset(),
        by_event: dict[str, frozenset[str]] | None = None,
    ) -> Fields:
        """A request that carries these beside all of this one."""
        return Fields(
            source, self.always | always, self.sometimes | sometimes, self.seen | seen, self.by_event | (by_event or {})
        )


def words(text: str) -> frozenset[str]:
    """Names with blanks between them."""
    return frozenset(text.split())


PLACES = ("City", "State", "Zip", "Country")

VOICE = Fields(
    f"{DOCS}/voice/twiml#request-parameters",
    always=words("CallSid AccountSid From To CallStatus ApiVersion Direction"),
    sometimes=words("ForwardedFrom CallerName ParentCallSid")
    | {f"{party}{place}" for party in ("From", "To") for place in PLACES},
    seen=words("Caller Called") | {f"{party}{place}" for party in ("Caller", "Called") for place in PLACES},
)
FALLBACK = VOICE.plus(f"{DOCS}/usage/security/availability-reliability", always=words("ErrorCode ErrorUrl"))
GATHERED = VOICE.plus(f"{DOCS}/voice/twiml/gather#action", always=words("Digits"), seen=words("FinishedOnKey"))
WAITING = VOICE.plus(
    f"{DOCS}/voice/twiml/enqueue#attributes-waiturl-parameters",
    always=words("QueuePosition QueueSid QueueTime AvgQueueTime CurrentQueueSize MaxQueueSize"),
)
LEFT_QUEUE = VOICE.plus(
    f"{DOCS}/voice/twiml/enqueue#attributes-action-parameters",
    always=words("QueueResult"),
    sometimes=words("QueueSid QueueTime"),
)
FETCHED = VOICE.plus(
    f"{DOCS}/voice/twiml/queue#attributes-url-parameters", always=words("QueueSid QueueTime DequeingCallSid")
)
DIALLED = VOICE.plus(
    f"{DOCS}/voice/twiml/dial#action",
    always=words("DialCallStatus DialCallSid"),
    sometimes=words("DialCallDuration RecordingUrl"),
    seen=words("DialBridged"),
)
AFTER_CONFERENCE = VOICE.plus(f"{DOCS}/voice/twiml/dial#action", words("DialCallStatus"), seen=words("DialBridged"))
AFTER_QUEUE = VOICE.plus(
    f"{DOCS}/voice/twiml/dial#action",
    always=words("DialCallStatus"),
    seen=words("DequeueResult DequeuedCallSid DequeuedCallQueueTime DequeuedCallDuration QueueSid"),
)
_CALL_ENDED = words("CallDuration")
CALL_PROGRESS = VOICE.plus(
    f"{DOCS}/voice/api/call-resource#statuscallback",
    always=words("Timestamp CallbackSource SequenceNumber"),
    sometimes=words("SipResponseCode RecordingUrl RecordingSid RecordingDuration StirStatus"),
    by_event={
        "completed": _CALL_ENDED | {"Duration"},
        **dict.fromkeys(("busy", "failed", "no-answer", "canceled"), _CALL_ENDED),
    },
)
_PARTICIPANT = words("CallSid Muted Hold Coaching EndConferenceOnExit StartConferenceOnEnter")
CONFERENCE = Fields(
    f"{DOCS}/voice/twiml/conference#attributes-statusCallback-parameters",
    always=words("ConferenceSid FriendlyName AccountSid SequenceNumber Timestamp StatusCallbackEvent"),
    sometimes=words("ParticipantLabel CallSidEndingConference ParticipantLabelEndingConference"),
    by_event={
        "conference-start": frozenset(),
        "conference-end": words("ReasonConferenceEnded Reason"),
        "participant-leave": _PARTICIPANT | words("ParticipantCallStatus ReasonParticipantLeft"),
        **{
            f"participant-{what}": _PARTICIPANT
            for what in ("join", "mute", "unmute", "hold", "unhold", "modify", "speech-start", "speech-stop")
        },
    },
)
REASONS_LEFT = words(
    "conference_ended_via_api moderator_ended_conference participant_updated_via_api participant_hung_up "
    "participant_add_failed"
)
REASONS_ENDED = words(
    "conference-ended-via-api last-participant-kicked last-participant-left "
    "participant-with-end-conference-on-exit-kicked participant-with-end-conference-on-exit-left"
)
QUEUE_RESULTS = words(
    "bridged bridging-in-process error hangup leave redirected redirected-from-bridged queue-full system-error"
)
STREAM = Fields(
    f"{DOCS}/voice/twiml/stream#statuscallback",
    always=words("AccountSid CallSid StreamSid StreamName StreamEvent Timestamp"),
    by_event={"stream-started": frozenset(), "stream-stopped": frozenset(), "stream-error": words("StreamError")},
)
MESSAGE_STATUS = Fields(
    f"{DOCS}/messaging/guides/track-outbound-message-status",
    always=words("AccountSid From MessageSid MessageStatus SmsSid SmsStatus"),
    sometimes=words("RawDlrDoneDate MessagingServiceSid"),
    seen=words("To ApiVersion"),
    by_event={"sent": frozenset(), **dict.fromkeys(("undelivered", "failed"), words("ErrorCode"))},
)
MESSAGE = Fields(
    f"{DOCS}/messaging/guides/webhook-request",
    always=words("MessageSid SmsSid SmsMessageSid AccountSid From To Body NumMedia NumSegments"),
    sometimes=words("MessagingServiceSid") | {f"{party}{place}" for party in ("From", "To") for place in PLACES},
    seen=words("SmsStatus ApiVersion"),
)

FRAMES = {
    "connected": words("event protocol version"),
    "start": words("event sequenceNumber start streamSid"),
    "media": words("event sequenceNumber media streamSid"),
    "stop": words("event sequenceNumber stop streamSid"),
    "dtmf": words("event sequenceNumber dtmf streamSid"),
    "mark": words("event sequenceNumber mark streamSid"),
}
"""Messages of a stream, from https://www.twilio.com/docs/voice/media-streams/websocket-messages."""
WITHIN = {
    "start": words("streamSid accountSid callSid tracks customParameters mediaFormat"),
    "media": words("track chunk timestamp payload"),
    "stop": words("accountSid callSid"),
    "dtmf": words("track digit"),
    "mark": words("name"),
}
"""What each of them holds under its own name."""
