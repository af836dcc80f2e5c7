"""The part of TwiML the exchange speaks, as tables: verbs, their attributes, what may stand inside what.

Attributes the provider knows but that change nothing here (voices, recording, jitter buffers) are allowed, so that one
document serves both; an attribute neither knows is an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shape:
    """What one element may carry: attribute names, child elements, and whether text counts."""

    attributes: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()
    text: bool = False
    text_required: bool = False
    required: frozenset[str] = frozenset()
    whole: frozenset[str] = field(default=frozenset())
    """Attributes that must be whole numbers of at least 0."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


SSML = _names("break emphasis lang p phoneme prosody s say-as sub w mark amazon:effect")
_CALLBACK = "statusCallback statusCallbackMethod statusCallbackEvent"
_RECORD = "recordingStatusCallback recordingStatusCallbackMethod recordingStatusCallbackEvent recordingTrack trim"
_LEG = f"url method {_CALLBACK} machineDetection machineDetectionTimeout byoc amdStatusCallback amdStatusCallbackMethod"

SHAPES: dict[str, Shape] = {
    "Say": Shape(_names("voice language loop"), SSML, text=True, whole=_names("loop")),
    "Play": Shape(_names("loop digits"), text=True, whole=_names("loop")),
    "Pause": Shape(_names("length"), whole=_names("length")),
    "Gather": Shape(
        _names(
            "action method input timeout speechTimeout maxSpeechTime profanityFilter finishOnKey numDigits minDigits "
            "partialResultCallback partialResultCallbackMethod language hints bargeIn debug actionOnEmptyResult "
            "speechModel enhanced"
        ),
        _names("Say Play Pause"),
        whole=_names("timeout numDigits"),
    ),
    "Enqueue": Shape(
        _names("action method maxQueueSize waitUrl waitUrlMethod workflowSid"),
        text=True,
        text_required=True,
        whole=_names("maxQueueSize"),
    ),
    "Leave": Shape(),
    "Redirect": Shape(_names("method"), text=True, text_required=True),
    "Hangup": Shape(),
    "Reject": Shape(_names("reason")),
    "Dial": Shape(
        _names(
            "action method timeout hangupOnStar timeLimit callerId record ringTone answerOnBridge sequential "
            f"referUrl referMethod events {_RECORD}"
        ),
        _names("Number Client Conference Queue"),
        text=True,
        whole=_names("timeout timeLimit"),
    ),
    "Number": Shape(_names(f"sendDigits phoneNumberSid {_LEG}"), text=True, text_required=True),
    "Client": Shape(_names(_LEG), _names("Identity Parameter"), text=True),
    "Identity": Shape(text=True, text_required=True),
    "Conference": Shape(
        _names(
            "muted beep startConferenceOnEnter endConferenceOnExit participantLabel jitterBufferSize waitUrl "
            f"waitMethod maxParticipants record region coach eventCallbackUrl {_CALLBACK} {_RECORD}"
        ),
        text=True,
        text_required=True,
        whole=_names("maxParticipants"),
    ),
    "Queue": Shape(_names("url method reservationSid postWorkActivitySid"), text=True, text_required=True),
    "Start": Shape(_names("action method"), _names("Stream")),
    "Stop": Shape(children=_names("Stream")),
    "Stream": Shape(_names("name connectorName url track statusCallback statusCallbackMethod"), _names("Parameter")),
    "Parameter": Shape(_names("name value"), required=_names("name value")),
}

VOICE = _names("Say Play Pause Gather Enqueue Leave Redirect Dial Start Stop Hangup Reject")
"""Verbs that may stand directly under `<Response>` of a call."""

MESSAGING = {
    "Message": Shape(_names("to from action method statusCallback"), _names("Body Media"), text=True),
    "Body": Shape(text=True),
    "Media": Shape(text=True),
    "Redirect": Shape(_names("method"), text=True, text_required=True),
}
"""Verbs of an answer to an incoming message."""

CHOICES: dict[tuple[str, str], frozenset[str]] = {
    ("Reject", "reason"): _names("rejected busy"),
    ("Stream", "track"): _names("inbound_track outbound_track both_tracks"),
    ("Gather", "actionOnEmptyResult"): _names("true false"),
    ("Conference", "muted"): _names("true false"),
    ("Conference", "startConferenceOnEnter"): _names("true false"),
    ("Conference", "endConferenceOnExit"): _names("true false"),
    ("Conference", "beep"): _names("true false onEnter onExit"),
    ("Dial", "hangupOnStar"): _names("true false"),
    ("Dial", "answerOnBridge"): _names("true false"),
}
"""Attribute values that are one of a few words."""

EVENTS: dict[str, frozenset[str]] = {
    "Conference": _names("start end join leave mute hold modify speaker announcement"),
    "Number": _names("initiated ringing answered completed"),
    "Client": _names("initiated ringing answered completed"),
}
"""Words allowed in `statusCallbackEvent`."""


@dataclass(frozen=True)
class Place:
    """Where a document is executed, which decides the verbs it may hold and the error number if it holds others."""

    name: str
    verbs: frozenset[str]
    code: int


CALL = Place("a call", VOICE, 12200)
QUEUE_WAIT = Place("the waitUrl of <Enqueue>", _names("Say Play Pause Gather Redirect Leave Hangup"), 12200)
CONFERENCE_WAIT = Place("the waitUrl of <Conference>", _names("Say Play Pause Redirect"), 13238)
WHISPER = Place("the url of <Number> or <Client>", _names("Say Play Pause Gather Redirect Hangup"), 12200)
QUEUE_WHISPER = Place("the url of <Queue>", _names("Say Play Pause Redirect"), 12200)
