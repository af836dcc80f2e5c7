"""The Twilio adapter before the exchange, which speaks the same REST API, and before servers that misbehave."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from exchange import Exchange, Number
from exchange import Settings as ExchangeSettings
from hotline.config import Settings
from hotline.telephony.base import CarrierRefused, CarrierUnreachable
from hotline.telephony.twilio import TwilioTelephony

ACCOUNT = "AC" + "0123456789abcdef" * 2
CITIZEN = "+8619900001234"
NOWHERE = "http://127.0.0.1:9/never-asked"


def adapter(url: str, token: str = "token-of-this-test", *, timeout_s: float = 5.0) -> TwilioTelephony:
    settings = Settings(
        public_url="https://hotline.example",
        database_url="sqlite://",
        secret_key="k" * 40,
        data_keys=(("t1", b"0" * 32),),
        twilio_account_sid=ACCOUNT,
        twilio_auth_token=token,
        twilio_api_url=url,
    )
    return TwilioTelephony(settings, timeout_s=timeout_s)


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    """An exchange with one number."""
    settings = ExchangeSettings(
        account_sid=ACCOUNT, auth_token="token-of-this-test", numbers={"12345": Number()}, webhook_budget_s=1.0
    )
    running = Exchange(settings).start()
    yield running
    running.stop()


def test_a_line_is_rung_sent_elsewhere_and_hung_up(exchange: Exchange) -> None:
    carrier = adapter(exchange.url)
    line = carrier.dial(to="client:seat07", caller_id="12345", url=NOWHERE, status_url=NOWHERE)
    assert line.startswith("CA")
    assert exchange.board.calls[line].to == "client:seat07"
    carrier.hang_up(line)
    carrier.hang_up(line)
    carrier.hang_up("CA" + "0" * 32)
    with pytest.raises(CarrierRefused):
        carrier.redirect(line, NOWHERE)


def test_a_message_is_found_before_it_would_be_sent_again(exchange: Exchange) -> None:
    carrier = adapter(exchange.url)
    assert carrier.find_message(to=CITIZEN, body="您的工单已受理。") is None
    sent = carrier.send_message(to=CITIZEN, sender="12345", body="您的工单已受理。", status_url=NOWHERE)
    assert carrier.find_message(to=CITIZEN, body="您的工单已受理。") == sent
    assert carrier.find_message(to=CITIZEN, body="您的工单") is None


def test_a_wrong_token_is_a_refusal(exchange: Exchange) -> None:
    with pytest.raises(CarrierRefused) as refused:
        adapter(exchange.url, "another").send_message(to=CITIZEN, sender="12345", body="x", status_url=NOWHERE)
    assert CITIZEN not in str(refused.value)


@pytest.fixture
def answering() -> Iterator[HTTPServer]:
    """A server that answers every POST with the status it is told."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(self.server.status)  # type: ignore[attr-defined]
            body = b'{"code": 20429, "message": "to +8619900001234"}'
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, CarrierRefused), (404, CarrierRefused), (429, CarrierUnreachable), (500, CarrierUnreachable)],
)
def test_refusals_are_told_from_faults_and_neither_repeats_a_number(
    answering: HTTPServer, status: int, kind: type[Exception]
) -> None:
    answering.status = status  # type: ignore[attr-defined]
    carrier = adapter(f"http://127.0.0.1:{answering.server_port}")
    with pytest.raises(kind) as fault:
        carrier.dial(to=CITIZEN, caller_id="12345", url=NOWHERE, status_url=NOWHERE)
    assert CITIZEN not in str(fault.value)


def test_a_carrier_that_says_nothing_is_given_up_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        carrier = adapter(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.2)
        with pytest.raises(CarrierUnreachable):
            carrier.dial(to=CITIZEN, caller_id="12345", url=NOWHERE, status_url=NOWHERE)


def test_a_carrier_that_is_not_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(CarrierUnreachable):
        adapter(f"http://127.0.0.1:{port}").hang_up("CA1")
