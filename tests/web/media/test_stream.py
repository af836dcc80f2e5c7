"""A leg's sound on a real socket: what is heard, what is refused, what is survived."""

from __future__ import annotations

import logging

import pytest
import websocket

from hotline.config import Settings
from hotline.media import BAD_FRAMES_AT_MOST, MESSAGE_AT_MOST
from hotline.speech.silent import SilentEngine
from hotline.web.stream_token import make_token
from tests.waiting import until
from tests.web.media.conftest import FRAME, Desk, MakeDesk


def wait_until_free(desk: Desk) -> None:
    """Everything a stream held is given back: recogniser, leg, slot."""
    until(lambda: desk.ears.legs, "the stream to begin")
    until(lambda: desk.engine.open_now == 0 and desk.desk.pool.figures().legs == 0, "the recogniser to be freed")
    until(lambda: all(ear.counts for ear in desk.ears.legs), "the end to be told")


def test_a_leg_is_heard_from_start_to_stop(desk: Desk) -> None:
    line = desk.carrier.open(leg_id=42)
    line.media(52)
    line.stop()
    assert line.goodbye() == (1000, "stopped")
    [ear] = desk.ears.legs
    assert (ear.leg_id, ear.finals, ear.counts) == (42, ["共1040毫秒"], {"frames": 52, "dropped": 0})
    assert [one.text for one in ear.words][:2] == ["200毫秒", "400毫秒"]
    wait_until_free(desk)


def test_a_process_that_is_to_end_ends_its_streams_with_their_last_words_and_keeps_them(desk: Desk) -> None:
    line = desk.carrier.open()
    line.media(7)
    until(lambda: desk.desk.pool.figures().frames_in == 7, "the sound to arrive")
    desk.desk.stopping = lambda: True
    line.media(1)
    assert line.goodbye() == (1001, "shutting down")
    wait_until_free(desk)
    assert desk.ears.legs[0].finals == ["共160毫秒"]
    desk.desk.close()
    assert desk.ears.closed


def test_a_digit_and_a_mark_between_the_sound_change_nothing(desk: Desk) -> None:
    line = desk.carrier.open()
    line.media(5)
    line.say({"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": "0"}})
    line.say({"event": "mark", "mark": {"name": "greeting"}})
    line.media(5)
    line.stop()
    line.goodbye()
    assert desk.ears.legs[0].counts == {"frames": 10, "dropped": 0}


def test_hanging_up_without_a_word_releases_everything_and_the_last_words_are_kept(desk: Desk) -> None:
    line = desk.carrier.open()
    line.media(7)
    until(lambda: desk.desk.pool.figures().frames_in == 7, "the sound to arrive")
    line.hang_up()
    wait_until_free(desk)
    assert desk.ears.legs[0].finals == ["共140毫秒"]
    assert desk.count("closed_1006") == 1


def test_the_carrier_closing_the_socket_properly_is_an_end_too(desk: Desk) -> None:
    line = desk.carrier.open()
    line.media(5)
    line.socket.close(status=1000)
    wait_until_free(desk)
    assert desk.ears.legs[0].finals == ["共100毫秒"]


@pytest.mark.parametrize("how", ["missing", "forged", "for another address"])
def test_a_socket_without_the_carriers_signature_is_refused_with_403(
    desk: Desk, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    signature = {
        "missing": "",
        "forged": desk.carrier.signature(token="guessed"),
        "for another address": desk.carrier.signature("wss://elsewhere.example/media/stream"),
    }[how]
    with caplog.at_level(logging.WARNING), pytest.raises(websocket.WebSocketBadStatusException) as refused:
        desk.carrier.connect(signature)
    assert refused.value.status_code == 403
    assert desk.count("refused_signature") == 1
    assert "/media/stream" in caplog.text


@pytest.mark.parametrize("how", ["missing", "altered", "of another installation"])
def test_a_start_whose_token_does_not_verify_is_closed_with_a_reason(desk: Desk, settings: Settings, how: str) -> None:
    good = make_token(desk.carrier.settings, 7)
    stranger = Settings("https://other.example", "sqlite://", "another secret, as long as it needs", settings.data_keys)
    token = {"missing": None, "altered": "9" + good[1:], "of another installation": make_token(stranger, 7)}[how]
    line = desk.carrier.connect()
    line.connected()
    line.start(token)
    assert line.goodbye() == (1008, "the stream's token does not verify")
    assert (desk.ears.legs, desk.count("refused_token"), desk.engine.open_now) == ([], 1, 0)


def test_sound_that_is_no_telephone_sound_is_refused_with_a_reason(desk: Desk) -> None:
    line = desk.carrier.connect()
    line.start(make_token(desk.carrier.settings, 7), sampleRate=16000)
    assert line.goodbye() == (1003, "wants audio/x-mulaw at 8000 Hz")


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        ("这不是 JSON", "json"),
        (b"\xff\xfe\x00", "json"),
        ("[" * 5000, "json"),
        ("[]", "shape"),
        ('{"event": "media"}', "shape"),
        ('{"event": "media", "sequenceNumber": "many", "media": {"track": "inbound", "payload": ""}}', "shape"),
        ('{"event": "media", "sequenceNumber": "9", "media": {"track": "inbound", "payload": 7}}', "shape"),
        ('{"event": "media", "sequenceNumber": "9", "media": {"track": "inbound", "payload": "~~~"}}', "base64"),
        ('{"event": "media", "sequenceNumber": "9", "media": {"track": "inbound", "payload": "声音"}}', "shape"),
        ('{"event": "media", "sequenceNumber": "1", "media": {"track": "inbound", "payload": ""}}', "order"),
        ('{"event": "media", "sequenceNumber": "99999999", "media": {"track": "inbound", "payload": ""}}', "order"),
        ('{"event": "video", "sequenceNumber": "9"}', "event"),
    ],
)
def test_a_bad_frame_is_counted_and_the_stream_goes_on(desk: Desk, bad: str | bytes, kind: str) -> None:
    line = desk.carrier.open()
    line.media(5)
    line.socket.send(bad, websocket.ABNF.OPCODE_BINARY if isinstance(bad, bytes) else websocket.ABNF.OPCODE_TEXT)
    line.media(5)
    line.stop()
    assert line.goodbye() == (1000, "stopped")
    assert desk.count(f"bad_{kind}") == 1
    assert desk.ears.legs[0].finals == ["共200毫秒"]


def test_the_mixed_outbound_track_is_not_taken_for_the_callers_words(desk: Desk) -> None:
    line = desk.carrier.open()
    line.media(5)
    line.media(5, track="outbound")
    line.stop()
    line.goodbye()
    assert (desk.ears.legs[0].finals, desk.count("bad_track")) == (["共100毫秒"], 5)


def test_frames_lost_on_the_way_are_counted(desk: Desk) -> None:
    line = desk.carrier.open()
    line.media(5)
    line.sequence += 3
    line.media(5)
    line.stop()
    line.goodbye()
    assert desk.ears.legs[0].counts == {"frames": 10, "dropped": 3}


def test_a_second_start_changes_nothing(desk: Desk) -> None:
    line = desk.carrier.open(leg_id=1)
    line.start(make_token(desk.carrier.settings, 2))
    line.media(5)
    line.stop()
    line.goodbye()
    assert [(ear.leg_id, ear.finals) for ear in desk.ears.legs] == [(1, ["共100毫秒"])]
    assert desk.count("bad_order") == 1


def test_a_message_of_a_megabyte_closes_its_stream_with_a_reason_and_no_other(desk: Desk) -> None:
    other = desk.carrier.open(leg_id=1)
    line = desk.carrier.open(leg_id=2)
    line.media(5)
    line.media(payload=FRAME * 6500)
    code, reason = line.goodbye()
    assert code == 1009
    assert str(MESSAGE_AT_MOST) in reason
    other.media(5)
    other.stop()
    assert other.goodbye() == (1000, "stopped")
    wait_until_free(desk)
    assert sorted(tuple(ear.finals) for ear in desk.ears.legs) == [("共100毫秒",), ("共100毫秒",)]


def test_a_message_in_fragments_is_put_together(desk: Desk) -> None:
    line = desk.carrier.open()
    line.media(4)
    whole = '{"event": "media", "sequenceNumber": "6", "media": {"track": "inbound", "payload": "' + "/" * 216 + '"}}'
    for part, opcode, last in ((whole[:50], 1, 0), (whole[50:90], 0, 0), (whole[90:], 0, 1)):
        line.socket.send_frame(websocket.ABNF.create_frame(part, opcode, last))
    line.sequence += 1
    line.stop()
    line.goodbye()
    assert desk.ears.legs[0].counts == {"frames": 5, "dropped": 0}


def test_a_peer_that_never_says_start_is_sent_away(desk: Desk) -> None:
    line = desk.carrier.connect()
    for _ in range(60):
        line.connected()
    assert line.goodbye() == (1008, "no start frame")


def test_a_peer_that_sends_nothing_but_rubbish_is_sent_away(desk: Desk) -> None:
    line = desk.carrier.open()
    for _ in range(BAD_FRAMES_AT_MOST + 1):
        line.socket.send("rubbish")
    assert line.goodbye() == (1007, "nothing but bad frames")
    wait_until_free(desk)


def test_when_every_slot_is_taken_a_stream_is_told_to_try_later_and_the_others_go_on(make_desk: MakeDesk) -> None:
    desk = make_desk(slots=2)
    lines = [desk.carrier.open(leg_id=1), desk.carrier.open(leg_id=2)]
    until(lambda: desk.count("streams") == 2, "both to be listened to")
    late = desk.carrier.connect()
    assert late.goodbye() == (1013, "every slot is taken")
    lines[0].stop()
    assert lines[0].goodbye() == (1000, "stopped")
    lines[0] = desk.carrier.open(leg_id=3)
    for line in lines:
        line.media(5)
        line.stop()
        assert line.goodbye() == (1000, "stopped")
    assert desk.count("refused_full") == 1


def test_a_leg_that_turns_out_to_be_unknown_is_closed_with_a_reason(desk: Desk) -> None:
    line = desk.carrier.open()
    until(lambda: desk.ears.legs, "the leg to be known")
    desk.ears.legs[0].refused = True
    line.media(5)
    assert line.goodbye() == (1008, "leg unknown or over")
    wait_until_free(desk)


def test_without_a_model_the_socket_is_taken_and_drained(make_desk: MakeDesk) -> None:
    desk = make_desk(engine=SilentEngine())
    line = desk.carrier.open()
    line.media(100)
    line.stop()
    assert line.goodbye() == (1000, "stopped")
    assert (desk.ears.legs[0].words, desk.ears.legs[0].counts) == ([], {"frames": 100, "dropped": 0})


def test_a_request_that_is_no_socket_is_refused_in_http(desk: Desk) -> None:
    import requests

    answer = requests.get(desk.carrier.url.replace("ws://", "http://"), timeout=10)
    assert answer.status_code == 400
