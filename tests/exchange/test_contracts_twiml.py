"""Every document the hotline answers with: the exchange's checker and the provider's own classes know all of it."""

from __future__ import annotations

import inspect
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from twilio.twiml import TwiML
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import VoiceResponse

from exchange.twiml import TwimlError, check, check_message, grammar
from hotline.calls.links import Links
from hotline.calls.queries import WaitFacts
from hotline.web import twiml

LINKS = Links("https://hotline.example")
SOUND = twiml.Sound("wss://hotline.example/media/stream", "token")
WORDS = {"expected", "room_of"}  # sentences and names, no documents
NO_PLACE = "an answer to an SMS"

# each function's answers, in every form it takes, and where the carrier reads them
DOCUMENTS: dict[str, tuple[grammar.Place | str, list[str]]] = {
    "greeting": (grammar.CALL, [twiml.greeting(twiml.GREETING, SOUND, LINKS)]),
    "queue": (grammar.CALL, [twiml.queue(SOUND, LINKS)]),
    "apology": (grammar.CALL, [twiml.apology(LINKS)]),
    "waiting": (
        grammar.QUEUE_WAIT,
        [
            twiml.waiting(WaitFacts(ahead, expected_s, ringing=False), LINKS, turn=turn, told=-1, quiet=quiet)
            for ahead, expected_s, turn, quiet in ((0, None, 0, 0), (2, 90, 0, 0), (7, 7200, 3, 9), (0, 30, 5, 1))
        ],
    ),
    "key_in_queue": (grammar.QUEUE_WAIT, [twiml.key_in_queue(key, LINKS) for key in "05"]),
    "hold": (grammar.QUEUE_WAIT, [twiml.hold(LINKS)]),
    "join_caller": (grammar.CALL, [twiml.join_caller(7, sound, LINKS) for sound in (SOUND, None)]),
    "join_operator": (grammar.CALL, [twiml.join_operator(7, SOUND, LINKS)]),
    "thanks": (grammar.CALL, [twiml.thanks(ordered=ordered) for ordered in (True, False)]),
    "farewell": (grammar.CALL, [twiml.farewell(twiml.GOODBYE)]),
    "hang_up": (grammar.CALL, [twiml.hang_up()]),
    "nothing": (grammar.CALL, [twiml.nothing()]),
    "ask_rating": (
        grammar.CALL,
        [twiml.ask_rating(LINKS.key("rating"), wrong_before=wrong) for wrong in (True, False)],
    ),
    "ask_key": (
        grammar.CALL,
        [twiml.ask_key(LINKS.unit_keyed(2), ["请按键。", "再说一遍。"], digits=digits) for digits in (1, 14)],
    ),
    "redirect": (grammar.CALL, [twiml.redirect(LINKS.key("greeting"))]),
    "meet": (grammar.CALL, [twiml.meet("callback-3", sentence) for sentence in (twiml.CALLBACK_PERSON, "")]),
    "message": (NO_PLACE, [twiml.message(twiml.SMS_THANKS)]),
}
EACH = [(name, place, xml) for name, (place, answers) in DOCUMENTS.items() for xml in answers]


def test_every_function_that_writes_a_document_is_in_the_table() -> None:
    written = {
        name
        for name, function in inspect.getmembers(twiml, inspect.isroutine)
        if function.__module__ == twiml.__name__ and not name.startswith("_")
    }
    assert written - WORDS == DOCUMENTS.keys()
    assert written >= WORDS


@pytest.mark.parametrize(("name", "place", "xml"), EACH, ids=[name for name, _, _ in EACH])
def test_the_checker_lets_every_document_through(name: str, place: grammar.Place | str, xml: str) -> None:
    if isinstance(place, grammar.Place):
        check(xml, place)
    else:
        check_message(xml)


@pytest.mark.parametrize(("name", "place", "xml"), EACH, ids=[name for name, _, _ in EACH])
def test_the_providers_classes_have_every_element_and_attribute(
    name: str, place: grammar.Place | str, xml: str
) -> None:
    document = VoiceResponse() if isinstance(place, grammar.Place) else MessagingResponse()
    for element in ElementTree.fromstring(xml):
        _rebuild(document, element)
    assert ElementTree.canonicalize(str(document)) == ElementTree.canonicalize(xml)


def _rebuild(parent: TwiML, element: ElementTree.Element) -> None:
    """Write the element through the provider's method for it, which must name each attribute."""
    method = getattr(parent, _snake(element.tag))
    named = [name for name, one in inspect.signature(method).parameters.items() if one.kind is not one.VAR_KEYWORD]
    values: dict[str, Any] = {_snake(name): value for name, value in element.attrib.items()}
    assert values.keys() <= set(named), f"<{element.tag}> has attributes its class does not name"
    if element.text and element.text.strip():
        values[named[0]] = element.text
    made = method(**values)
    for child in element:
        _rebuild(made, child)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def test_what_neither_knows_is_noticed() -> None:
    strange = ElementTree.fromstring('<Say volume="9">您好</Say>')
    with pytest.raises(AssertionError):
        _rebuild(VoiceResponse(), strange)
    with pytest.raises(TwimlError):
        check('<Response><Say volume="9">您好</Say></Response>')
