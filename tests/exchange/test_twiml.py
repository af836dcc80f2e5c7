"""The checker, without any call."""

from __future__ import annotations

import pytest

from exchange import TwimlError
from exchange.twiml import check, grammar
from exchange.twiml.verbs import VERBS


def document(inside: str) -> str:
    return f"<Response>{inside}</Response>"


def test_what_the_checker_lets_through_can_be_run() -> None:
    places = (
        grammar.CALL,
        grammar.QUEUE_WAIT,
        grammar.CONFERENCE_WAIT,
        grammar.WHISPER,
        grammar.QUEUE_WHISPER,
    )
    assert set().union(*(place.verbs for place in places)) == VERBS.keys()


def test_a_whole_document_is_understood() -> None:
    verbs = check(
        document(
            '<Say language="zh-CN" voice="Polly.Zhiyu">您好<break strength="weak"/>，请讲</Say>'
            '<Start><Stream url="wss://a.example/m"><Parameter name="a" value="b"/></Stream></Start>'
            '<Enqueue waitUrl="/w" action="/a" method="POST">12345</Enqueue>'
        )
    )
    assert [verb.name for verb in verbs] == ["Say", "Start", "Enqueue"]
    assert verbs[0].text == "您好，请讲"
    assert verbs[1].children[0].children[0].get("value") == "b"


@pytest.mark.parametrize(
    ("inside", "code", "names"),
    [
        ("<Sing/>", 12200, "<Sing>"),
        ('<Say volume="9">a</Say>', 12200, "'volume'"),
        ("<Say>a<Play>b</Play></Say>", 12200, "<Play>"),
        ("<Gather><Dial>+861</Dial></Gather>", 12200, "<Dial>"),
        ('<Pause length="long"/>', 12200, "length='long'"),
        ('<Redirect method="PUT">/a</Redirect>', 12200, "method='PUT'"),
        ("<Redirect/>", 12200, "<Redirect>"),
        ("<Dial/>", 12200, "<Dial>"),
        ("<Dial><Conference>a</Conference><Number>+8619900001234</Number></Dial>", 12200, "more than one"),
        ('<Dial><Conference muted="yes">a</Conference></Dial>', 12200, "muted='yes'"),
        ('<Dial><Conference statusCallbackEvent="join sneeze">a</Conference></Dial>', 12200, "sneeze"),
        ("<Start/>", 12200, "<Start>"),
        ('<Start><Stream url="https://a.example"/></Start>', 11100, "wss://"),
        ('<Start><Stream url="wss://a.example/?a=b"/></Start>', 11100, "<Parameter>"),
        ('<Start><Stream url="wss://a.example"><Parameter name="a"/></Stream></Start>', 12200, "'value'"),
        ("hello", 12200, "text outside"),
        ("<Leave/>" + "<!--" + "x" * 70000 + "-->", 11750, "larger"),
    ],
)
def test_a_fault_is_named(inside: str, code: int, names: str) -> None:
    with pytest.raises(TwimlError) as fault:
        check(document(inside))
    assert fault.value.code == code
    assert names in fault.value.message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 12100),
        ("<Response><Say>", 12100),
        ("<html/>", 12102),
        ('<!DOCTYPE a [<!ENTITY b "c">]><Response><Say>&b;</Say></Response>', 12100),
    ],
)
def test_what_is_no_document(text: str, code: int) -> None:
    with pytest.raises(TwimlError) as fault:
        check(text)
    assert fault.value.code == code
