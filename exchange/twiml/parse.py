"""From an answer's bytes to checked verbs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from . import grammar
from .errors import INVALID_URL, NOT_XML, SCHEMA, TOO_LARGE, WRONG_ROOT, TwimlError

SIZE_LIMIT = 64 * 1024


@dataclass(frozen=True)
class Verb:
    """One element: its name, attributes as written, text without outer space, and elements inside."""

    name: str
    attributes: Mapping[str, str]
    text: str = ""
    children: tuple[Verb, ...] = ()

    def get(self, attribute: str, default: str = "") -> str:
        """An attribute's value as written."""
        return self.attributes.get(attribute, default)

    def flag(self, attribute: str, default: bool) -> bool:
        """An attribute that is `true` or `false`."""
        return self.get(attribute, "true" if default else "false") == "true"


def check(xml: str | bytes, place: grammar.Place = grammar.CALL) -> list[Verb]:
    """The verbs of a voice document in order. Raises TwimlError, whose message names the element at fault."""
    verbs = _verbs(xml, grammar.SHAPES, grammar.VOICE)
    for verb in verbs:
        if verb.name not in place.verbs:
            raise TwimlError(place.code, f"<{verb.name}> is not allowed in {place.name}")
    return verbs


def check_message(xml: str | bytes) -> list[Verb]:
    """The verbs of an answer to an incoming message. Raises TwimlError."""
    return _verbs(xml, grammar.MESSAGING, frozenset({"Message", "Redirect"}))


def _verbs(xml: str | bytes, shapes: Mapping[str, grammar.Shape], top: frozenset[str]) -> list[Verb]:
    data = xml.encode() if isinstance(xml, str) else xml
    if len(data) > SIZE_LIMIT:
        raise TwimlError(TOO_LARGE, f"the document is larger than {SIZE_LIMIT} bytes")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise TwimlError(NOT_XML, "a document type is not allowed")
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 - no document type, so no entity can expand
    except ElementTree.ParseError as fault:
        raise TwimlError(NOT_XML, f"not XML: {fault}") from fault
    if root.tag != "Response":
        raise TwimlError(WRONG_ROOT, f"the root element is <{root.tag}>, not <Response>")
    if _own_text(root):
        raise TwimlError(SCHEMA, "text outside a verb in <Response>")
    return [_verb(element, "Response", top, shapes) for element in root]


def _own_text(element: ElementTree.Element) -> str:
    return "".join([element.text or "", *(child.tail or "" for child in element)]).strip()


def _verb(
    element: ElementTree.Element, parent: str, allowed: frozenset[str], shapes: Mapping[str, grammar.Shape]
) -> Verb:
    name = str(element.tag)
    if name not in allowed:
        known = "is not allowed" if name in shapes else "is an unknown verb"
        raise TwimlError(SCHEMA, f"<{name}> {known} in <{parent}>")
    shape = shapes[name]
    attributes = dict(element.attrib)
    for attribute in attributes:
        if attribute not in shape.attributes:
            raise TwimlError(SCHEMA, f"<{name}> has an unknown attribute {attribute!r}")
    for attribute in sorted(shape.required - attributes.keys()):
        raise TwimlError(SCHEMA, f"<{name}> lacks the attribute {attribute!r}")
    _check_values(name, attributes, shape)
    if name == "Say":
        return Verb(name, attributes, _spoken(element))
    text = _own_text(element)
    if text and not shape.text:
        raise TwimlError(SCHEMA, f"<{name}> holds text where none is allowed")
    if shape.text_required and not text:
        raise TwimlError(SCHEMA, f"<{name}> is empty")
    verb = Verb(name, attributes, text, tuple(_verb(child, name, shape.children, shapes) for child in element))
    _check_whole(verb)
    return verb


def _spoken(element: ElementTree.Element) -> str:
    """The words of `<Say>`, with the mark-up for voices taken out."""
    for child in element.iter():
        name = str(child.tag).rpartition("}")[2]
        if child is not element and name not in grammar.SSML:
            raise TwimlError(SCHEMA, f"<{name}> is not allowed in <Say>")
    return "".join(element.itertext()).strip()


def _check_values(name: str, attributes: Mapping[str, str], shape: grammar.Shape) -> None:
    for attribute, value in attributes.items():
        wrong = False
        if attribute in shape.whole:
            wrong = not value.isascii() or not value.isdigit()
        elif attribute.lower().endswith("method"):
            wrong = value.upper() not in {"GET", "POST"}
        elif attribute == "statusCallbackEvent" and name in grammar.EVENTS:
            wrong = not set(value.replace(",", " ").split()) <= grammar.EVENTS[name]
        elif (name, attribute) in grammar.CHOICES:
            wrong = value not in grammar.CHOICES[name, attribute]
        if wrong:
            raise TwimlError(SCHEMA, f"<{name}> has {attribute}={value!r}, which is not a value for it")


def _check_whole(verb: Verb) -> None:
    """What no single attribute tells."""
    inside = [child.name for child in verb.children]
    if verb.name == "Dial":
        if not inside and not verb.text:
            raise TwimlError(SCHEMA, "<Dial> calls nobody")
        if ("Conference" in inside or "Queue" in inside) and len(inside) > 1:
            raise TwimlError(SCHEMA, f"<Dial> holds more than one <{inside[0]}>")
    elif verb.name in {"Start", "Stop"} and len(inside) != 1:
        raise TwimlError(SCHEMA, f"<{verb.name}> must hold exactly one <Stream>")
    elif verb.name == "Client" and not verb.text and "Identity" not in inside:
        raise TwimlError(SCHEMA, "<Client> names nobody")
    elif verb.name == "Play" and not verb.text and not verb.get("digits"):
        raise TwimlError(SCHEMA, "<Play> is empty")
    if verb.name == "Start":
        url = verb.children[0].get("url")
        if not url.startswith(("wss://", "ws://")):
            raise TwimlError(INVALID_URL, f"<Stream> url {url!r} is not a wss:// address")
        if "?" in url:
            raise TwimlError(INVALID_URL, "<Stream> url takes no query string; use <Parameter>")
