"""Is it really the carrier who asks? The configured address is what was signed, whatever a proxy made of it."""

from __future__ import annotations

import logging

import pytest
from flask import Flask, request
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import Headers, MultiDict

from hotline.config import Settings
from hotline.errors import NotPermitted
from hotline.web.stream_token import leg_of, make_token
from hotline.web.twilio_signature import check_request, check_socket

FORM = MultiDict([("CallSid", "CA1"), ("From", "+8619900001234"), ("Digits", "1"), ("Digits", "2")])
ADDRESS = "/ivr/wait?leg=7&note=%E5%81%9C%E6%B0%B4"


def sign(settings: Settings, url: str, form: MultiDict[str, str], algorithm: str = "HMAC_SHA1") -> str:
    return str(RequestValidator(settings.twilio_auth_token).compute_signature(url, form, algorithm))


def check(settings: Settings, signature: str | None, address: str = ADDRESS, **headers: str) -> None:
    signed = {"X-Twilio-Signature": signature} if signature is not None else {}
    with Flask(__name__).test_request_context(
        address, method="POST", data=FORM, base_url="http://10.0.0.5:8001", headers=signed | headers
    ):
        check_request(settings, request)


def test_a_webhook_signed_over_the_public_address_passes_behind_a_proxy(settings: Settings) -> None:
    check(settings, sign(settings, settings.public_url + ADDRESS, FORM))


def test_the_newer_signature_passes_too(settings: Settings) -> None:
    signature = sign(settings, settings.public_url + ADDRESS, FORM, "HMAC_SHA256")
    check(settings, signature, **{"X-Twilio-Webhooks-Signature-Settings": "algorithm=HMAC_SHA256"})


@pytest.mark.parametrize("fault", ["missing", "empty", "of the proxy's address", "of one field only", "not ASCII"])
def test_a_webhook_with_a_missing_or_wrong_signature_is_refused_without_its_fields_in_the_log(
    settings: Settings, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    signature = {
        "missing": None,
        "empty": "",
        "of the proxy's address": sign(settings, "http://10.0.0.5:8001" + ADDRESS, FORM),
        "of one field only": sign(settings, settings.public_url + ADDRESS, MultiDict(FORM.to_dict())),
        "not ASCII": "ü" * 28,
    }[fault]
    with caplog.at_level(logging.WARNING), pytest.raises(NotPermitted):
        check(settings, signature)
    assert "refused /ivr/wait" in caplog.text
    assert "1234" not in caplog.text and "note" not in caplog.text


def test_a_socket_is_signed_over_its_own_address_without_fields(settings: Settings) -> None:
    signature = sign(settings, "wss://12345.example.gov.cn/media/stream", MultiDict())
    check_socket(settings, Headers({"X-Twilio-Signature": signature}), "/media/stream")
    with pytest.raises(NotPermitted):
        check_socket(settings, Headers({"X-Twilio-Signature": signature}), "/media/other")
    with pytest.raises(NotPermitted):
        check_socket(settings, Headers(), "/media/stream")


def test_a_token_names_its_leg_and_is_worth_nothing_once_altered(settings: Settings) -> None:
    token = make_token(settings, 42)
    assert leg_of(settings, token) == 42
    for wrong in ("", "42", token[:-2], token.replace(".", "", 1)):
        with pytest.raises(NotPermitted):
            leg_of(settings, wrong)
