"""The exchange, an application behind it, and sounds that can be told apart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
import requests

from exchange import Exchange, Number, Settings
from exchange.leg import Leg
from exchange.sound import audioop, mulaw_of_file, wav_of_mulaw

from .application import ACCOUNT, TOKEN, Application, until

NUMBER = "12345"
CALLER = "+8619900001234"
PIECE = 800

Samples = numpy.ndarray[Any, Any]

Start = Callable[..., Exchange]


@pytest.fixture
def application() -> Iterator[Application]:
    """Started; every signature it saw is checked at the end."""
    application = Application()
    yield application
    application.stop()
    assert all(seen.genuine for seen in application.requests), "a request was not signed as the provider signs"
    assert all(socket.genuine for socket in application.sockets), "a handshake was not signed as the provider signs"


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """Two voices nobody could confuse, and an announcement."""
    folder = tmp_path / "sounds"
    (folder / "prompts").mkdir(parents=True)
    rng = numpy.random.default_rng(7)
    for name, text in (("citizen", "路灯坏了"), ("operator", "好的，马上派人")):
        noise = rng.integers(0, 256, 8000, dtype=numpy.uint8).tobytes()
        (folder / f"{name}.wav").write_bytes(wav_of_mulaw(noise))
        (folder / f"{name}.txt").write_text(text, "utf-8")
    for name, text in (("p1", "您好，这里是热线。"), ("p2", "请稍候。")):
        noise = rng.integers(0, 256, 2400, dtype=numpy.uint8).tobytes()
        (folder / "prompts" / f"{name}.wav").write_bytes(wav_of_mulaw(noise))
        (folder / "prompts" / f"{name}.txt").write_text(text, "utf-8")
    return folder


@pytest.fixture
def start(application: Application, sounds: Path) -> Iterator[Start]:
    """Starts an exchange in front of the application; stops it, and sees that no thread is left."""
    running: list[Exchange] = []

    def start(**settings: Any) -> Exchange:
        given: dict[str, Any] = {
            "account_sid": ACCOUNT,
            "auth_token": TOKEN,
            "numbers": {NUMBER: Number.of_application(application.url)},
            "prompts": sounds / "prompts",
            "media_dirs": (sounds,),
            "speak_speed": 8.0,
            "webhook_budget_s": 3.0,
        }
        exchange = Exchange(Settings(**given | settings)).start()
        running.append(exchange)
        return exchange

    yield start
    for exchange in running:
        exchange.stop()
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("exchange-")]
    assert left == []


@pytest.fixture
def exchange(start: Start) -> Exchange:
    """One exchange with its usual settings."""
    return start()


def call(exchange: Exchange, *script: dict[str, Any], from_: str = CALLER) -> Leg:
    """A citizen dials, over the lab's API as everybody does."""
    answer = requests.post(
        f"{exchange.url}/lab/calls", json={"from": from_, "to": NUMBER, "script": list(script)}, timeout=5
    )
    assert answer.status_code == 201, answer.text
    return exchange.board.calls[answer.json()["sid"]]


def rules(exchange: Exchange, *given: dict[str, Any]) -> None:
    """How other telephones answer."""
    answer = requests.put(f"{exchange.url}/lab/handsets/rules", json={"rules": list(given)}, timeout=5)
    assert answer.status_code == 200, answer.text


def rest(exchange: Exchange, path: str, method: str = "POST", **form: Any) -> requests.Response:
    """A REST request with the account's token."""
    url = f"{exchange.url}/2010-04-01/Accounts/{ACCOUNT}{path}"
    fields = {"params" if method == "GET" else "data": form}
    return requests.request(method, url, auth=(ACCOUNT, TOKEN), timeout=5, **fields)


def ended(leg: Leg, patience: float = 15.0) -> Leg:
    """The leg, once it is over."""
    until(lambda: leg.over, patience, f"the end of the call; so far {[entry.text for entry in leg.timeline.entries]}")
    return leg


def likeness(heard: bytes, said: Path) -> float:
    """How much of a sound is in what a leg heard: 1 is all of it unchanged, 0 nothing."""
    return match(_samples(mulaw_of_file(said)), _samples(heard))


def pieces(heard: bytes, said: Path) -> float:
    """The share of a sound's tenths of a second that a leg heard, wherever they came: a busy machine leaves gaps."""
    wanted, given = _samples(mulaw_of_file(said)), _samples(heard)
    parts = [wanted[at : at + PIECE] for at in range(0, len(wanted) - PIECE + 1, PIECE)]
    return sum(match(part, given) > 0.8 for part in parts) / len(parts)


def _samples(mulaw: bytes) -> Samples:
    return numpy.frombuffer(audioop.ulaw2lin(mulaw, 2), "<i2").astype(float)


def match(wanted: Samples, given: Samples) -> float:
    """How like the likest place of `given` is to `wanted`, whatever their loudness."""
    if len(given) < len(wanted):
        given = numpy.pad(given, (0, len(wanted) - len(given)))
    size = 1 << (len(given) + len(wanted)).bit_length()
    product = numpy.fft.irfft(numpy.fft.rfft(given, size) * numpy.conj(numpy.fft.rfft(wanted, size)), size)
    at = int(numpy.argmax(product[: len(given) - len(wanted) + 1]))
    part = given[at : at + len(wanted)]
    return float(product[at] / (numpy.linalg.norm(part) * numpy.linalg.norm(wanted) + 1e-9))
