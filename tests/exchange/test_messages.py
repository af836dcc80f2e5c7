"""Text messages, both ways."""

from __future__ import annotations

import requests

from exchange import Exchange

from .application import Application, until
from .conftest import CALLER, NUMBER, rest, rules


def inbox(exchange: Exchange, number: str) -> list[str]:
    answer = requests.get(f"{exchange.url}/lab/handsets/{number}/messages", timeout=5).json()
    return [message["body"] for message in answer["messages"]]


def write(exchange: Exchange, body: str) -> None:
    given = {"from": CALLER, "to": NUMBER, "body": body}
    assert requests.post(f"{exchange.url}/lab/messages", json=given, timeout=5).status_code == 201


def test_a_receipt_reaches_the_handset_and_each_step_is_told(exchange: Exchange, application: Application) -> None:
    sent = rest(
        exchange,
        "/Messages.json",
        To=CALLER,
        From=NUMBER,
        Body="您的诉求已受理。",
        StatusCallback=f"{application.url}/sms",
    ).json()
    assert sent["status"] == "queued"
    until(lambda: len(application.seen("/sms")) == 2, what="the steps after the first")
    told = [one.params for one in application.seen("/sms")]
    assert [one["MessageStatus"] for one in told] == ["sent", "delivered"]
    assert {one["MessageSid"] for one in told} == {sent["sid"]}
    assert inbox(exchange, CALLER) == ["您的诉求已受理。"]
    assert inbox(exchange, "+8619900005678") == []


def test_a_dead_number_is_told_as_undelivered(exchange: Exchange, application: Application) -> None:
    rules(exchange, {"address": CALLER, "undeliverable": True})
    rest(exchange, "/Messages.json", To=CALLER, From=NUMBER, Body="a", StatusCallback=f"{application.url}/sms")
    until(lambda: len(application.seen("/sms")) == 2, what="two steps")
    last = application.seen("/sms")[-1].params
    assert (last["MessageStatus"], last["ErrorCode"]) == ("undelivered", "30003")
    assert inbox(exchange, CALLER) == []


def test_a_citizen_writes_and_the_answer_comes_back(exchange: Exchange, application: Application) -> None:
    application.answer("/ivr/message", "<Message>感谢您的评价。</Message><Message><Body>再见。</Body></Message>")
    write(exchange, "满意")
    until(lambda: len(inbox(exchange, CALLER)) == 2, what="the answer")
    got = application.seen("/ivr/message")[0].params
    assert (got["Body"], got["From"], got["To"], got["SmsStatus"]) == ("满意", CALLER, NUMBER, "received")
    assert got["MessageSid"].startswith("SM")
    assert inbox(exchange, CALLER) == ["感谢您的评价。", "再见。"]


def test_an_answer_without_words_is_no_message(exchange: Exchange, application: Application) -> None:
    application.answer("/ivr/message", "")
    write(exchange, "满意")
    until(lambda: application.seen("/ivr/message"), what="the message")
    assert inbox(exchange, CALLER) == []


def test_long_texts_count_their_parts(exchange: Exchange) -> None:
    short = rest(exchange, "/Messages.json", To=CALLER, From=NUMBER, Body="好" * 70).json()
    long = rest(exchange, "/Messages.json", To=CALLER, From=NUMBER, Body="好" * 71).json()
    assert (short["num_segments"], long["num_segments"]) == ("1", "2")
