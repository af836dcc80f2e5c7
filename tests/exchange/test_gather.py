"""Keys: how many, how long, which one ends, and that the first one cuts what is being said."""

from __future__ import annotations

from typing import Any

from exchange import Exchange

from .application import Application
from .conftest import call, ended

LONG = "请输入您的工单号码" * 20


GATHERED = {
    "+8619900000001": ('numDigits="1"', "7", "7", ""),
    "+8619900000002": ('numDigits="3"', "123", "123", ""),
    "+8619900000003": ("", "42#", "42", "#"),
    "+8619900000004": ('finishOnKey="*"', "42*", "42", "*"),
    "+8619900000005": ('finishOnKey="" numDigits="2"', "4#", "4#", ""),
    "+8619900000006": ('numDigits="4"', "12", "12", ""),
}
"""By caller: how the keys are asked for, what is pressed, and the digits and finishing key that must arrive."""


def test_keys_reach_the_action(exchange: Exchange, application: Application) -> None:
    def voice(params: dict[str, str]) -> str:
        return f'<Gather {GATHERED[params["From"]][0]} timeout="1" action="/digits"/><Say>没有按键</Say>'

    application.answer("/ivr/voice", voice)
    legs = [
        call(exchange, {"wait_for": "digits_prompt"}, {"press": keys}, from_=caller)
        for caller, (_, keys, _, _) in GATHERED.items()
    ]
    for leg in legs:
        ended(leg)
    got = {one.params["From"]: one.params for one in application.seen("/digits")}
    for caller, (_, _, digits, finished_by) in GATHERED.items():
        assert (caller, got[caller]["Digits"], got[caller]["FinishedOnKey"]) == (caller, digits, finished_by)


def test_the_first_key_cuts_the_prompt(exchange: Exchange, application: Application) -> None:
    application.answer(
        "/ivr/voice", f'<Gather numDigits="1" action="/digits"><Say>{LONG}</Say><Say>不该听到</Say></Gather>'
    )
    citizen = ended(call(exchange, {"wait_for": "请输入"}, {"press": "1"}))
    assert application.seen("/digits")[0].params["Digits"] == "1"
    assert citizen.timeline.texts("caption") == [LONG]
    assert len(citizen.heard) < 8000 * 2, "the prompt was not played to its end"


def test_nothing_pressed_falls_through(exchange: Exchange, application: Application) -> None:
    application.answer("/ivr/voice", '<Gather timeout="1" action="/digits"/><Say>没有按键</Say>')
    citizen = ended(call(exchange))
    assert application.seen("/digits") == []
    assert citizen.timeline.texts("caption") == ["没有按键"]


def test_nothing_pressed_reaches_the_action_if_it_asks_for_that(exchange: Exchange, application: Application) -> None:
    application.answer("/ivr/voice", '<Gather timeout="1" action="/digits" actionOnEmptyResult="true"/>')
    ended(call(exchange))
    assert application.seen("/digits")[0].params["Digits"] == ""


def test_without_an_action_the_same_document_is_asked_again(exchange: Exchange, application: Application) -> None:
    def voice(params: dict[str, Any]) -> str:
        return "<Hangup/>" if "Digits" in params else '<Gather numDigits="1" timeout="2"/>'

    application.answer("/ivr/voice", voice)
    ended(call(exchange, {"wait_for": "digits_prompt"}, {"press": "5"}))
    assert [one.params.get("Digits") for one in application.seen("/ivr/voice")] == [None, "5"]


def test_keys_before_the_gather_do_not_count(exchange: Exchange, application: Application) -> None:
    application.answer(
        "/ivr/voice", f'<Say>{LONG[:20]}</Say><Gather numDigits="1" timeout="1" action="/digits"/><Hangup/>'
    )
    ended(call(exchange, {"wait_for": "请输入"}, {"press": "9"}))
    assert application.seen("/digits") == []
