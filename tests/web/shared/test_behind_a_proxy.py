"""Behind proxies of ours, that end TLS and say who asked them: limits, forms, cookies and signatures are right."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from flask_limiter.util import get_remote_address
from twilio.request_validator import RequestValidator

from hotline.app import create_app
from hotline.bootstrap import Runtime
from hotline.config import Settings
from hotline.web.access import public
from tests.web.shared.browser import TOKEN
from tests.web.shared.conftest import PASSWORD, MakeUser

HOST = "12345.example"
CLAIMED, BROWSER, INNER = "203.0.113.9", "198.51.100.7", "10.0.0.2"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, public_url=f"https://{HOST}", twilio_auth_token="signs with this", trusted_proxies=1)


def site(runtime: Runtime) -> Flask:
    app = create_app(runtime, ("web", "voice"))
    app.add_url_rule("/asks", "asks", public(get_remote_address))
    return app


@pytest.mark.parametrize(("proxies", "counted"), [(0, "127.0.0.1"), (1, INNER), (2, BROWSER)])
def test_limits_count_the_address_our_own_proxies_saw_and_none_a_browser_claims(
    runtime: Runtime, proxies: int, counted: str
) -> None:
    object.__setattr__(runtime.settings, "trusted_proxies", proxies)
    told = {"X-Forwarded-For": f"{CLAIMED}, {BROWSER}, {INNER}"}
    assert site(runtime).test_client().get("/asks", headers=told).text == counted


def test_a_form_over_tls_is_taken_from_our_own_page_alone_and_the_cookie_is_secure(
    runtime: Runtime, user: MakeUser
) -> None:
    user("wang")
    client = site(runtime).test_client()
    # what the browser sent over TLS, the proxy hands on in the clear
    handed_on = {"base_url": f"http://{HOST}", "environ_overrides": {"HTTP_X_FORWARDED_PROTO": "https"}}
    page = client.get("/login", **handed_on)
    assert "Secure" in page.headers["Set-Cookie"]
    found = TOKEN.search(page.text)
    assert found is not None
    form = {"username": "wang", "password": PASSWORD, "csrf_token": found[1]}
    for sent_from, status in (("https://evil.example/login", 400), (f"https://{HOST}/login", 303)):
        assert client.post("/login", data=form, headers={"Referer": sent_from}, **handed_on).status_code == status


@pytest.mark.parametrize("claimed", [HOST, "evil.example"])
def test_a_signature_is_checked_against_the_public_address_whatever_the_proxy_hands_on(
    runtime: Runtime, claimed: str
) -> None:
    form = {"CallSid": "CA" + "1" * 32, "CallStatus": "completed"}
    signature = RequestValidator(runtime.settings.twilio_auth_token).compute_signature(
        f"https://{HOST}/ivr/status", form
    )
    told = {"X-Forwarded-Proto": "http", "X-Forwarded-Host": claimed, "X-Forwarded-For": BROWSER}
    client = site(runtime).test_client()
    assert client.post("/ivr/status", data=form, headers=told | {"X-Twilio-Signature": signature}).status_code == 200
    assert client.post("/ivr/status", data=form, headers=told | {"X-Twilio-Signature": "x"}).status_code == 403
