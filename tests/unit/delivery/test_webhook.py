"""Pushes to a unit's system over real sockets, in every mood a receiver can be in."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hotline.delivery.allowed import Allowed
from hotline.delivery.base import Parcel, PermanentFailure, TemporaryFailure
from hotline.delivery.models import NO_RECEIPT
from hotline.delivery.webhook import WebhookSender
from tests import certificates
from tests.receivers import Drips, HangsUp, Heard, Receiver, Silent, receiver

SECRET = "a secret of this unit"
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
ALLOWED = Allowed.of(("127.0.0.0/8",))
FACTS = {"order_no": "2611-00042-7", "what": "to_sign", "urgency": "urgent", "deadline": None}


@pytest.fixture
def unit() -> Iterator[Receiver]:
    with receiver() as here:
        yield here


def parcel(url: str, **changes: Any) -> Parcel:
    told = {"token": "t-1", "address": url, "subject": "", "body": "", "facts": FACTS, "secret": SECRET, **changes}
    return Parcel(**told)


def sender(*, whole_s: float = 5.0) -> WebhookSender:
    return WebhookSender(ALLOWED, lambda: NOW, connect_s=1.0, whole_s=whole_s)


def answering(status: int, body: bytes = b"", **headers: str) -> Callable[[Receiver, Heard], Any]:
    return lambda _receiver, _heard: (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def test_a_push_is_signed_over_its_moment_and_body_and_brings_the_receivers_receipt(unit: Receiver) -> None:
    assert sender().send(parcel(f"{unit.url}/in?city=hs")) == "R-1"
    (heard,) = unit.heard
    assert heard.path == "/in?city=hs"
    assert heard.told == {"id": "t-1", **FACTS}
    time = heard.headers["x-hotline-time"]
    assert int(time) == int(NOW.timestamp())
    own = hmac.new(SECRET.encode(), f"{time}.".encode() + heard.body, hashlib.sha256)
    assert heard.headers["x-hotline-signature"] == own.hexdigest()
    assert heard.headers["idempotency-key"] == "t-1"
    assert heard.headers["host"] == f"127.0.0.1:{unit.port}"


def test_the_same_parcel_twice_is_one_order_with_one_receipt(unit: Receiver) -> None:
    assert sender().send(parcel(unit.url)) == sender().send(parcel(unit.url, again=True)) == "R-1"
    assert unit.taken == {"t-1": "R-1"}


RUBBISH = [b"", b"<html>OK</html>", b"{", b"[1]", b'{"receipt": 7}', b'{"receipt": ""}', b"[" * 5000, b"\xff\xfe"]


@pytest.mark.parametrize("body", [*RUBBISH, json.dumps({"receipt": "x" * 101}).encode(), b'{"receipt": "a\\u0000"}'])
def test_a_success_without_a_receipt_is_taken_and_kept_as_a_digest(unit: Receiver, body: bytes) -> None:
    unit.mood = answering(200, body)
    assert sender().send(parcel(unit.url)) == f"{NO_RECEIPT}{hashlib.sha256(body).hexdigest()}"


def test_a_receiver_cannot_pass_a_digest_off_as_a_receipt(unit: Receiver) -> None:
    unit.mood = answering(200, b'{"receipt": "sha256:00"}')
    assert sender().send(parcel(unit.url)) != "sha256:00"


@pytest.mark.parametrize("status", [500, 502, 503, 408, 425, 429])
def test_a_receiver_in_trouble_is_asked_again(unit: Receiver, status: int) -> None:
    unit.mood = answering(status)
    with pytest.raises(TemporaryFailure, match=str(status)) as told:
        sender().send(parcel(unit.url))
    assert told.value.after is None


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("600", timedelta(minutes=10)),
        ("Sun, 22 Nov 2026 06:20:00 GMT", timedelta(minutes=20)),
        ("Sun, 22 Nov 2026 05:00:00 GMT", timedelta()),
        ("soon", None),
        ("9" * 40, timedelta(days=1)),
    ],
)
def test_a_receiver_may_ask_to_be_left_alone_for_a_while(unit: Receiver, header: str, wait: timedelta | None) -> None:
    unit.mood = answering(429, Retry_After=header)
    with pytest.raises(TemporaryFailure) as told:
        sender().send(parcel(unit.url))
    assert told.value.after == wait


@pytest.mark.parametrize("status", [400, 401, 404, 410, 413])
def test_a_refusal_goes_to_a_person(unit: Receiver, status: int) -> None:
    unit.mood = answering(status)
    with pytest.raises(PermanentFailure, match=f"对方拒收：HTTP {status}"):
        sender().send(parcel(unit.url))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(unit: Receiver, status: int) -> None:
    with receiver() as inside:
        unit.mood = answering(status, Location=f"{inside.url}/admin")
        with pytest.raises(PermanentFailure, match="不跟随"):
            sender().send(parcel(unit.url))
        assert inside.heard == []
    assert len(unit.heard) == 1


def silent(_receiver: Receiver, _heard: Heard) -> Any:
    raise Silent


def drips(_receiver: Receiver, _heard: Heard) -> Any:
    raise Drips


def hangs_up(_receiver: Receiver, _heard: Heard) -> Any:
    raise HangsUp


@pytest.mark.parametrize("mood", [silent, drips])
def test_a_receiver_that_hangs_or_drips_is_cut_off_and_asked_again(
    unit: Receiver, mood: Callable[[Receiver, Heard], Any]
) -> None:
    unit.mood = mood
    with pytest.raises(TemporaryFailure, match="没有答完"):
        sender(whole_s=0.3).send(parcel(unit.url))


def test_a_receiver_that_hangs_up_at_once_is_asked_again(unit: Receiver) -> None:
    unit.mood = hangs_up
    with pytest.raises(TemporaryFailure, match="断开"):
        sender().send(parcel(unit.url))


def test_nobody_there_is_asked_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        with pytest.raises(TemporaryFailure, match="拒绝连接"):
            sender().send(parcel(f"http://127.0.0.1:{taken.getsockname()[1]}/"))


def test_of_a_huge_answer_only_the_beginning_is_read(unit: Receiver) -> None:
    unit.mood = answering(200, b"x" * (8 << 20))
    assert sender().send(parcel(unit.url)) == f"{NO_RECEIPT}{hashlib.sha256(b'x' * (64 << 10)).hexdigest()}"


def test_a_name_is_looked_up_once_and_every_address_checked(unit: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def two_faced(host: str, port: int, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "10.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with monkeypatch.context() as names:
        real = socket.getaddrinfo
        names.setattr(
            socket,
            "getaddrinfo",
            lambda host, *rest, **more: (
                two_faced(host, *rest, **more) if host == "rebinding.example" else real(host, *rest, **more)
            ),
        )
        assert sender().send(parcel(f"http://rebinding.example:{unit.port}/in")) == "R-1"
    assert asked == ["rebinding.example"]
    assert unit.heard[0].headers["host"] == f"rebinding.example:{unit.port}"


def test_a_name_that_also_stands_for_another_machine_is_not_told_anything(
    unit: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def both(host: str, port: int, *_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (at, port)) for at in ("127.0.0.1", "10.0.0.1")]

    with monkeypatch.context() as names:
        names.setattr(socket, "getaddrinfo", both)
        with pytest.raises(PermanentFailure, match=r"10\.0\.0\.1"):
            sender().send(parcel(f"http://two.example:{unit.port}/in"))
    assert unit.heard == []


def test_a_name_nobody_knows_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(TemporaryFailure, match="无法解析"):
        sender().send(parcel("https://nowhere.example/"))


@pytest.mark.parametrize("url", ["https://10.0.0.1/in", "http://[::1]/in", "https://u:p@127.0.0.1/", "nonsense"])
def test_what_is_not_allowed_is_told_to_a_person_and_not_connected_to(url: str) -> None:
    with pytest.raises(PermanentFailure):
        sender().send(parcel(url))


def test_a_unit_without_a_secret_is_told_nothing(unit: Receiver) -> None:
    with pytest.raises(PermanentFailure, match="密钥"):
        sender().send(parcel(unit.url, secret=""))
    assert unit.heard == []


def test_over_tls_the_certificate_must_be_that_of_the_name_though_the_address_is_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = certificates.make(tmp_path, "localhost")
    with receiver(context) as here:
        url = f"https://localhost:{here.port}/in"
        with pytest.raises(PermanentFailure, match="证书"):
            sender().send(parcel(url))
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        assert sender().send(parcel(url)) == "R-1"
        with pytest.raises(PermanentFailure, match="证书"):
            sender().send(parcel(f"https://127.0.0.1:{here.port}/in"))
    assert len(here.heard) == 1
