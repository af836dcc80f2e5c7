"""The provider's client and the exchange through a proxy that holds both to the provider's own description."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from exchange import Exchange
from exchange.server import create_app
from hotline.config import Settings
from hotline.telephony.base import CarrierRefused, Telephony
from hotline.telephony.twilio import TwilioTelephony

from .application import ACCOUNT, TOKEN, Application, until
from .conftest import CALLER, NUMBER, rest, rules
from .contract_proxy import ContractProxy, contract_proxy
from .openapi import answer_faults, contract, request_faults
from .test_rest import WAITING, LocalClient

ASKS_NO_NETWORK = {"headset_pass"}
OTHER = "+8619900005678"
BASE = f"/2010-04-01/Accounts/{ACCOUNT}"
CALL = "/Calls/CA" + "0" * 32 + ".json"


@pytest.fixture
def proxy(exchange: Exchange) -> Iterator[ContractProxy]:
    """Between the client and the exchange; at the end nothing was wrong with what passed."""
    with contract_proxy(exchange.url) as proxy:
        yield proxy
    assert proxy.faults == []


class Watched:
    """The hotline's adapter; ``asked`` is what each of its verbs asked the carrier."""

    def __init__(self, adapter: Telephony, proxy: ContractProxy) -> None:
        self._adapter, self._proxy = adapter, proxy
        self.asked: dict[str, set[str]] = {}

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        act = getattr(self._adapter, verb)

        def watched(*args: Any, **named: Any) -> Any:
            before = len(self._proxy.passed)
            try:
                return act(*args, **named)
            finally:
                done = self._proxy.passed[before:]
                self.asked.setdefault(verb, set()).update(f"{one.method} {one.described}" for one in done)

        return watched


@pytest.fixture
def carrier(proxy: ContractProxy) -> Watched:
    """The hotline's adapter before the proxy."""
    settings = Settings(
        public_url="https://hotline.example",
        database_url="sqlite://",
        secret_key="k" * 40,
        data_keys=(("t1", b"0" * 32),),
        twilio_account_sid=ACCOUNT,
        twilio_auth_token=TOKEN,
        twilio_api_url=proxy.url,
    )
    return Watched(TwilioTelephony(settings), proxy)


def test_every_verb_of_the_port_keeps_to_the_description_both_ways(
    exchange: Exchange, application: Application, carrier: Watched
) -> None:
    application.answer("/operator", '<Dial><Conference beep="false">call-1</Conference></Dial>')
    application.answer("/elsewhere", '<Pause length="60"/>')
    rules(exchange, {"address": "*", "answer_after_s": 0})
    at, status_url = f"{application.url}/operator", f"{application.url}/status"

    line = carrier.dial(to="client:seat07", caller_id=NUMBER, url=at, status_url=status_url, timeout_s=30)
    leg = exchange.board.calls[line]
    until(lambda: leg.room is not None, what="the operator in the room")
    for on in (True, False):
        carrier.hold(line, "call-1", on=on)
        assert carrier.is_held(line, "call-1") is on
    assert not carrier.is_held(line, "call-2")
    carrier.redirect(line, f"{application.url}/elsewhere")
    until(lambda: application.seen("/elsewhere"), what="the other document")
    carrier.hang_up(line)
    until(lambda: leg.over, what="the end of the call")
    carrier.hang_up(line)
    with pytest.raises(CarrierRefused):
        carrier.redirect(line, at)

    sent = carrier.send_message(to=OTHER, sender=NUMBER, body="已受理", status_url=status_url)
    assert carrier.find_message(to=OTHER, body="已受理") == sent
    with pytest.raises(CarrierRefused):
        carrier.send_message(to=OTHER, sender="961890", body="已受理", status_url=status_url)
    carrier.headset_pass("seat07")

    port = {name for name, _ in inspect.getmembers(Telephony, inspect.isfunction) if not name.startswith("_")}
    assert carrier.asked.keys() == port, "a verb of the port that this story does not tell"
    assert {verb for verb, asked in carrier.asked.items() if not asked} == ASKS_NO_NETWORK


def test_all_the_exchange_answers_is_described_and_the_providers_client_understands_it(
    exchange: Exchange, proxy: ContractProxy
) -> None:
    rules(exchange, {"address": "*", "answer_after_s": 0})
    client = Client(ACCOUNT, TOKEN, http_client=LocalClient(proxy.url))

    made = client.calls.create(
        to=OTHER, from_=NUMBER, twiml=WAITING, status_callback_event=["initiated", "answered"], timeout=20
    )
    until(lambda: client.calls(made.sid).fetch().status == "in-progress", what="an answer")
    assert client.calls.list(to=OTHER, limit=1)[0].sid == made.sid
    client.calls(made.sid).update(twiml=WAITING)
    assert client.calls(made.sid).update(status="completed").status == "completed"
    assert client.calls(made.sid).delete()

    people = client.conferences("room").participants
    first, second = (people.create(from_=NUMBER, to=to, label=to[-1], beep="false") for to in ("client:a", "client:b"))
    conference = exchange.board.conferences.get(first.conference_sid)
    assert conference is not None
    until(lambda: len(conference.members) == 2, what="both in")
    people = client.conferences(conference.sid).participants
    assert people(first.call_sid).update(hold=True).hold
    assert people(first.call_sid).update(muted=True).muted
    assert people(second.call_sid).update(coaching=True, call_sid_to_coach=first.call_sid).coaching
    assert people(first.call_sid).fetch().hold
    assert {one.call_sid for one in people.list()} == {first.call_sid, second.call_sid}
    assert [one.call_sid for one in people.list(hold=True)] == [first.call_sid]
    assert people(second.call_sid).delete()
    assert [one.sid for one in client.conferences.list(friendly_name="room", status="in-progress")] == [conference.sid]
    assert client.conferences(conference.sid).fetch().status == "in-progress"
    client.conferences(conference.sid).update(status="completed")
    assert client.conferences(conference.sid).fetch().reason_conference_ended == "conference-ended-via-api"

    sent = client.messages.create(to=CALLER, from_=NUMBER, body="已受理")
    client.messages.create(to=CALLER, from_=NUMBER, body="已办结")
    assert [one.body for one in client.messages.list(to=CALLER, page_size=1)] == ["已办结", "已受理"]
    assert client.messages(sent.sid).fetch().body == "已受理"
    with pytest.raises(TwilioRestException) as refused:
        client.messages("SM" + "0" * 32).fetch()
    assert refused.value.code == 20404

    assert {(method, _shape(path)) for method, path in proxy.operations()} == offered(exchange)


def offered(exchange: Exchange) -> set[tuple[str, str]]:
    """The exchange's REST API: methods and shapes of paths."""
    rules = [rule for rule in create_app(exchange.board).url_map.iter_rules() if rule.rule.startswith("/2010-04-01/")]
    methods = {"GET", "POST", "PUT", "PATCH", "DELETE"}
    return {(method, _shape(rule.rule)) for rule in rules for method in methods & (rule.methods or set())}


def _shape(path: str) -> str:
    return re.sub(r"<[^>]*>|{[^}]*}", "…", path)


CALLED = {"To": ["client:seat07"], "From": [NUMBER]}
WRONG_REQUESTS: list[tuple[str, str, dict[str, list[str]], str]] = [
    ("GET", "/Telephones.json", {}, "is not described"),
    ("DELETE", "/Messages.json", {}, "is not described"),
    ("GET", "/Calls/CA00.json", {}, "path.Sid"),
    ("POST", "/Calls.json", CALLED | {"Colour": ["red"]}, "form has Colour"),
    ("POST", "/Calls.json", {"To": ["client:seat07"]}, "form lacks From"),
    ("POST", "/Calls.json", CALLED | {"Timeout": ["soon"]}, "form.Timeout"),
    ("POST", "/Calls.json", CALLED | {"Url": ["here"]}, "form.Url"),
    ("POST", CALL, {"Status": ["over"]}, "form.Status"),
    ("POST", CALL, {"Status": ["completed", "canceled"]}, "form.Status"),
    ("POST", "/Calls.json", CALLED | {"Record": ["perhaps"]}, "form.Record"),
]


@pytest.mark.parametrize(("method", "path", "form", "told"), WRONG_REQUESTS, ids=[told for *_, told in WRONG_REQUESTS])
def test_a_request_that_is_not_described_is_noticed(
    method: str, path: str, form: dict[str, list[str]], told: str
) -> None:
    contract()
    faults = request_faults(method, BASE + path, {}, form)
    assert faults
    assert all(told in fault for fault in faults)


def test_a_filter_that_is_not_described_is_noticed() -> None:
    contract()
    assert request_faults("GET", f"{BASE}/Messages.json", {"To": [OTHER], "PageSize": ["50"]}, {}) == []
    assert request_faults("GET", f"{BASE}/Messages.json", {"Colour": ["red"]}, {}) == [
        "query has Colour, which is not described"
    ]


Spoil = Callable[[dict[str, Any]], object]
SPOILT: list[tuple[str, Spoil]] = [
    ("answer: Additional properties", lambda message: message.update(colour="red")),
    ("'status' is a required property", lambda message: message.pop("status")),
    ("answer.status: ", lambda message: message.update(status="over the hills")),
    ("answer.sid: ", lambda message: message.update(sid="CA" + "0" * 32)),
    ("answer.date_created: ", lambda message: message.update(date_created="yesterday")),
    ("answer.error_code: ", lambda message: message.update(error_code="none")),
]


@pytest.mark.parametrize(("told", "spoil"), SPOILT, ids=[told for told, _ in SPOILT])
def test_an_answer_that_is_not_described_is_noticed(exchange: Exchange, told: str, spoil: Spoil) -> None:
    contract()
    message = rest(exchange, "/Messages.json", To=OTHER, From=NUMBER, Body="已受理").json()
    assert answer_faults("POST", f"{BASE}/Messages.json", 201, message) == []
    spoil(message)
    assert any(told in fault for fault in answer_faults("POST", f"{BASE}/Messages.json", 201, message))


def test_a_status_or_a_refusal_that_is_not_described_is_noticed() -> None:
    contract()
    assert answer_faults("POST", f"{BASE}/Messages.json", 200, {}) == ["status 200 is not one of 201"]
    assert answer_faults("DELETE", BASE + CALL, 204, {}) == ["a body where none is described"]
    assert answer_faults("GET", BASE + CALL, 404, {"error": "gone"})
