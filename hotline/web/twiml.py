"""What the carrier is told to do with a line: pure functions from facts to TwiML, and every sentence they say.

Where a sentence is shipped as a recording, its words here are exactly the recording's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import Conference, Dial, Gather, Start, VoiceResponse

from hotline.calls.links import Links
from hotline.calls.queries import WaitFacts
from hotline.web.stream_token import PARAMETER

GREETING: Final = "您好，这里是一二三四五政务服务便民热线，为了保证服务质量，您的通话将被录音。"
CONNECTING: Final = "正在为您转接话务员，请稍候。"
INVITATION: Final = "等候期间您可以先说一说要反映的问题，话务员接听时就能看到。"
ZERO: Final = "按零可以随时转人工服务。"
APOLOGY: Final = "对不起，系统暂时繁忙，正在为您转接人工，请不要挂机。"
THANKS: Final = "感谢您的来电，再见。"
THANKS_ORDERED: Final = "感谢您的来电，您的诉求已经受理，工单号码稍后将通过短信发送给您。"
AHEAD: Final = {
    1: "您前面还有一位来电人在等候。",
    2: "您前面还有两位来电人在等候。",
    3: "您前面还有三位来电人在等候。",
}
UNDER_A_MINUTE: Final = "预计等候时间不到一分钟。"
TWO_MINUTES: Final = "预计等候时间大约两分钟。"
CALLBACK_PERSON: Final = "您好，这里是一二三四五热线回访，请稍候。"
CALLBACK: Final = "您好，这里是一二三四五热线回访，您反映的问题已经办理，请您对办理结果进行评价。"
KEYS: Final = "满意请按一，基本满意请按二，不满意请按三。"
WRONG_KEY: Final = "您的按键有误，请重新输入。"
THANKS_RATED: Final = "感谢您的评价，再见。"
GOODBYE: Final = "感谢您的接听，再见。"
SMS_THANKS: Final = "感谢您的评价。"
SMS_PERSON: Final = "感谢您的评价，回访员会与您联系了解情况。"
SMS_CALL_US: Final = "您好，短信已收到。反映问题请拨打12345，话务员随时为您服务。"
SMS_LATER: Final = "您好，系统暂时繁忙，请稍后再发一次，或拨打12345。"

LANGUAGE: Final = "zh-CN"
QUEUE: Final = "hotline"
ROUND_S: Final = 4  # a waiting line asks again about every five seconds: this and the second a key is waited for
TELL_EVERY: Final = 6  # rounds of quiet, about half a minute
NO_MUSIC: Final = ""
_FILL_IN: Final = "fill-in"


@dataclass(frozen=True, slots=True)
class Sound:
    """Where a leg's sound goes: the socket's address and the leg's signed token."""

    url: str
    token: str


def greeting(text: str, sound: Sound, links: Links) -> str:
    """Answer an incoming call: greeting with the recording notice, which any key cuts short, then the queue.

    The stream begins after the notice, never before.
    """
    return _greeting(text, sound.url, links).replace(_FILL_IN, sound.token)


@lru_cache(maxsize=100)
def _greeting(text: str, url: str, links: Links) -> str:
    """The same for every call but for the token: building it costs more than all the rest of an answer."""
    answer = VoiceResponse()
    gather = _gather(links.key("greeting"))
    _say(gather, text)
    answer.append(gather)
    return _queue(answer, Sound(url, _FILL_IN), links)


def queue(sound: Sound, links: Links) -> str:
    """Put a line into the queue without a word."""
    return _queue(VoiceResponse(), sound, links)


def apology(links: Links) -> str:
    """Say sorry and put the line into the queue: needs no database and starts no stream."""
    answer = VoiceResponse()
    _say(answer, APOLOGY)
    return _queue(answer, None, links)


def _queue(answer: VoiceResponse, sound: Sound | None, links: Links) -> str:
    if sound is not None:
        answer.append(_stream(sound, links))
    answer.enqueue(QUEUE, wait_url=links.wait(), action=links.after_queue())
    return str(answer)


def waiting(facts: WaitFacts, links: Links, *, turn: int, told: int, quiet: int) -> str:
    """One round of a waiting line, about five seconds: says something on arrival, when the place changed, and every
    half minute; quiet otherwise, because the caller may be speaking. ``told`` is the place last said, -1 for none."""
    answer = VoiceResponse()
    gather = _gather(links.key("queue"))
    changed = facts.ahead != told
    speak = turn == 0 or ((changed or quiet >= TELL_EVERY) and not facts.ringing)
    if speak:
        for sentence in _place(facts):
            _say(gather, sentence)
        if turn == 0:
            _say(gather, INVITATION)
    gather.pause(length=ROUND_S)
    answer.append(gather)
    told_now = facts.ahead if speak else told
    answer.redirect(links.wait(turn + 1, told=told_now, quiet=0 if speak else quiet + 1))
    return str(answer)


def _place(facts: WaitFacts) -> list[str]:
    sentences = [CONNECTING]
    if facts.ahead:
        sentences = [AHEAD.get(facts.ahead, f"您前面还有{facts.ahead}位来电人在等候。")]
    if facts.expected_s is not None:
        sentences.append(expected(facts.expected_s))
    return sentences


def expected(seconds: int) -> str:
    """``预计等候时间大约两分钟。``; more than half an hour is not told to the minute."""
    minutes = round(seconds / 60)
    if seconds < 60:
        return UNDER_A_MINUTE
    if minutes <= 2:
        return TWO_MINUTES
    return f"预计等候时间大约{minutes}分钟。" if minutes <= 30 else "预计等候时间超过半小时。"


def key_in_queue(key: str, links: Links) -> str:
    """Answer a key pressed while waiting: 0 asks for the person already on the way; others are told of 0."""
    answer = VoiceResponse()
    _say(answer, CONNECTING if key == "0" else ZERO)
    answer.redirect(links.wait(1))
    return str(answer)


def hold(links: Links) -> str:
    """Keep a waiting line waiting when nothing can be said about it."""
    answer = VoiceResponse()
    answer.pause(length=ROUND_S)
    answer.redirect(links.wait(1))
    return str(answer)


def join_caller(call_id: int, sound: Sound | None, links: Links) -> str:
    """Bring the caller into the conference of their call; ``sound`` when no stream of theirs has begun yet."""
    answer = VoiceResponse()
    if sound is not None:
        answer.append(_stream(sound, links))
    dial = Dial(action=links.after_call())
    dial.append(_conference(call_id, links))
    answer.append(dial)
    return str(answer)


def join_operator(call_id: int, sound: Sound, links: Links) -> str:
    """Bring the operator into the conference; either leaving ends it."""
    answer = VoiceResponse()
    answer.append(_stream(sound, links))
    dial = Dial()
    dial.append(_conference(call_id, links))
    answer.append(dial)
    return str(answer)


def room_of(call_id: int) -> str:
    """The name of a call's conference."""
    return f"call-{call_id}"


def _conference(call_id: int, links: Links) -> Conference:
    return Conference(
        room_of(call_id),
        start_conference_on_enter=True,
        end_conference_on_exit=True,
        beep="false",
        wait_url=NO_MUSIC,
        status_callback=links.conference(),
        status_callback_event="join",
    )


def thanks(*, ordered: bool) -> str:
    """Say goodbye after a conversation."""
    return farewell(THANKS_ORDERED if ordered else THANKS)


def farewell(sentence: str) -> str:
    """Say one sentence and hang up."""
    answer = VoiceResponse()
    _say(answer, sentence)
    answer.hangup()
    return str(answer)


def hang_up() -> str:
    """End the line without a word."""
    answer = VoiceResponse()
    answer.hangup()
    return str(answer)


def redirect(url: str) -> str:
    """Go on at another address at once."""
    answer = VoiceResponse()
    answer.redirect(url)
    return str(answer)


def nothing() -> str:
    """Answer a request whose line is over or goes on elsewhere."""
    return str(VoiceResponse())


def ask_rating(action: str, *, wrong_before: bool) -> str:
    """Ask for 1, 2 or 3; silence asks the same address with no key."""
    answer = VoiceResponse()
    gather = _gather(action, timeout_s=6, on_empty=True)
    _say(gather, WRONG_KEY if wrong_before else CALLBACK)
    _say(gather, KEYS)
    answer.append(gather)
    return str(answer)


def ask_key(action: str, sentences: list[str], *, digits: int = 1, timeout_s: int = 6) -> str:
    """Say something and ask for a key, or for ``digits`` of them ended by #; silence asks the same address."""
    answer = VoiceResponse()
    gather = (
        _gather(action, timeout_s=timeout_s, on_empty=True)
        if digits == 1
        else Gather(
            action=action,
            input="dtmf",
            num_digits=digits,
            timeout=timeout_s,
            finish_on_key="#",
            action_on_empty_result=True,
        )
    )
    for sentence in sentences:
        _say(gather, sentence)
    answer.append(gather)
    return str(answer)


def meet(room: str, sentence: str = "") -> str:
    """Bring one side of a call of ours to the other, after a sentence; either leaving ends it for both."""
    answer = VoiceResponse()
    if sentence:
        _say(answer, sentence)
    dial = Dial()
    dial.conference(
        room,
        start_conference_on_enter=True,
        end_conference_on_exit=True,
        beep="false",
        wait_url=NO_MUSIC,
    )
    answer.append(dial)
    return str(answer)


def message(text: str) -> str:
    """Answer an SMS with one."""
    answer = MessagingResponse()
    answer.message(text)
    return str(answer)


def _say(parent: VoiceResponse | Gather, text: str) -> None:
    parent.say(text, language=LANGUAGE)


def _gather(action: str, *, timeout_s: int = 1, on_empty: bool = False) -> Gather:
    return Gather(
        action=action,
        input="dtmf",
        num_digits=1,
        timeout=timeout_s,
        finish_on_key="",
        action_on_empty_result=True if on_empty else None,
    )


def _stream(sound: Sound, links: Links) -> Start:
    start = Start()
    stream = start.stream(url=sound.url, track="inbound_track", status_callback=links.stream_status())
    stream.parameter(name=PARAMETER, value=sound.token)
    return start
