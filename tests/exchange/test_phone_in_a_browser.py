"""The telephone page in a real browser: whether a voice really arrives, both ways, and what is said when it cannot."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy
import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from exchange import Exchange
from exchange.leg import Leg
from exchange.sound import RATE, loudness
from tests.chromium import Launch

from .application import Application, until
from .conftest import CALLER, NUMBER, Samples, Start, match, rest, rules
from .handheld import Handheld

pytestmark = pytest.mark.browser

MIC_RATE = 48000
SYLLABLE_S = 0.2
PATIENCE_S = 45.0
PATIENCE_MS = PATIENCE_S * 1000
ENOUGH = 0.6
"""Share of syllables that must arrive: a busy machine leaves gaps in what a browser plays and records."""

LISTEN_IN = """() => {
window.captured = [];
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to === this.context.destination && this instanceof AudioWorkletNode && this.numberOfInputs === 0) {
    const tap = this.context.createScriptProcessor(4096, 1, 1);
    tap.onaudioprocess = (event) => window.captured.push(...event.inputBuffer.getChannelData(0));
    window.capturedRate = this.context.sampleRate;
    connect.call(this, tap);
    connect.call(tap, to);
  }
  return connect.call(this, to, ...rest);
};
}"""

# what is said only until the line is back may be over before a test looks
TAKE_DOWN = """() => {
window.told = [];
const voice = document.getElementById("voice");
new MutationObserver(() => window.told.push(voice.textContent)).observe(voice, { childList: true });
}"""


def syllables(seed: int, rate: int) -> Samples:
    """Three seconds of gliding tones nobody could confuse, within what a line carries."""
    rng = numpy.random.default_rng(seed)
    time = numpy.arange(round(SYLLABLE_S * rate)) / rate
    fade = numpy.minimum(1, numpy.minimum(time, time[::-1]) / 0.01)
    parts = []
    for begin, end in rng.uniform(500, 2800, (15, 2)):
        parts.append(0.4 * fade * numpy.sin(2 * numpy.pi * (begin * time + (end - begin) * time**2 / 2 / SYLLABLE_S)))
    return numpy.concatenate(parts)


def write(path: Path, samples: Samples, rate: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def arrived(heard: Samples, said: Samples) -> float:
    """The share of syllables found in what was heard (both 8 kHz), whenever and however loud they came."""
    size = round(SYLLABLE_S * RATE)
    parts = [said[at : at + size] for at in range(0, len(said), size)]
    return sum(match(part, heard) > 0.8 for part in parts) / len(parts)


def heard_by(exchange: Exchange, leg: Leg) -> Samples:
    answer = requests.get(f"{exchange.url}/lab/calls/{leg.sid}/heard.wav", timeout=5)
    with wave.open(io.BytesIO(answer.content)) as file:
        return numpy.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)


@contextmanager
def the_page(browser: Browser, exchange: Exchange, width: int = 1440, **given: Any) -> Iterator[Page]:
    """Opened; at the end nothing must have been wrong on it."""
    faults: list[str] = []
    page = browser.new_page(viewport={"width": width, "height": 900}, **given)
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(exchange.url)
    yield page
    page.close()
    assert [fault for fault in faults if "404" not in fault] == [], "a refused number is told on the page"


def shows(page: Page, what: str, text: str) -> None:
    expect(page.locator(what)).to_contain_text(text, timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """What makes Chromium hear the citizen's voice, over and over, and not ask anybody."""
    voice = write(tmp_path_factory.mktemp("voice") / "microphone.wav", syllables(1, MIC_RATE), MIC_RATE)
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={voice}",
    )


@pytest.fixture
def desk(start: Start, application: Application, sounds: Path) -> Exchange:
    """A hotline that connects every caller with an operator, who picks up and listens."""
    write(sounds / "greeting.wav", syllables(2, RATE), RATE)
    (sounds / "greeting.txt").write_text("您好，请讲", "utf-8")
    exchange = start(callers_dir=sounds)
    application.answer("/ivr/voice", "<Dial><Client>desk-7</Client></Dial>")
    rules(exchange, {"address": "client:*", "answer_after_s": 0.1})
    return exchange


def dial(page: Page, exchange: Exchange) -> tuple[Leg, Leg]:
    """Press the green button and wait for the operator: both legs."""
    page.get_by_role("button", name="拨号").click()
    mine = until(lambda: [leg for leg in exchange.board.calls.values() if not leg.parent], PATIENCE_S, "the call")[-1]
    until(lambda: mine.talking, PATIENCE_S, "the operator")
    return mine, next(leg for leg in exchange.board.calls.values() if leg.parent is mine)


def test_a_voice_arrives_both_ways(launch: Launch, desk: Exchange, microphone: tuple[str, ...]) -> None:
    with the_page(launch(*microphone), desk) as page:
        page.evaluate(LISTEN_IN)
        mine, theirs = dial(page, desk)
        shows(page, "#voice", "话筒已打开")
        said = syllables(1, RATE)
        until(lambda: arrived(heard_by(desk, theirs), said) > ENOUGH, PATIENCE_S, "the citizen's voice at the operator")
        until(lambda: page.evaluate("document.getElementById('level').value") > 0.05, PATIENCE_S, "a level")

        page.get_by_role("button", name="静音").click()
        expect(page.get_by_role("button", name="取消静音")).to_be_visible()
        for _ in range(4):  # said again for a machine so busy that the browser dropped some of it
            requests.post(f"{desk.url}/lab/calls/{theirs.sid}/say", json={"wav": "greeting.wav"}, timeout=5)
        greeting = syllables(2, RATE)

        def played() -> Samples:
            rate = page.evaluate("window.capturedRate")
            return resampled(numpy.array(page.evaluate("window.captured"), float), rate)

        until(lambda: arrived(played(), greeting) > ENOUGH, PATIENCE_S, "the operator's voice at the citizen")
        shows(page, "#captions", "您好，请讲")
        page.get_by_role("button", name="挂断").click()
        shows(page, "#voice", "话筒已关")
        shows(page, "#state", "通话结束")
        until(lambda: theirs.over, PATIENCE_S, "the end at the operator")
        assert mine.status == "completed"


def resampled(samples: Samples, rate: float) -> Samples:
    """To 8 kHz, exactly: what lies above is cut off in the spectrum."""
    size = round(len(samples) * RATE / rate)
    if size < 2:
        return numpy.zeros(RATE)
    return numpy.fft.irfft(numpy.fft.rfft(samples)[: size // 2 + 1], size)


OFFLINE = """async ([rate, hertz]) => {
  const context = new OfflineAudioContext(1, rate, rate);
  await context.audioWorklet.addModule("/static/mic-worklet.js");
  const tone = new OscillatorNode(context, { frequency: hertz });
  const loudness = new GainNode(context, { gain: 0.5 });
  const microphone = new AudioWorkletNode(context, "microphone", { outputChannelCount: [1] });
  const frames = [];
  microphone.port.onmessage = ({ data }) => frames.push(...data.frame);
  tone.connect(loudness).connect(microphone).connect(context.destination);
  tone.start();
  await context.startRendering();
  while (frames.length < 7500) await new Promise((go) => setTimeout(go, 20));
  return frames;
}"""


def test_what_a_line_cannot_carry_is_filtered_out_before_it_comes_back_as_noise(launch: Launch, start: Start) -> None:
    with the_page(launch(), start()) as page:
        for rate in (48000, 44100, 16000):
            for hertz, least, most in (
                (400, 0.9, 1.1),
                (1000, 0.9, 1.1),
                (2800, 0.9, 1.1),
                (4600, 0, 0.02),
                (6000, 0, 0.02),
            ):
                mulaw = bytes(page.evaluate(OFFLINE, [rate, hertz]))[800:7200]
                loud = loudness(mulaw) / (0.5 * 32767 / 2**0.5)
                assert least <= loud <= most, (rate, hertz, loud)


def test_a_muted_microphone_is_not_heard(launch: Launch, desk: Exchange, microphone: tuple[str, ...]) -> None:
    with the_page(launch(*microphone), desk) as page:
        _, theirs = dial(page, desk)
        shows(page, "#voice", "话筒已打开")
        until(lambda: theirs.peer_spoke_at, PATIENCE_S, "the voice")
        page.get_by_role("button", name="静音").click()
        until(lambda: theirs.peer_quiet_s > 1, PATIENCE_S, "silence")
        page.get_by_role("button", name="取消静音").click()
        until(lambda: theirs.peer_quiet_s < 0.5, PATIENCE_S, "the voice again")


def test_without_leave_to_use_the_microphone_the_call_goes_on(launch: Launch, desk: Exchange) -> None:
    flags = ("--use-fake-device-for-media-stream", "--deny-permission-prompts")
    with the_page(launch(*flags), desk) as page:
        _, theirs = dial(page, desk)
        shows(page, "#voice", "没有得到话筒许可")
        expect(page.get_by_role("button", name="静音")).to_be_disabled()
        say_from_the_shelf(page, theirs)


def test_without_a_microphone_the_call_goes_on(launch: Launch, desk: Exchange) -> None:
    with the_page(launch("--use-fake-ui-for-media-stream"), desk) as page:
        _, theirs = dial(page, desk)
        shows(page, "#voice", "没有找到话筒")
        say_from_the_shelf(page, theirs)


def test_a_browser_without_audio_worklets_says_so_and_the_call_goes_on(
    launch: Launch, desk: Exchange, microphone: tuple[str, ...]
) -> None:
    with the_page(launch(*microphone), desk) as page:
        page.evaluate("delete window.AudioWorkletNode")
        _, theirs = dial(page, desk)
        shows(page, "#voice", "缺 AudioWorklet")
        say_from_the_shelf(page, theirs)


def say_from_the_shelf(page: Page, theirs: Leg) -> None:
    """A recorded caller stands in for the voice, on the same call; then it ends as every call."""
    page.get_by_label("路灯坏了").check()
    page.get_by_role("button", name="说出选中的一段").click()
    until(lambda: "路灯坏了" in theirs.timeline.texts("peer"), PATIENCE_S, "the recorded caller")
    until(lambda: theirs.peer_spoke_at, PATIENCE_S, "its sound")
    page.get_by_role("button", name="挂断").click()
    shows(page, "#state", "通话结束")


def test_a_call_rings_on_the_page_and_is_answered_there(
    launch: Launch, desk: Exchange, application: Application, microphone: tuple[str, ...]
) -> None:
    with the_page(launch(*microphone), desk) as page:
        until(lambda: desk.board.ringing.telephones.at(CALLER), PATIENCE_S, "the registration")
        application.answer("/back", "<Dial><Client>desk-7</Client></Dial>")
        rest(desk, "/Calls.json", To=CALLER, From=NUMBER, Url=f"{application.url}/back")
        shows(page, "#ringing", NUMBER)
        page.get_by_role("button", name="接听", exact=True).click()
        theirs = until(
            lambda: [leg for leg in desk.board.calls.values() if leg.to == "client:desk-7" and leg.talking],
            PATIENCE_S,
            "the talk",
        )[0]
        said = syllables(1, RATE)
        until(lambda: arrived(heard_by(desk, theirs), said) > ENOUGH, PATIENCE_S, "the citizen's voice")
        desk.board.hang_up(theirs)
        shows(page, "#voice", "话筒已关")
        expect(page.get_by_role("button", name="打开话筒")).to_be_disabled()


def test_a_lost_socket_is_taken_up_again(launch: Launch, desk: Exchange, microphone: tuple[str, ...]) -> None:
    with the_page(launch(*microphone), desk) as page:
        mine, theirs = dial(page, desk)
        shows(page, "#voice", "话筒已打开")
        page.evaluate(TAKE_DOWN)
        with desk.board.lines.lock:
            for link in desk.board.links:
                link.end(1011)
        until(lambda: "正在重新接上" in "".join(page.evaluate("window.told")), PATIENCE_S, "word of it")
        shows(page, "#voice", "话筒已打开")
        assert not mine.over
        since = len(theirs.heard)
        said = syllables(1, RATE)
        until(lambda: arrived(heard_by(desk, theirs)[since:], said) > ENOUGH, PATIENCE_S, "the voice after it")


def test_a_page_loaded_anew_takes_its_call_up(launch: Launch, desk: Exchange, microphone: tuple[str, ...]) -> None:
    with the_page(launch(*microphone), desk) as page:
        mine, theirs = dial(page, desk)
        shows(page, "#voice", "话筒已打开")
        page.reload()
        shows(page, "#voice", "通话还在")
        since = len(theirs.heard)
        page.get_by_role("button", name="打开话筒").click()
        said = syllables(1, RATE)
        until(lambda: arrived(heard_by(desk, theirs)[since:], said) > ENOUGH, PATIENCE_S, "the voice after it")
        assert not mine.over


def test_a_call_taken_up_elsewhere_leaves_this_page_in_words(
    launch: Launch, desk: Exchange, microphone: tuple[str, ...]
) -> None:
    with the_page(launch(*microphone), desk) as page:
        mine, _ = dial(page, desk)
        shows(page, "#voice", "话筒已打开")
        Handheld(desk, call=mine.sid)
        shows(page, "#voice", "通话已转到另一个页面")
        assert not mine.over


def test_a_number_in_two_tabs_rings_in_the_newer_one(launch: Launch, desk: Exchange) -> None:
    with the_page(launch(), desk) as first:
        until(lambda: desk.board.ringing.telephones.at(CALLER), PATIENCE_S, "the registration")
        with the_page(launch(), desk) as second:
            shows(first, "#elsewhere", "另一个页面")
            first.get_by_role("button", name="改在这里接听").click()
            expect(first.locator("#elsewhere")).to_be_hidden()
            shows(second, "#elsewhere", "另一个页面")


@pytest.mark.parametrize("width", [390, 1440])
def test_it_is_a_telephone_at_every_width(launch: Launch, desk: Exchange, width: int) -> None:
    with the_page(launch(), desk, width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for key in "961890":
            page.get_by_role("button", name=key, exact=True).click()
        expect(page.get_by_label("拨打")).to_have_value("961890")
        page.get_by_role("button", name="删去一位").click()
        expect(page.get_by_label("拨打")).to_have_value("96189")
        page.get_by_role("button", name="拨号").click()
        shows(page, "#fault", "96189 is no number of this exchange")
        shows(page, "#voice", "话筒没有打开")


def test_messages_to_my_number_are_shown(launch: Launch, desk: Exchange) -> None:
    with the_page(launch(), desk, 390) as page:
        rest(desk, "/Messages.json", To=CALLER, From=NUMBER, Body="您的诉求已受理")
        shows(page, "#messages", "您的诉求已受理")
