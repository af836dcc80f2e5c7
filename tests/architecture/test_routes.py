"""Who may ask for what: every route says it, the carrier signs, and forms carry their token."""

from __future__ import annotations

import re

import pytest
from twilio.request_validator import RequestValidator

from hotline.web.access import PUBLIC, undeclared
from hotline.web.errors import CSRF_STALE
from tests.architecture.conftest import House
from tests.factories.calls import PHONE
from tests.web.ivr.conftest import PUBLIC as SITE

# what anyone may ask for; the carrier's own routes check its signature instead
OPEN_TO_ALL = {
    *("/", "/login", "/healthz", "/readyz", "/metrics", "/robots.txt"),
    *("/api/v1/openapi.json", "/api/unit/v1/openapi.json"),
    *("/portal/offline", "/portal/sw.js"),  # an empty form and the script that keeps it: of no order, of nobody
}
ANSWERS = ("/answers", "/api/public/")  # what was published; only to read
CARRIERS = ("/ivr/", "/media/")

SECRET = "王小明住在永兴路5号楼"
SOCKET = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "eA=="}


def carriers(house: House) -> list[str]:
    """Return the addresses the carrier uses."""
    return sorted({rule.rule for rule in house.app.url_map.iter_rules() if rule.rule.startswith(CARRIERS)})


def test_every_route_says_who_may_ask_and_few_are_open_to_all(house: House) -> None:
    assert undeclared(house.app) == []
    public = {rule.rule for rule in house.app.url_map.iter_rules() if house.access(rule.endpoint) == PUBLIC}
    assert public == OPEN_TO_ALL | set(carriers(house)) | {rule for rule in public if rule.startswith(ANSWERS)}
    answers = [rule for rule in house.app.url_map.iter_rules() if rule.rule.startswith(ANSWERS)]
    assert answers and all((rule.methods or set()) <= {"GET", "HEAD", "OPTIONS"} for rule in answers)


def test_the_carriers_every_route_and_its_socket_refuse_a_stranger_without_a_word_about_the_caller(
    house: House, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    form = {"CallSid": "CA1", "From": PHONE, "To": "12345", "Body": SECRET}
    right_for_another = RequestValidator("another token").compute_signature(f"{SITE}/ivr/voice", form)
    assert {"/ivr/voice", "/ivr/status", "/ivr/fallback", "/ivr/message", "/media/stream"} <= set(carriers(house))
    for address in carriers(house):
        for signature in (None, "", "wrong", right_for_another):
            headers = {} if signature is None else {"X-Twilio-Signature": signature}
            client = house.app.test_client()
            if address.startswith("/media/"):
                answer = client.get(address, headers=headers | SOCKET)
            else:
                answer = client.post(address, data=form, headers=headers)
            assert answer.status_code == 403, (address, signature)
    logged = caplog.text + "".join(capsys.readouterr())
    assert logged.count("signature missing") == logged.count("signature wrong") == 2 * len(carriers(house))
    assert PHONE[3:] not in logged and SECRET not in logged


def test_every_form_refuses_to_be_sent_without_its_token(house: House) -> None:
    asked = 0
    for rule in house.app.url_map.iter_rules():
        if "POST" not in (rule.methods or ()) or rule.rule.startswith((*CARRIERS, "/api/")):
            continue
        access = house.access(rule.endpoint)
        client = house.visitor(None if access == PUBLIC else min(access))
        address = re.sub(r"<int:\w+>", "1", rule.rule).replace("<number>", house.numbers[1])
        address = re.sub(r"<any\((\w+)[^>]*>", r"\1", address)
        for data in ({}, {"csrf_token": "made up"}):
            answer = client.post(address, data=data)
            assert (answer.status_code, answer.json["error"]["message"]) == (400, CSRF_STALE), rule.rule
        asked += 1
    assert asked > 20
