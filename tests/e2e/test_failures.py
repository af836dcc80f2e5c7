"""What breaks, and what people notice of it: a process dies, Redis stops, a line falls, a stranger knocks."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
import requests
from rich.console import Console

from hotline.delivery.models import Delivery, DeliveryState
from hotline.demo.browser import TIMEOUT_S, StaffBrowser
from hotline.demo.processes import DemoFault
from hotline.demo.stage import Recorded, Teller, World
from hotline.demo.story import (
    GOODBYE,
    READ_BACK,
    accept,
    asked_by_keypad,
    dispatch,
    end,
    expect,
    handle,
    heard,
    message_with,
    order,
    ready,
    receipted,
    submit_order,
    wrapped_up,
)
from hotline.follow_ups.models import Evaluation
from hotline.outbox import OutboxMessage
from hotline.work_orders.models import WorkOrder
from tests.e2e.conftest import PATIENCE_S, House, Records

LISTENS_ON = {"wait_for": {"peer_silent_s": 600}, "timeout_s": 900}  # until the line is closed
SEAT = "client:seat02"


@pytest.fixture(autouse=True)
def quiet_house(house: House, teller: Teller) -> Iterator[None]:
    """Leave a house in which all run and nobody talks or waits, however a story ended."""
    yield
    house.valkey.start()
    for program in house.programs.values():
        if program.name not in house.supervisor.running:
            house.supervisor.start(program)
    house.supervisor.wait_until_up(list(house.programs.values()))
    for line in house.world.lab("GET", "calls?live=1")["calls"]:
        house.world.lab("POST", f"calls/{line['sid']}/hang-up", {})

    def known() -> bool:
        """Whether the hotline has heard of every end: it would offer a call whose caller has just gone."""
        lines = house.world.lab("GET", "calls")["calls"]
        return all(house.world.call(line["sid"]).get("state") in {None, "ended"} for line in lines)

    teller.until(known, "end of every call at the hotline")
    desk = house.world.staff.get("op02")
    if desk is not None:

        def left() -> bool:
            page = desk.get("/desk")
            if "/desk/leave" in page:  # not in a call any more
                page = desk.send("/desk/leave")
            return 'data-state="offline"' in page

        teller.until(left, "way to leave the desk")


@pytest.fixture
def silent(house: House) -> Teller:
    """Tells of callers who say nothing, where their words are not what matters."""
    return Teller(replace(house.world, hears=False), Console(), house.supervisor.check, patience_s=PATIENCE_S)


def telephones(world: World, **scripts: Sequence[dict[str, Any]]) -> None:
    """Let these telephones be answered and follow their scripts; nobody answers any other."""
    rules = [
        {"address": address, "answer_after_s": 0.3, "script": [*script, LISTENS_ON]}
        for address, script in scripts.items()
    ]
    world.lab("PUT", "handsets/rules", {"rules": rules})


def call_in(world: World, phone: str, *wavs: str) -> str:
    """Let a caller dial who cuts the greeting short, speaks while waiting and stays; returns the call's id."""
    says = [{"say_wav": f"callers/{wav}"} for wav in wavs]
    script = [{"wait_for": "digits_prompt"}, {"press": "1"}, {"wait_for": "请稍候"}, *says, LISTENS_ON]
    sid: str = world.lab("POST", "calls", {"from": phone, "to": "12345", "script": script})["sid"]
    return sid


def line_of(world: World, telephone: str) -> dict[str, Any]:
    """Return the newest line of a telephone, {} before there is one."""
    found = world.lab("GET", f"calls?handset={quote(telephone)}")["calls"]
    line: dict[str, Any] = world.lab("GET", f"calls/{found[0]['sid']}") if found else {}
    return line


def talking(world: World, *telephones: str) -> bool:
    """Whether all these telephones are with somebody."""
    return all(line_of(world, telephone).get("talking") for telephone in telephones)


def texts(world: World, phone: str, number: str) -> list[str]:
    """Return the texts about an order on a telephone."""
    found = world.lab("GET", f"handsets/{phone}/messages")["messages"]
    return [one["body"] for one in found if number in one["body"]]


def test_when_the_media_process_dies_both_talk_on_and_the_next_caller_is_heard_again(
    house: House, teller: Teller
) -> None:
    world = teller.world
    caller = replace(Recorded.named("d05.wav"), phone="+8619900001001")
    desk = ready(teller, "op02")
    telephones(world, **{SEAT: []})
    sid = call_in(world, caller.phone, caller.wav)
    heard(teller, sid, caller)
    path = accept(teller, desk, sid)

    media = house.supervisor.running.pop("media")
    os.killpg(media.pid, signal.SIGKILL)  # the master and its worker at one blow
    media.wait()

    def lost() -> bool:
        return any("the socket was lost" in entry["text"] for entry in world.lab("GET", f"calls/{sid}")["timeline"])

    teller.until(lost, "loss of the caller's stream")
    desk.until(path, lambda page: "转写不可用：市民一侧的声音中断" in page, "word that nothing is transcribed")
    assert talking(world, caller.phone, SEAT)
    for wav in (READ_BACK, GOODBYE):
        world.lab("POST", f"calls/{line_of(world, SEAT)['sid']}/say", {"wav": f"operator/{wav}.wav"})

    def reached() -> bool:
        timeline = world.lab("GET", f"calls/{sid}")["timeline"]
        return any(entry["kind"] == "peer" and "重复一下" in entry["text"] for entry in timeline)

    teller.until(reached, "words of the operator at the caller's ear")
    number = submit_order(teller, desk, path)
    end(teller, desk, path, sid, seat="seat02")
    message_with(teller, caller.phone, number)
    assert world.call(sid)["outcome"] == "ordered"

    house.supervisor.start(house.programs["media"])
    house.supervisor.wait_until_up([house.programs["media"]])
    second = replace(Recorded.named("d07.wav"), phone="+8619900001002")
    heard(teller, call_in(world, second.phone, second.wav), second)


def test_an_order_of_an_hour_without_redis_is_sent_once_when_it_is_back(
    house: House, silent: Teller, records: Records
) -> None:
    world, phone = silent.world, "+8619900001003"
    desk = ready(silent, "op02")
    telephones(world, **{SEAT: []})
    sid = call_in(world, phone)
    path = accept(silent, desk, sid)

    house.valkey.stop()
    number = submit_order(silent, desk, path)
    world.staff["rev01"] = StaffBrowser(world.web, "rev01", world.password)  # a new log-in, too
    dispatch(world, number)
    expect(silent, number, "to_sign")
    receipted(silent, number)  # the inbox is read from the database
    assert talking(world, phone, SEAT)
    desk.submit(path, f"{path}/end")
    silent.until(lambda: world.call(sid).get("state") == "ended", "end of the call")
    wrapped_up(silent, desk)
    assert texts(world, phone, number) == []

    house.valkey.start()
    message_with(silent, phone, number)

    def settled() -> bool:
        with records() as session:
            order_id = session.query(WorkOrder).filter_by(order_no=number).one().id
            rows = session.query(OutboxMessage).filter(OutboxMessage.settled_at.is_(None)).all()
            return not any(row.payload.get("order_id") == order_id for row in rows)

    silent.until(settled, "end of the sending")
    assert len(texts(world, phone, number)) == 1
    with records() as session:
        order_id = session.query(WorkOrder).filter_by(order_no=number).one().id
        sent = session.query(Delivery).filter_by(order_id=order_id).all()
        assert sorted(one.channel for one in sent) == ["portal", "sms"]
        assert {one.state for one in sent} <= {DeliveryState.SENT, DeliveryState.RECEIPTED}
        assert not session.query(OutboxMessage).filter_by(failed=True).count()


def test_a_draft_outlives_a_caller_who_hangs_up_and_is_submitted_after_the_call(silent: Teller) -> None:
    world, phone = silent.world, "+8619900001004"
    desk = ready(silent, "op02")
    telephones(world, **{SEAT: []})
    sid = call_in(world, phone)
    path = accept(silent, desk, sid)
    desk.until(path, lambda page: 'data-phase="talking"' in page, "conversation")
    desk.submit(path, f"{path}/draft", content="市民反映村口的井盖丢了，话没有说完。", address="审坡镇")

    world.lab("POST", f"calls/{sid}/hang-up", {})
    silent.until(lambda: world.call(sid).get("state") == "ended", "end of the call")
    desk.until(path, lambda page: "市民已挂断" in page, "word that the caller has left")
    assert not line_of(world, SEAT)["talking"]
    wrapped_up(silent, desk)
    assert path in desk.get("/desk")  # among the drafts to finish
    desk.get(path)
    draft = next(form for form in desk.forms() if form.action.endswith("/draft"))
    assert draft.values["content"] == "市民反映村口的井盖丢了，话没有说完。"

    number = submit_order(silent, desk, path)
    message_with(silent, phone, number)
    assert "话没有说完" in desk.get(f"/desk/orders/{number}")
    assert world.call(sid)["outcome"] == "ordered"


def test_a_dissatisfied_key_brings_a_persons_call_and_the_township_has_the_order_again(
    silent: Teller, records: Records
) -> None:
    world, phone = silent.world, "+8619900001005"
    desk = ready(silent, "op02")
    presses_three: list[dict[str, Any]] = [{"wait_for": "满意请按一"}, {"wait_s": 0.3}, {"press": "3"}]
    telephones(world, **{SEAT: [], phone: presses_three})
    sid = call_in(world, phone)
    number = submit_order(silent, desk, accept(silent, desk, sid))
    world.lab("POST", f"calls/{sid}/hang-up", {})
    silent.until(lambda: world.call(sid).get("state") == "ended", "end of the call")
    wrapped_up(silent, desk)
    handle(silent, number)

    page = asked_by_keypad(silent, number)
    duty = world.person("cbk01")
    shown = [duty.until(page, lambda text: text if "按键不满意" in text else None, "key that said dissatisfied")]
    expect(silent, number, "to_call_back")
    assert f"{page}/keypad" not in shown[0]  # a machine does not ask again

    telephones(world, **{"client:seat09": [], phone: []})
    shown.append(duty.submit(page, f"{page}/dial"))
    silent.until(lambda: talking(world, phone, "client:seat09"), "conversation of officer and citizen")
    assert (line_of(world, phone)["from"], line_of(world, "client:seat09")["from"]) == ("12345", "12345")
    shown += [duty.get(page), duty.get(f"{page}/line")]
    duty.get(page)
    shown.append(
        duty.send(
            f"{page}/evaluation",
            contacted="yes",
            solved="no",
            satisfaction="dissatisfied",
            reasons="not_solved",
            comment="灯还是不亮",
        )
    )
    silent.until(lambda: order(silent, number)["status"] == "in_hand_tier3", "order in the township's hands again")
    assert f"/portal/orders/{number}" in world.person("ry02").get("/portal")
    for text in shown:
        assert phone.removeprefix("+86") not in re.sub(r"[\s-]", "", text)
    with records() as session:
        row = session.query(WorkOrder).filter_by(order_no=number).one()
        assert [event.action for event in row.events][-2:] == ["redo", "take_up"]
        assert (row.close_kind, row.redo_count, row.first_satisfaction) == ("", 1, "dissatisfied")
        said = session.query(Evaluation).filter_by(order_id=row.id).one()
        assert (said.way, said.satisfaction, said.solved) == ("person", "dissatisfied", "no")


def test_a_forged_webhook_is_refused_and_leaves_neither_number_nor_words_in_a_log(house: House, teller: Teller) -> None:
    phone, words, sid = "+8619900001006", "伪造短信的内容", "CA" + "f" * 32
    log = house.supervisor.logs / "web.log"
    begin = log.stat().st_size
    for path, signature in (("/ivr/voice", "Zm9yZ2Vk"), ("/ivr/message", "Zm9yZ2Vk"), ("/ivr/voice", None)):
        answer = requests.post(
            house.world.web + path,
            data={"CallSid": sid, "MessageSid": "SM" + "f" * 32, "From": phone, "To": "12345", "Body": words},
            headers={"X-Twilio-Signature": signature} if signature else {},
            timeout=TIMEOUT_S,
        )
        assert answer.status_code == 403

    def logged() -> str | None:
        text = log.read_bytes()[begin:].decode()
        return text if text.count("refused /ivr/") == 3 and "signature missing" in text else None

    text = teller.until(logged, "log lines of the refusals")
    assert phone.removeprefix("+") not in text and words not in text
    assert house.world.call(sid) == {}
    for one in house.supervisor.logs.glob("*.log"):  # nor of any caller so far
        assert "1990000" not in one.read_text(errors="replace"), one.name


def test_an_operators_second_browser_takes_the_desk_over_and_the_first_is_told(house: House) -> None:
    world = house.world
    second = StaffBrowser(world.web, "op03", world.password)  # open since the morning
    first = StaffBrowser(world.web, "op03", world.password)
    first.submit("/desk", "/desk/ready")
    elsewhere = r"409 at /desk: 受话台已在别处打开"
    with pytest.raises(DemoFault, match=elsewhere):
        StaffBrowser(world.web, "op03", world.password)  # whoever logs in anew is told at once
    with pytest.raises(DemoFault, match=elsewhere):
        second.get("/desk")
    second.send("/desk/take-over")
    assert "/desk/away" in {form.action for form in second.forms()}

    with pytest.raises(DemoFault, match=r"409 .*由另一个窗口接管"):
        first.send("/desk/away", reason="小休")  # its page of before
    with pytest.raises(DemoFault, match=elsewhere):
        first.get("/desk")
    assert "/desk/take-over" in {form.action for form in first.forms()}
    second.submit("/desk", "/desk/leave")
