"""The demo's story: two recorded callers, one answered on the spot, one whose order goes the whole way.

Told through what people have: telephones on the exchange, pages in a browser. Every step is checked; a step that does
not come true ends the story with a plain reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from rich.console import Console

from hotline.demo.browser import StaffBrowser
from hotline.demo.processes import DemoFault
from hotline.demo.stage import Recorded, Teller, World

SUBMITTED: Final = re.compile(r"已提交，工单编号 (\d{4}-\d{5}-\d)\b")  # orders alike stand on the page as well
WORDS_HEARD: Final = 3  # of five key words: what a small model may miss is known, and no more
ENQUIRY, LAMP = "d03.wav", "d15.wav"
ENTRY_ASKED_FOR: Final = "身份证"

GREET, READ_BACK, TOLD_ANSWER, TOLD_ORDER, GOODBYE = "o01", "o11", "o06", "o05", "o10"


def tell(world: World, console: Console, alive: Callable[[], None]) -> None:
    """Tell both parts. Raises ``DemoFault`` at the first thing that does not come true."""
    teller = Teller(world, console, alive)
    answered_on_the_spot(teller)
    number = lamp_from_call_to_evaluation(teller)
    console.print(f"\n[green]✓[/] the whole line, from the dialled number to the evaluation: {number}")


# ---- the call


def place_call(teller: Teller, caller: Recorded, operator_lines: list[str]) -> str:
    """Let the recorded caller dial and speak while waiting, the operator's headset say its lines; returns the id."""
    world = teller.world
    headset: list[dict[str, Any]] = [{"wait_for": "talking"}]
    headset += [{"say_wav": f"operator/{line}.wav"} for line in operator_lines]
    evaluation = [{"wait_for": "满意请按一", "timeout_s": 120}, {"wait_s": 0.5}, {"press": "1"}, {"wait_s": 3}]
    rules = [
        {"address": "client:*", "answer_after_s": 0.3, "script": headset},
        {"address": caller.phone, "answer_after_s": 0.5, "script": evaluation},
    ]
    world.lab("PUT", "handsets/rules", {"rules": rules})
    script = [
        {"wait_for": "请稍候"},
        {"say_wav": f"callers/{caller.wav}"},
        {"wait_for": "talking"},
        {"wait_for": {"peer_silent_s": 600}, "timeout_s": 900},  # listens on until the line is closed
    ]
    sid: str = world.lab("POST", "calls", {"from": caller.phone, "to": "12345", "script": script})["sid"]
    teller.say("市民", f"{caller.phone[3:6]}****{caller.phone[-4:]} 拨打 12345")
    return sid


def ready(teller: Teller, username: str) -> StaffBrowser:
    """Let the operator log in and wait for calls."""
    desk = teller.world.person(username)
    desk.submit("/desk", "/desk/ready")
    teller.say(username, "登录，示闲")
    return desk


def heard(teller: Teller, sid: str, caller: Recorded) -> None:
    """See the caller's words on the desk before the operator has answered."""
    if not teller.world.hears:
        return

    def words() -> str | None:
        said = [one["text"] for one in teller.world.call(sid).get("utterances", []) if one["track"] == "caller"]
        return "，".join(said) or None

    text = teller.until(words, "transcript of the caller")
    found = [word for word in caller.keywords if word in text]
    teller.say("转写", f"“{text}”（关键词 {len(found)}/{len(caller.keywords)}）")
    if len(found) < WORDS_HEARD:
        raise DemoFault(f"of {caller.keywords} only {found} were heard in {text!r}")


def accept(teller: Teller, desk: StaffBrowser, sid: str) -> str:
    """Accept this call once it is offered, no other, and see both lines joined; returns the desk's address of it."""

    def offered() -> str | None:
        caller = teller.world.call(sid).get("caller")
        ring = re.search(r'<b class="number">([^<]*)</b>.*?/desk/calls/(\d+)/accept', desk.get("/desk"), re.DOTALL)
        return ring[2] if ring and ring[1] == caller else None

    call_id = teller.until(offered, "offer of this very call on the desk")
    desk.send(f"/desk/calls/{call_id}/accept")
    teller.say(desk.username, "接听")
    teller.until(lambda: teller.world.call(sid).get("state") == "talking", "state talking")

    def joined() -> bool:
        line = teller.world.lab("GET", f"calls/{sid}")
        return any(entry["kind"] == "conference" for entry in line["timeline"])

    teller.until(joined, "conference of both lines")
    teller.say("通话", "市民与话务员已接通")
    return f"/desk/calls/{call_id}"


def end(teller: Teller, desk: StaffBrowser, path: str, sid: str, *, seat: str = "seat01") -> None:
    """Let the operator's last words be said, end the call, finish wrap-up."""

    def spoken() -> bool:
        lines = teller.world.lab("GET", f"calls?handset=client:{seat}")["calls"]
        timeline = teller.world.lab("GET", f"calls/{lines[0]['sid']}")["timeline"] if lines else []
        return any("感谢您的来电" in str(entry) for entry in timeline if entry["kind"] == "said")

    teller.until(spoken, "goodbye of the operator")
    desk.submit(path, f"{path}/end")
    teller.until(lambda: teller.world.call(sid).get("state") == "ended", "end of the call")
    wrapped_up(teller, desk)


def wrapped_up(teller: Teller, desk: StaffBrowser) -> None:
    """Let the operator finish wrap-up and take no further call."""
    desk.submit("/desk", "/desk/wrap-up/done")
    desk.submit("/desk", "/desk/away", reason="小休")
    teller.say(desk.username, "结束通话，话后整理完成")


def operators_words(teller: Teller, sid: str) -> None:
    """See that the operator's own leg was transcribed too."""
    if teller.world.hears:
        teller.until(
            lambda: [one for one in teller.world.call(sid)["utterances"] if one["track"] == "operator"],
            "transcript of the operator",
        )


# ---- part one


def answered_on_the_spot(teller: Teller) -> None:
    """A question the knowledge base answers."""
    teller.title("一、当场答复：身份证丢了怎么补办")
    caller = Recorded.named(ENQUIRY)
    desk = ready(teller, "op01")
    sid = place_call(teller, caller, [GREET, TOLD_ANSWER, GOODBYE])
    heard(teller, sid, caller)
    path = accept(teller, desk, sid)
    if teller.world.hears:
        shown = teller.until(lambda: teller.world.call(sid)["suggestions"], "suggested answers")
        best = sorted(shown, key=lambda one: -one["score"])[:5]
        teller.say("知识库", "、".join(f"{one['question']}（{one['score']:.2f}）" for one in best[:3]))
        if not any(ENTRY_ASKED_FOR in one["question"] for one in best):
            raise DemoFault(f"no answer about {ENTRY_ASKED_FOR} among {[one['question'] for one in best]}")
        mark = re.search(rf"{path}/suggestions/(\d+)/used", desk.get(path))
        if mark is None:
            raise DemoFault("no suggestion to mark on the desk")
        desk.send(f"{path}/suggestions/{mark.group(1)}/used")
        desk.submit(path, f"{path}/resolve")
    else:
        desk.submit(path, f"{path}/resolve", no_entry_reason="没有转写，话务员口头答复")
    operators_words(teller, sid)
    if teller.until(lambda: teller.world.call(sid)["outcome"], "outcome") != "answered":
        raise DemoFault("the call was not settled as answered on the spot")
    teller.say("op01", "采用答案，直接答复" if teller.world.hears else "口头答复，注明没有采用的条目")
    end(teller, desk, path, sid)


# ---- part two


def lamp_from_call_to_evaluation(teller: Teller) -> str:
    """A dark street lamp: hub, county, township and back, then the citizen's word; returns the order's number."""
    teller.title("二、转办工单：大尹村镇的路灯不亮")
    caller = Recorded.named(LAMP)
    desk = ready(teller, "op01")
    sid = place_call(teller, caller, [GREET, READ_BACK, TOLD_ORDER, GOODBYE])
    heard(teller, sid, caller)
    path = accept(teller, desk, sid)
    number = submit_order(teller, desk, path)
    end(teller, desk, path, sid)
    message_with(teller, caller.phone, number)
    handle(teller, number)
    evaluated(teller, number)
    return number


def submit_order(teller: Teller, desk: StaffBrowser, path: str) -> str:
    """Check what the conversation filled in, complete it and submit."""
    desk.get(path)
    form = next(form for form in desk.forms() if form.action.endswith("/draft"))
    filled = {name: form.values.get(name, "") for name in ("category_code", "area_code", "address", "content")}
    if teller.world.hears:
        teller.say("草稿", f"由通话填入：{filled['address']}，{filled['content']}")
        if not filled["content"]:
            raise DemoFault("the draft was not filled from the conversation")
    completed = {
        "demand_type": "help",
        "category_code": "CJ-LD",
        "area_code": "131124002",
        "address": filled["address"] or "饶阳县大尹村镇",
        "content": filled["content"] or "市民反映：大尹村镇的路灯一个月没亮了。",
        "desired_result": "尽快修好路灯",
        "read_back_ok": "1",
    }
    found = SUBMITTED.search(desk.send(f"{path}/draft", to=f"{path}/submit", **completed))
    if found is None:
        raise DemoFault("the desk shows no order number after submitting")
    number = found.group(1)
    teller.say(desk.username, f"提交工单 {number}")
    expect(teller, number, "to_review")
    return number


def message_with(teller: Teller, phone: str, number: str) -> None:
    """See the SMS on the citizen's telephone."""

    def received() -> str | None:
        found = teller.world.lab("GET", f"handsets/{phone}/messages")["messages"]
        return next((one["body"] for one in found if number in one["body"]), None)

    teller.say("短信", teller.until(received, f"SMS about {number}"))


def dispatch(world: World, number: str) -> None:
    """Send the order to the county of the place: where the proposal is unsure, the dispatcher reads both and picks."""
    reviewer, address = world.person("rev01"), f"/office/dispatch/{number}"
    choices = re.findall(r'name="lead" value="([^"]*)"[^>]*>(.*?)</label>', reviewer.get(address), re.DOTALL)
    lead = next((value for value, words in choices if "饶阳县" in words), None)
    if lead is None:
        raise DemoFault(f"饶阳县 is not proposed for {number}")
    reviewer.send(address, lead=lead, advice="请属地核实维修")


def handle(teller: Teller, number: str) -> None:
    """Dispatch, sign, hand down, sign, report, check, check."""
    person = teller.world.person
    dispatch(teller.world, number)
    teller.say("rev01", "派单：饶阳县人民政府主办")
    expect(teller, number, "to_sign")
    receipted(teller, number)
    page = f"/portal/orders/{number}"
    person("ry").submit(page, f"{page}/sign")
    teller.say("饶阳县", "签收")
    expect(teller, number, "in_hand")
    person("ry").submit(f"{page}/hand-down", f"{page}/hand-down", advice="请今天到现场核实")
    teller.say("饶阳县", "转派大尹村镇")
    expect(teller, number, "to_sign_tier3")
    teller.until(lambda: page in person("ry02").get("/portal"), "order in the township's inbox")
    person("ry02").submit(page, f"{page}/sign")
    teller.say("大尹村镇", "签收")
    expect(teller, number, "in_hand_tier3")
    person("ry02").submit(
        f"{page}/report",
        f"{page}/report",
        contacted="yes",
        solved="yes",
        process="到现场核实，线路接头烧断，已更换并试灯。",
        public_reply="您好！您反映的路灯不亮问题已到现场核实，烧断的线路接头已更换，路灯恢复照明。感谢您的监督。",
    )
    teller.say("大尹村镇", "反馈：已联系市民，已解决")
    expect(teller, number, "to_check_tier2")
    person("ry").submit(page, f"{page}/approve")
    teller.say("饶阳县", "审核通过")
    expect(teller, number, "to_check_hub")
    person("rev01").submit(f"/office/check/{number}", f"/office/check/{number}/approve")
    teller.say("rev01", "中心审核通过，转回访")
    expect(teller, number, "to_call_back")


def receipted(teller: Teller, number: str) -> None:
    """See that the push reached the county's inbox."""
    county = teller.world.person("ry")
    teller.until(lambda: f"/portal/orders/{number}" in county.get("/portal"), "order in the county's inbox")
    teller.say("推送", "工单已到饶阳县收件箱")


def evaluated(teller: Teller, number: str) -> None:
    """Let the machine ask by keypad; the citizen presses 1."""
    asked_by_keypad(teller, number)
    teller.until(lambda: order(teller, number)["status"] == "closed", "closed order after the evaluation", 60)
    found = order(teller, number)
    if found["satisfaction"] != "satisfied":
        raise DemoFault(f"the citizen pressed 1, the order says {found['satisfaction']}")
    teller.say("市民", "按 1：满意。工单办结")


def callback_of(teller: Teller, number: str) -> str:
    """Find the order on the duty desk; returns the desk's address of its callback."""
    duty = teller.world.person("cbk01")

    def listed() -> str | None:
        cards = [card for card in duty.get("/duty").split("<article") if number in card]
        found = re.search(r'"(/duty/\d+)"', cards[0]) if cards else None
        return found.group(1) if found else None

    return teller.until(listed, "callback on the duty desk")


def asked_by_keypad(teller: Teller, number: str) -> str:
    """Let the machine ask the citizen; returns the duty desk's address of the callback."""
    page = callback_of(teller, number)
    teller.world.person("cbk01").submit(page, f"{page}/keypad")
    teller.say("cbk01", "自动语音回访")
    return page


def order(teller: Teller, number: str) -> dict[str, Any]:
    """Return the order as the hub sees it."""
    return teller.world.api(f"work-orders/{number}")


def expect(teller: Teller, number: str, status: str) -> None:
    """Raise ``DemoFault`` unless the order is in this status."""
    found = order(teller, number)["status"]
    if found != status:
        raise DemoFault(f"{number} should be {status} and is {found}")
