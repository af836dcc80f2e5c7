"""The headset's line to the exchange, in a real browser: what the desk is told for what the exchange says.

The other end of the socket is this test's: with a real exchange the order of these words is a matter of chance.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

# a socket whose other end is the test's, and a microphone nobody has to allow
LINE = """async (from) => {
  window.WebSocket = class {
    static OPEN = 1;
    readyState = 1;
    constructor() { window.line = this; }
    send() {}
    close() {}
  };
  navigator.mediaDevices.getUserMedia = async () => new AudioContext().createMediaStreamDestination().stream;
  const { Headset } = await import(from);
  window.told = [];
  const headset = new Headset({ worklet: from.replace("headset-exchange", "headset-worklet") });
  for (const kind of ["ready", "ringing", "answered", "ended", "lost", "back"])
    headset.on(kind, ({ call }) => window.told.push(call ? `${kind} ${call}` : kind));
  window.comes = (...words) => {
    window.line.onopen();
    for (const [event, call] of words) window.line.onmessage({ data: JSON.stringify({ event, call }) });
  };
  await headset.connect({ token: "t", url: "ws://exchange.invalid" });
}"""
A_WHILE_MS = 5_000  # longer than the desk waits for word of a call it held


@pytest.fixture
def line(page: Page) -> Page:
    """A page with a line that a test speaks for, in the call ``a`` and then cut."""
    page.clock.install()
    page.evaluate(LINE, "/static/js/headset-exchange.js")
    page.evaluate("comes(['registered'], ['ringing', 'a'], ['answered', 'a'])")
    page.evaluate("line.onclose({ code: 1006, reason: '' })")
    page.clock.fast_forward(A_WHILE_MS)  # it is tried again
    assert told(page) == ["ready", "ringing a", "answered a", "lost"]
    return page


def told(page: Page) -> Any:
    """What the desk was told so far."""
    return page.evaluate("told")


def test_a_call_that_goes_on_is_taken_up_again(line: Page) -> None:
    line.evaluate("comes(['registered'], ['answered', 'a'])")
    line.clock.fast_forward(A_WHILE_MS)
    assert told(line)[4:] == ["back", "ready", "answered a"]


def test_a_call_that_ended_meanwhile_is_told_as_ended(line: Page) -> None:
    line.evaluate("comes(['registered'])")
    line.clock.fast_forward(A_WHILE_MS)
    assert told(line)[4:] == ["back", "ready", "ended"]


def test_a_call_that_rings_at_once_is_not_taken_for_the_one_that_ended(line: Page) -> None:
    line.evaluate("comes(['registered'], ['ringing', 'b'])")
    line.clock.fast_forward(A_WHILE_MS)
    assert told(line)[4:] == ["back", "ready", "ended", "ringing b"]


def test_a_line_cut_again_before_a_word_of_the_call_ends_nothing(line: Page) -> None:
    line.evaluate("comes(['registered'])")
    line.evaluate("line.onclose({ code: 1006, reason: '' })")
    line.clock.fast_forward(A_WHILE_MS)
    line.evaluate("comes(['registered'], ['answered', 'a'])")
    assert told(line)[4:] == ["back", "ready", "lost", "back", "ready", "answered a"]
