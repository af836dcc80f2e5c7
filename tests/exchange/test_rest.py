"""The REST API: as the provider's own client uses it, as its contract describes it, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from exchange import Exchange

from .application import ACCOUNT, TOKEN, until
from .conftest import CALLER, NUMBER, call, ended, rest, rules

WAITING = "<Response><Pause length='60'/></Response>"
OTHER = "+8619900005678"


class LocalClient(TwilioHttpClient):
    """The provider's client has no base address: this one sends its requests here."""

    def __init__(self, base: str) -> None:
        super().__init__(timeout=5)
        self._base = base

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        return super().request(method, url.replace("https://api.twilio.com", self._base), *args, **kwargs)


@pytest.fixture
def client(exchange: Exchange) -> Client:
    return Client(ACCOUNT, TOKEN, http_client=LocalClient(exchange.url))


def test_the_providers_client_places_changes_and_ends_a_call(exchange: Exchange, client: Client) -> None:
    rules(exchange, {"address": "client:seat07", "answer_after_s": 0})
    made = client.calls.create(to="client:seat07", from_=CALLER, twiml=WAITING, machine_detection="Enable", timeout=20)
    assert made.status == "queued"
    assert made.direction == "outbound-api"
    until(lambda: client.calls(made.sid).fetch().status == "in-progress", what="an answer")
    client.calls(made.sid).update(twiml="<Response><Say>请稍候。</Say><Pause length='60'/></Response>")
    leg = exchange.board.calls[made.sid]
    until(lambda: leg.timeline.texts("caption"), what="the new document")
    assert client.calls(made.sid).update(status="completed").status == "completed"
    fetched = client.calls(made.sid).fetch()
    assert fetched.end_time is not None
    assert fetched.duration is not None
    assert [one.sid for one in client.calls.list(to="client:seat07", status="completed")] == [made.sid]


def test_the_providers_client_works_with_participants(exchange: Exchange, client: Client) -> None:
    rules(exchange, {"address": "*", "answer_after_s": 0})
    first = client.conferences("room").participants.create(
        from_=NUMBER, to="client:a", label="boss", beep="false", end_conference_on_exit=True
    )
    second = client.conferences(first.conference_sid).participants.create(from_=NUMBER, to=OTHER, beep="false")
    conference = exchange.board.conferences.get(first.conference_sid)
    assert conference is not None
    until(lambda: len(conference.members) == 2, what="both in")
    assert [one.sid for one in client.conferences.list(friendly_name="room", status="in-progress")] == [conference.sid]
    people = client.conferences(conference.sid).participants
    assert {one.call_sid for one in people.list()} == {first.call_sid, second.call_sid}
    assert people("boss").update(muted=True).muted
    assert [one.label for one in people.list(muted=True)] == ["boss"]
    assert people(second.call_sid).update(hold=True).hold
    assert people(second.call_sid).update(coaching=True, call_sid_to_coach=first.call_sid).coaching
    assert people(second.call_sid).delete()
    until(lambda: exchange.board.calls[second.call_sid].over, what="the kicked one's end")
    assert client.conferences(conference.sid).update(status="completed").status == "completed"
    assert client.conferences(conference.sid).fetch().reason_conference_ended == "conference-ended-via-api"
    ended(exchange.board.calls[first.call_sid])


def test_muting_holding_and_coaching_decide_who_hears_whom(exchange: Exchange) -> None:
    rules(exchange, {"address": "client:*", "answer_after_s": 0})
    sids = [
        rest(exchange, "/Conferences/room/Participants.json", From=NUMBER, To=f"client:{who}", Beep="false").json()
        for who in ("citizen", "operator", "boss")
    ]
    room = exchange.board.conferences.running("room")
    assert room is not None
    until(lambda: len(room.members) == 3, what="all in")
    citizen, operator, boss = (one["call_sid"] for one in sids)
    spoken: dict[str, bytes | None] = {citizen: None, operator: None, boss: b"\x00" * 160}
    path = f"/Conferences/{room.sid}/Participants"

    def hears() -> set[str]:
        with exchange.board.lines.lock:
            return {sid for sid in (citizen, operator) if room.heard_by(sid, spoken) is not None}

    assert hears() == {citizen, operator}
    rest(exchange, f"{path}/{boss}.json", Coaching="true", CallSidToCoach=operator)
    assert hears() == {operator}
    rest(exchange, f"{path}/{boss}.json", Coaching="false")
    rest(exchange, f"{path}/{citizen}.json", Hold="true")
    assert hears() == {operator}
    rest(exchange, f"{path}/{boss}.json", Muted="true")
    assert hears() == set()


REFUSED: list[tuple[str, dict[str, str], int, int]] = [
    ("/Calls.json", {"From": NUMBER, "Twiml": WAITING}, 400, 21201),
    ("/Calls.json", {"To": OTHER, "Twiml": WAITING}, 400, 21213),
    ("/Calls.json", {"To": "nobody", "From": NUMBER, "Twiml": WAITING}, 400, 21211),
    ("/Calls.json", {"To": OTHER, "From": "+8619900009999", "Twiml": WAITING}, 400, 21210),
    ("/Calls.json", {"To": OTHER, "From": NUMBER}, 400, 21205),
    ("/Calls.json", {"To": OTHER, "From": NUMBER, "Url": "here"}, 400, 21205),
    ("/Calls.json", {"To": OTHER, "From": NUMBER, "Twiml": "<Response><Sing/></Response>"}, 400, 12200),
    ("/Calls.json", {"To": OTHER, "From": NUMBER, "Twiml": WAITING, "Timeout": "soon"}, 400, 20001),
    ("/Calls/CA00.json", {"Status": "completed"}, 404, 20404),
    ("/Nothing.json", {}, 404, 20404),
    ("/Conferences/CF00.json", {"Status": "completed"}, 404, 20404),
    ("/Messages.json", {"From": NUMBER, "Body": "a"}, 400, 21604),
    ("/Messages.json", {"To": "12", "From": NUMBER, "Body": "a"}, 400, 21211),
    ("/Messages.json", {"To": OTHER, "Body": "a"}, 400, 21603),
    ("/Messages.json", {"To": OTHER, "From": "+8619900009999", "Body": "a"}, 400, 21606),
    ("/Messages.json", {"To": OTHER, "From": NUMBER}, 400, 21602),
    ("/Messages.json", {"To": OTHER, "From": NUMBER, "Body": "a" * 1601}, 400, 21617),
]


def test_refusals_have_the_providers_numbers(exchange: Exchange) -> None:
    for path, form, status, code in REFUSED:
        answer = rest(exchange, path, **form)
        told = answer.json()
        assert (path, form, answer.status_code, told["code"]) == (path, form, status, code)
        assert told["status"] == status
        assert told["more_info"].endswith(str(code))


def test_a_call_that_is_over_cannot_be_redirected(exchange: Exchange, client: Client) -> None:
    leg = ended(call(exchange))
    with pytest.raises(TwilioRestException) as fault:
        client.calls(leg.sid).update(twiml=WAITING)
    assert fault.value.code == 21220
    assert client.calls(leg.sid).update(status="completed").status == "completed"


def test_only_the_accounts_token_opens(exchange: Exchange) -> None:
    url = f"{exchange.url}/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    for auth in (None, (ACCOUNT, "wrong"), ("AC" + "0" * 32, TOKEN)):
        answer = requests.get(url, auth=auth, timeout=5)
        assert answer.status_code == 401
        assert answer.json()["code"] == 20003
    other = requests.get(url.replace(ACCOUNT, "AC" + "0" * 32), auth=(ACCOUNT, TOKEN), timeout=5)
    assert other.status_code == 404


def test_long_lists_come_in_pages(exchange: Exchange, client: Client) -> None:
    for number in range(5):
        client.messages.create(to=OTHER, from_=NUMBER, body=f"第{number}条")
    assert [one.body for one in client.messages.list(to=OTHER, page_size=2)] == [f"第{at}条" for at in (4, 3, 2, 1, 0)]
    assert client.messages.list(to=CALLER) == []


def test_a_filter_that_is_not_understood_is_refused(exchange: Exchange) -> None:
    assert rest(exchange, "/Calls.json", "GET", Colour="red").status_code == 400
    assert rest(exchange, "/Messages.json", "GET", DateSent="yesterday").status_code == 400
    assert rest(exchange, "/Messages.json", "GET", **{"DateSent>": "2020-01-01"}).json()["messages"] == []
