"""A report on the road: written without network, sent by itself, never over what others did, gone at log-out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, Route, expect
from sqlalchemy import select

from hotline.accounts.roles import Role
from hotline.db import SessionFactory, session_scope
from hotline.work_orders import evidence, queries, service
from hotline.work_orders.models import OrderFile, Report, WorkOrder
from hotline.work_orders.states import Status
from tests.factories import people
from tests.factories.orders import WHEN, order_at, report_fields
from tests.factories.pictures import BLUE, GREEN, photo
from tests.factories.units import City
from tests.waiting import until
from tests.web.portal.conftest import OpenPage, log_in
from tests.web.staff import Clock

pytestmark = pytest.mark.browser

KEPT = """async () => {
  const there = (await indexedDB.databases()).some((base) => base.name === "hotline-drafts");
  if (!there) return { drafts: [], seen: [] };
  const done = (asked) => new Promise((found) => { asked.onsuccess = () => found(asked.result); });
  const base = await done(indexedDB.open("hotline-drafts"));
  const all = (name) => done(base.transaction(name).objectStore(name).getAll());
  const found = { drafts: await all("drafts"), seen: await all("seen") };
  base.close();
  return found;
}"""
CACHED = """async () => {
  const texts = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) texts.push([request.url, await (await cache.match(request)).text()]);
  }
  return texts;
}"""
PERSONAL = ("王小明", "19900001234", "199****1234", "五洲国际", "停水", "王*")


def made(sessions: SessionFactory, here: City, status: Status = Status.IN_HAND_TIER3) -> str:
    with session_scope(sessions) as session:
        return order_at(session, here, status).order_no


def state_of(sessions: SessionFactory, number: str) -> str:
    with sessions() as session:
        return session.scalars(select(WorkOrder.status).where(WorkOrder.order_no == number)).one()


def kept_for_the_road(page: Page) -> None:
    """Wait until the telephone keeps the empty form.

    A page that is opened in the very moment the keeper takes over may be overlooked by it; the next never is.
    """
    page.goto("/portal")
    page.evaluate("async () => { await navigator.serviceWorker.ready; }")
    page.goto("/portal")
    until(lambda: page.evaluate("Boolean(navigator.serviceWorker.controller)"), "the keeper of the empty form")


def write(page: Page, reply: str = "您好，水管已修复。") -> None:
    """Go through the steps of a report, up to the last."""
    onward = page.get_by_role("button", name="下一步")
    page.get_by_role("radio", name="没有联系", exact=True).check()
    onward.click()
    page.get_by_role("radio", name="已解决", exact=True).check()
    onward.click()
    onward.click()
    page.get_by_label("何人何时到场").fill("更换DN40闸阀一只")
    onward.click()
    page.get_by_label("答复内容").fill(reply)
    onward.click()


def press_send(page: Page) -> None:
    page.get_by_role("button", name="提交反馈").click()


def test_a_report_is_begun_and_sent_off_where_there_is_no_network(
    here: City, sessions: SessionFactory, telephone: OpenPage, tmp_path: Path
) -> None:
    number = made(sessions, here)
    page = telephone(here.township_clerk)
    kept_for_the_road(page)
    page.context.set_offline(True)
    page.goto(f"/portal/orders/{number}/report")  # never opened before
    expect(page.get_by_text("现在没有网络")).to_be_visible()
    expect(page.locator("[data-offline-number]")).to_have_text(number)
    (tmp_path / "before.jpg").write_bytes(photo(2600, 1300, colour=BLUE, gps=True))
    (tmp_path / "after.jpg").write_bytes(photo(800, 600, colour=GREEN, turned=6, gps=True))
    onward = page.get_by_role("button", name="下一步")
    page.get_by_role("radio", name="没有联系", exact=True).check()
    onward.click()
    page.get_by_role("radio", name="已解决", exact=True).check()
    onward.click()
    page.get_by_label("办理前").set_input_files(tmp_path / "before.jpg")
    page.get_by_label("办理后").set_input_files(tmp_path / "after.jpg")
    expect(page.locator(".shot-list img")).to_have_count(2)
    page.reload()  # the battery was pulled: everything is still there
    expect(page.get_by_role("heading", name="联系市民了吗")).to_be_visible()
    onward.click()
    onward.click()
    expect(page.locator(".shot-list img")).to_have_count(2)
    onward.click()
    page.get_by_label("何人何时到场").fill("更换DN40闸阀一只")
    onward.click()
    page.get_by_label("答复内容").fill("您好，水管已修复。")
    onward.click()
    expect(page.locator("[data-review-photos]")).to_have_text("2 个")
    press_send(page)
    expect(page.locator("#drafts")).to_contain_text("已保存，联网后自动提交")
    assert state_of(sessions, number) == Status.IN_HAND_TIER3

    page.context.set_offline(False)
    until(lambda: state_of(sessions, number) == Status.TO_CHECK_TIER2, "the report to be sent by itself")
    expect(page.locator("#drafts")).to_have_count(0)
    with sessions() as session:
        report = session.scalars(select(Report)).one()
        files = session.scalars(select(OrderFile).order_by(OrderFile.kind)).all()
        assert [(file.kind, file.report_id) for file in files] == [("after", report.id), ("before", report.id)]
        assert [(file.width, file.height) for file in files] == [(600, 800), (2048, 1024)]
        order = session.scalars(select(WorkOrder)).one()
        assert evidence.has_before_and_after(order)
    page.goto(f"/portal/orders/{number}")
    page.get_by_text("照片和附件").scroll_into_view_if_needed()
    shown = page.locator(".pair img")
    expect(shown).to_have_count(2)
    drawn = "(all) => all.every((one) => one.complete && one.naturalWidth > 0)"
    until(lambda: shown.evaluate_all(drawn), "the photographs")


def test_what_a_telephone_keeps_tells_nothing_of_the_caller(
    here: City, sessions: SessionFactory, telephone: OpenPage
) -> None:
    number = made(sessions, here)
    page = telephone(here.township_clerk)
    kept_for_the_road(page)
    page.goto(f"/portal/orders/{number}")
    page.goto(f"/portal/orders/{number}/report")
    write(page, "您好，已恢复供水。")
    expect(page.get_by_text("已存在这台手机上")).to_be_visible()
    until(lambda: "已恢复供水" in json.dumps(page.evaluate(KEPT), ensure_ascii=False), "the draft to be kept")
    kept = page.evaluate(KEPT)
    cached = page.evaluate(CACHED)
    assert not any("csrf_token" in text for url, text in cached if url.endswith("/offline"))
    assert {url.partition("?")[0].rpartition("/")[2] for url, _ in cached} >= {"offline", "steps.js", "hotline.css"}
    assert not any("/orders/" in url for url, _ in cached)
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    for text in (json.dumps(kept, ensure_ascii=False), stored, *(text for _, text in cached)):
        for word in PERSONAL:
            assert word not in text, word


def test_what_others_did_meanwhile_stands_beside_what_was_typed(
    here: City, sessions: SessionFactory, telephone: OpenPage, clock: Clock
) -> None:
    number = made(sessions, here)
    page = telephone(here.township_clerk)
    page.goto(f"/portal/orders/{number}/report")
    write(page, "您好，水管已修复，请放心使用。")
    page.context.set_offline(True)
    press_send(page)
    expect(page.locator("#drafts")).to_contain_text("联网后自动提交")
    with session_scope(sessions) as session:
        order = queries.visible_to(session, here.reviewer, number)
        service.supplement(
            session, order=order, actor=here.operator, now=clock.now, text="又停水了，请再来看看", **WHEN
        )
    page.context.set_offline(False)
    expect(page.locator("#meanwhile")).to_contain_text("补充情况")
    assert state_of(sessions, number) == Status.IN_HAND_TIER3  # nothing went over it
    onward = page.get_by_role("button", name="下一步")
    for _ in range(4):
        onward.click()
    expect(page.get_by_label("答复内容")).to_have_value("您好，水管已修复，请放心使用。")
    page.get_by_label("答复内容").fill("您好，已再次到场，水管已修复。")
    onward.click()
    press_send(page)
    expect(page.get_by_text("已提交反馈")).to_be_visible()
    assert state_of(sessions, number) == Status.TO_CHECK_TIER2


def test_what_a_colleague_reported_meanwhile_is_not_reported_twice(
    here: City, sessions: SessionFactory, telephone: OpenPage, clock: Clock
) -> None:
    number = made(sessions, here)
    page = telephone(here.township_clerk)
    page.goto(f"/portal/orders/{number}/report")
    write(page, "您好，水管已修复，请放心使用。")
    page.context.set_offline(True)
    press_send(page)
    expect(page.locator("#drafts")).to_contain_text("联网后自动提交")
    with session_scope(sessions) as session:  # a colleague was faster
        order = queries.visible_to(session, here.reviewer, number)
        colleague = people.actor(session, Role.U3, unit=here.township)
        service.report(session, order=order, actor=colleague, now=clock.now, **report_fields(), **WHEN)
    page.context.set_offline(False)
    expect(page.get_by_text("不在本单位手里")).to_be_visible()
    expect(page.locator("#meanwhile")).to_contain_text("反馈结果")
    for _ in range(4):
        page.get_by_role("button", name="下一步").click()
    expect(page.get_by_label("答复内容")).to_have_value("您好，水管已修复，请放心使用。")
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_role("button", name="提交反馈")).to_be_hidden()
    with sessions() as session:
        assert len(session.scalars(select(Report)).all()) == 1


def test_log_out_wipes_what_was_kept(here: City, sessions: SessionFactory, telephone: OpenPage) -> None:
    number = made(sessions, here)
    page = telephone(here.township_clerk)
    page.goto(f"/portal/orders/{number}/report")
    write(page)
    until(lambda: page.evaluate(KEPT)["drafts"], "the draft to be kept")
    page.goto("/portal")
    expect(page.locator("#drafts")).to_contain_text("有没写完的反馈")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    page.locator("details.who summary").click()
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/login")
    assert len(asked) == 1
    assert page.evaluate(KEPT) == {"drafts": [], "seen": []}


@pytest.mark.parametrize("where", ["the form itself", "/password"])
def test_whoever_logs_out_anywhere_is_asked_first(
    here: City, sessions: SessionFactory, telephone: OpenPage, where: str
) -> None:
    number = made(sessions, here)
    page = telephone(here.township_clerk)
    page.goto(f"/portal/orders/{number}/report")
    write(page)
    until(lambda: page.evaluate(KEPT)["drafts"], "the draft to be kept")
    if where != "the form itself":
        page.goto(where)  # nothing here shows what waits
    asked: list[str] = []

    def stay_then_go(dialog: Dialog) -> None:
        asked.append(dialog.message)
        if len(asked) == 1:
            dialog.dismiss()
        else:
            dialog.accept()

    page.on("dialog", stay_then_go)
    page.locator("details.who summary").click()
    with page.expect_event("dialog"):
        page.get_by_role("button", name="退出登录").click()
    assert len(page.evaluate(KEPT)["drafts"]) == 1
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/login")
    assert asked == ["这台手机上还有没提交的反馈，退出登录会把它删除。确定退出吗？"] * 2
    assert page.evaluate(KEPT) == {"drafts": [], "seen": []}


def test_somebody_else_who_logs_in_finds_nothing(here: City, sessions: SessionFactory, telephone: OpenPage) -> None:
    number = made(sessions, here)
    page = telephone(here.township_clerk)
    page.goto(f"/portal/orders/{number}/report")
    write(page)
    until(lambda: page.evaluate(KEPT)["drafts"], "the draft to be kept")
    page.context.clear_cookies()  # a log-in that ran out: nobody logged out
    log_in(page, sessions, here.other_township_clerk)
    until(lambda: page.evaluate(KEPT)["drafts"] == [], "the draft of another to go")
    expect(page.locator("#drafts")).to_have_count(0)


def test_a_browser_that_keeps_nothing_reports_with_photographs_all_the_same(
    here: City, sessions: SessionFactory, telephone: OpenPage, tmp_path: Path
) -> None:
    number = made(sessions, here)
    page = telephone(here.township_clerk)
    page.add_init_script(  # as over plain http, in a private window
        """for (const [where, name] of [[window, "indexedDB"], [navigator, "locks"], [crypto, "randomUUID"]])
             Object.defineProperty(where, name, { value: undefined });"""
    )
    page.goto(f"/portal/orders/{number}/report")
    (tmp_path / "after.jpg").write_bytes(photo(800, 600, colour=GREEN))
    page.locator("#f-files-after").set_input_files(tmp_path / "after.jpg")
    expect(page.locator(".shot-list img")).to_have_count(1)
    write(page)
    expect(page.get_by_text("已存在这台手机上")).to_be_hidden()
    press_send(page)
    expect(page.get_by_text("已提交反馈")).to_be_visible()
    with sessions() as session:
        assert session.scalars(select(OrderFile.report_id)).one() is not None


def test_a_photograph_the_server_refuses_is_said_and_the_words_stay(
    here: City, sessions: SessionFactory, telephone: OpenPage, tmp_path: Path
) -> None:
    number = made(sessions, here)
    page = telephone(here.township_clerk)
    page.goto(f"/portal/orders/{number}/report")
    (tmp_path / "same.jpg").write_bytes(photo(800, 600, colour=GREEN))
    (tmp_path / "v.mp4").write_bytes(b"ftypmp42")
    page.locator("#f-files-after").set_input_files(tmp_path / "v.mp4")
    page.get_by_role("radio", name="没有联系", exact=True).check()
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("radio", name="已解决", exact=True).check()
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_text("视频请勿上传")).to_be_visible()
    for kind in ("before", "after"):  # the same picture for both
        page.locator(f"#f-files-{kind}").set_input_files(tmp_path / "same.jpg")
    expect(page.locator(".shot-list img")).to_have_count(2)
    page.get_by_role("button", name="下一步").click()
    page.get_by_label("何人何时到场").fill("更换DN40闸阀一只")
    page.get_by_role("button", name="下一步").click()
    page.get_by_label("答复内容").fill("您好，水管已修复。")
    page.get_by_role("button", name="下一步").click()
    press_send(page)
    expect(page.get_by_text("请换一张")).to_be_visible()
    assert state_of(sessions, number) == Status.IN_HAND_TIER3
    page.get_by_role("button", name="移除").last.click()
    for _ in range(3):
        page.get_by_role("button", name="下一步").click()
    press_send(page)
    expect(page.get_by_text("已提交反馈")).to_be_visible()


def chosen(page: Page, folder: Path) -> None:
    """Choose a child's face and a place as it was before, and the place once more as it is now."""
    (folder / "child.jpg").write_bytes(photo(700, 500, colour=BLUE))
    (folder / "place.jpg").write_bytes(photo(800, 600, colour=GREEN))
    for count, (kind, name) in enumerate((("before", "child"), ("before", "place"), ("after", "place")), start=1):
        page.locator(f"#f-files-{kind}").set_input_files(folder / f"{name}.jpg")
        expect(page.locator(".shot-list img")).to_have_count(count)


def on_the_server(sessions: SessionFactory) -> list[tuple[str, str, bool]]:
    with sessions() as session:
        return [(row.kind, row.name, row.report_id is not None) for row in session.scalars(select(OrderFile))]


def test_what_was_sent_before_another_was_refused_can_still_be_taken_out(
    here: City, sessions: SessionFactory, telephone: OpenPage, tmp_path: Path
) -> None:
    number = made(sessions, here)
    page = telephone(here.township_clerk)
    page.goto(f"/portal/orders/{number}/report")
    chosen(page, tmp_path)
    write(page)
    press_send(page)
    expect(page.get_by_text("请换一张")).to_be_visible()
    assert len(on_the_server(sessions)) == 2
    page.get_by_role("button", name="移除办理前 1").click()
    expect(page.locator(".shot-list img")).to_have_count(2)
    until(lambda: len(on_the_server(sessions)) == 1, "the child's face to go from the server")
    page.reload()
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="下一步").click()
    expect(page.locator(".shot-list img")).to_have_count(2)  # what stands on the server is shown once
    page.get_by_role("button", name="移除办理后 1").click()
    for _ in range(3):
        page.get_by_role("button", name="下一步").click()
    expect(page.locator("[data-review-photos]")).to_have_text("1 个")
    press_send(page)
    expect(page.get_by_text("已提交反馈")).to_be_visible()
    assert on_the_server(sessions) == [("before", "place.jpg", True)]


def test_what_is_taken_out_without_network_is_never_reported(
    here: City, sessions: SessionFactory, telephone: OpenPage, tmp_path: Path
) -> None:
    number = made(sessions, here)
    page = telephone(here.township_clerk)
    page.goto(f"/portal/orders/{number}/report")
    (tmp_path / "child.jpg").write_bytes(photo(700, 500, colour=BLUE))
    page.locator("#f-files-before").set_input_files(tmp_path / "child.jpg")
    expect(page.locator(".shot-list img")).to_have_count(1)
    write(page)

    def answer_lost(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route(f"**/order-files/{number}", answer_lost)
    press_send(page)
    expect(page.locator("#drafts")).to_contain_text("联网后自动提交")
    assert on_the_server(sessions) == [("before", "child.jpg", False)]
    page.unroute(f"**/order-files/{number}")
    page.context.set_offline(True)
    for _ in range(3):
        page.get_by_role("button", name="上一步").click()
    page.get_by_role("button", name="移除办理前 1").click()
    expect(page.locator(".shot-list img")).to_have_count(0)
    expect(page.get_by_text("提交前会先把它删除")).to_be_visible()
    for _ in range(3):
        page.get_by_role("button", name="下一步").click()
    press_send(page)
    expect(page.locator("#drafts")).to_contain_text("联网后自动提交")
    page.context.set_offline(False)
    until(lambda: state_of(sessions, number) == Status.TO_CHECK_TIER2, "the report to be sent by itself")
    assert on_the_server(sessions) == []
