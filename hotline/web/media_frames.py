"""Media Streams messages as Twilio documents them (https://www.twilio.com/docs/voice/media-streams/websocket-messages)."""

from __future__ import annotations

import binascii
import json
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

ENCODING: Final = "audio/x-mulaw"
SAMPLE_RATE: Final = 8000


class BadFrame(Exception):
    """A message that is not what it should be. ``kind`` is one short word, for the counters."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Start:
    """The stream begins. ``parameters`` are those of the TwiML."""

    sequence: int
    stream_sid: str
    parameters: dict[str, str]
    is_telephone_sound: bool


class Media(NamedTuple):  # fifty a second and leg: a tuple costs a third of a frozen dataclass
    """20 ms of mu-law sound of one track."""

    sequence: int
    track: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Other:
    """``connected``, ``dtmf`` or ``mark``: nothing to hear. ``sequence`` is 0 where the message has none."""

    event: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Stop:
    """The stream ends: the caller hung up or the TwiML stopped it."""

    sequence: int


Message = Start | Media | Other | Stop


def parse(message: bytes) -> Message:
    """Return what a message says. Numbers in it are strings. Raises ``BadFrame``: json, shape, base64 or event."""
    try:
        frame = json.loads(message.decode())  # given bytes, json would first guess their encoding
        event = frame["event"]
        if event == "media":
            media = frame["media"]
            payload = binascii.a2b_base64(media["payload"], strict_mode=True)
            return Media(int(frame["sequenceNumber"]), media["track"], payload)
        return _parse_rare(event, frame)
    except binascii.Error as fault:  # the most particular ValueError first
        raise BadFrame("base64") from fault
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise BadFrame("json") from fault
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as fault:
        raise BadFrame("shape") from fault


def _parse_rare(event: str, frame: dict[str, Any]) -> Message:
    match event:
        case "start":
            start = frame["start"]
            form = start["mediaFormat"]
            known = form["encoding"] == ENCODING and int(form["sampleRate"]) == SAMPLE_RATE
            parameters = {str(name): str(value) for name, value in start.get("customParameters", {}).items()}
            return Start(int(frame["sequenceNumber"]), str(frame["streamSid"]), parameters, known)
        case "stop":
            return Stop(int(frame["sequenceNumber"]))
        case "connected" | "dtmf" | "mark":
            return Other(event, int(frame.get("sequenceNumber", 0)))
        case _:
            raise BadFrame("event")
