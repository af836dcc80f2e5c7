"""A city makes the system its own: units, people, lists, each change told, nothing in use taken away."""

from __future__ import annotations

import html
import json
import re

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from hotline import audit
from hotline.accounts.models import User
from hotline.accounts.service import SYSTEM
from hotline.assets.models import Asset
from hotline.db import SessionFactory, session_scope
from hotline.imports import KINDS as IMPORTS
from hotline.imports import preview, read, run
from hotline.units.models import Category, ResponsibilityLine, Unit
from hotline.web.city.lists import Assets
from hotline.work_orders.models import DeadlineProfile
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories.orders import order_at
from tests.factories.units import WATER, City
from tests.unit.imports.files import rows_of
from tests.web.city.conftest import Look
from tests.web.shared.browser import Browser
from tests.web.staff import Staff

AT = "/office/city"
KINDS = ("units", "users", "categories", "responsibility", "gazetteer", "assets", "numbers", "profiles")
PHONE = "19900000077"


def field(answer: TestResponse, name: str) -> str:
    """Return the value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.text)
    assert found is not None
    return found[1]


def change(admin: Browser, path: str, **values: str) -> TestResponse:
    """Open a form, change some fields and send it."""
    page = admin.get(path)
    assert page.status_code == 200
    return admin.post(path, {"seen": field(page, "seen"), "once": field(page, "once")} | values)


def add_unit(admin: Browser, code: str = "SW", **values: str) -> TestResponse:
    """Add a tier-2 unit."""
    wanted = {"code": code, "name": "市水务局", "tier": "2", "parent": "HS", "kind": "department", "channel": "portal"}
    return change(admin, f"{AT}/units/new", **wanted | values)


def one(look: Look, code: str) -> Unit:
    """Return a unit by its code."""
    return look.one(select(Unit).where(Unit.code == code))


@pytest.mark.parametrize("kind", KINDS)
def test_every_list_form_and_sheet_opens(kind: str, admin: Browser) -> None:
    for path in (kind, f"{kind}/new", f"{kind}/history", f"{kind}.csv", f"import/{kind}"):
        assert admin.get(f"{AT}/{path}").status_code == 200, path


def test_units_beyond_what_a_tree_can_show_come_in_pages(admin: Browser, here: City, sessions: SessionFactory) -> None:
    with session_scope(sessions) as session:
        session.add_all(
            Unit(code=f"Z{n}", name=f"站所{n}", tier=3, parent_id=here.county.id, path=f"/1/2/{9000 + n}/")
            for n in range(600)
        )
    page = admin.get(f"{AT}/units").text
    assert "tree-line" not in page and page.count("data-row") == 50 and "page=2" in page


def test_only_the_administrator_may_come_in(here: City, staff: Staff) -> None:
    for actor in (here.reviewer, here.supervisor, here.county_clerk):
        assert staff(actor).get(f"{AT}/units").status_code == 403


def test_a_new_unit_is_there_and_leaves_who_when_and_what(admin: Browser, look: Look) -> None:
    assert add_unit(admin).status_code == 303
    unit = one(look, "SW")
    page = admin.get(f"{AT}/units/{unit.id}/history").text
    assert "管理员老陈" in page and "新增" in page and "市水务局" in page


def test_a_changed_name_is_told_before_and_after(admin: Browser, here: City) -> None:
    change(admin, f"{AT}/units/{here.power.id}", name="市供电公司")
    page = admin.get(f"{AT}/units/{here.power.id}/history").text
    assert "<del>电力公司</del>" in page and "<ins>市供电公司</ins>" in page


def test_what_is_wrong_stands_beside_the_field_and_what_was_typed_is_kept(admin: Browser) -> None:
    answer = add_unit(admin, code="JZ", area_code="12ab")
    assert answer.status_code == 422
    assert "行政区划代码是 6、9 或 12 位数字" in answer.text and 'value="12ab"' in answer.text
    again = add_unit(admin, code="JZ")
    assert "已有，请换一个" in again.text and 'value="市水务局"' in again.text


def test_a_township_moves_under_another_county_with_its_path(admin: Browser, here: City, look: Look) -> None:
    change(admin, f"{AT}/units/{here.township.id}", parent="TC")
    assert one(look, "JZ01").path == f"/{here.hub.id}/{here.other_county.id}/{here.township.id}/"


def test_a_unit_under_itself_is_refused_in_words(admin: Browser, here: City, look: Look) -> None:
    answer = change(admin, f"{AT}/units/{here.county.id}", parent="JZ01")
    assert answer.status_code == 422 and "成环" in answer.text
    assert one(look, "JZ").parent_id == here.hub.id


def test_a_unit_in_use_is_not_put_out_of_use_and_the_page_says_where(
    admin: Browser, here: City, look: Look, sessions: SessionFactory
) -> None:
    with session_scope(sessions) as session:
        order_at(session, here, Status.IN_HAND_TIER3)
    admin.post(f"{AT}/units/{here.county.id}/switch/off")
    assert one(look, "JZ").active
    page = admin.get(f"{AT}/units/{here.county.id}").text
    assert "仍在使用" in page and "下级单位 2" in page and "人员 1" in page and "在办工单 1" in page
    assert f"{AT}/users?q=JZ" in page


def test_an_unused_unit_goes_out_of_use_with_a_way_back(admin: Browser, look: Look) -> None:
    add_unit(admin)
    unit = one(look, "SW")
    admin.post(f"{AT}/units/{unit.id}/switch/off")
    unit = look.again(unit)
    assert not unit.active
    page = admin.get(f"{AT}/units/{unit.id}").text
    assert f'action="{AT}/units/{unit.id}/switch/on"' in page and "撤销" in page
    admin.post(f"{AT}/units/{unit.id}/switch/on")
    unit = look.again(unit)
    assert unit.active


def test_two_who_change_the_same_unit_do_not_overwrite_each_other(admin: Browser, here: City) -> None:
    path = f"{AT}/units/{here.power.id}"
    seen = field(admin.get(path), "seen")
    change(admin, path, name="市供电公司")
    late = admin.post(path, {"seen": seen, "name": "供电局"})
    assert late.status_code == 409 and "刚刚有人改过" in late.text


def test_a_duty_telephone_is_masked_until_a_reason_is_written(admin: Browser, look: Look) -> None:
    add_unit(admin, duty_phone=PHONE)
    unit = one(look, "SW")
    for path in ("units?q=SW", f"units/{unit.id}", f"units/{unit.id}/history", "units.csv"):
        assert PHONE not in admin.get(f"{AT}/{path}").text
    path = f"{AT}/units/{unit.id}/reveal/duty_phone"
    assert PHONE not in admin.post(path, {"reason": "看"}).text
    assert PHONE in admin.post(path, {"reason": "核对值班电话"}).text
    row = look.one(select(audit.AccessLog).where(audit.AccessLog.act == "reveal"))
    assert (row.subject_id, row.reason, row.details) == ("SW", "核对值班电话", {"field": "duty_phone"})


def test_a_sheet_with_telephones_wants_a_reason_and_leaves_a_row(admin: Browser, look: Look) -> None:
    add_unit(admin, duty_phone=PHONE)
    path = f"{AT}/units/take-away"
    assert admin.get(path).status_code == 200
    assert admin.post(path, {"reason": "看"}).status_code == 422
    taken = admin.post(path, {"reason": "移交值班表"})
    cells = [row for _, row in read(taken.data, "单位.xlsx") if row["单位编号"] == "SW"]
    assert cells[0]["值班电话"] == PHONE
    row = look.one(select(audit.AccessLog).where(audit.AccessLog.act == "take_away"))
    assert (row.subject, row.reason) == ("unit", "移交值班表")
    assert "移交值班表" in admin.get(f"{AT}/units/history").text


def test_a_masked_sheet_changes_no_telephone_when_it_comes_back(
    admin: Browser, look: Look, sessions: SessionFactory
) -> None:
    add_unit(admin, duty_phone=PHONE)
    sheet = admin.get(f"{AT}/units.csv?q=SW").text
    assert "199****0077" in sheet
    with sessions() as session:
        rows = read(sheet.replace("市水务局", "水务局").encode(), "单位.csv")
        seen = preview(session, IMPORTS["units"], rows)
        assert (seen.changed, seen.refused) == (1, [])
        assert list(seen.samples[0].after) == ["单位名称"]
        other = read(sheet.replace("199****0077", "199****9999").encode(), "单位.csv")
        assert [one.column for one in preview(session, IMPORTS["units"], other).refused] == ["值班电话"]


def test_a_telephone_left_empty_stays_and_a_dash_takes_it_away(admin: Browser, look: Look) -> None:
    add_unit(admin, duty_phone=PHONE)
    unit = one(look, "SW")
    change(admin, f"{AT}/units/{unit.id}", name="水务局", duty_phone="")
    unit = look.again(unit)
    assert (unit.name, unit.duty_phone) == ("水务局", PHONE)
    change(admin, f"{AT}/units/{unit.id}", duty_phone="-")
    unit = look.again(unit)
    assert unit.duty_phone is None


def test_a_newcomer_gets_a_code_once_and_must_set_a_password_before_anything_else(
    admin: Browser, staff: Staff, here: City, look: Look
) -> None:
    shown = change(admin, f"{AT}/users/new", username="op09", display_name="话务员小周", role="OPR", unit="", seat="s9")
    code = re.search(r"<code>([0-9A-Z]{16})</code>", shown.text)
    assert shown.status_code == 200 and code is not None
    user = look.one(select(User).where(User.username == "op09"))
    assert code[1] not in admin.get(f"{AT}/users/{user.id}").text
    browser = Browser(admin.client.application.test_client())
    browser.log_in("op09", code[1])
    for path in ("/desk", "/office/orders"):
        assert browser.get(path).headers["Location"] == "/password"
    assert "首次登录码" in browser.get("/password").text
    new = {"old": code[1], "new": "long-enough-words", "again": "long-enough-words"}
    assert browser.post("/password", new).status_code == 303
    assert browser.get("/office/orders").status_code == 200


def test_the_last_administrator_stays(admin: Browser, look: Look) -> None:
    keeper = look.one(select(User).where(User.role == "ADM"))
    admin.post(f"{AT}/users/{keeper.id}/switch/off")
    page = admin.get(f"{AT}/users/{keeper.id}")
    assert "不能停用自己" in page.text
    answer = change(admin, f"{AT}/users/{keeper.id}", role="REV", unit="")
    assert answer.status_code == 422 and "最后一位系统管理员" in answer.text
    keeper = look.again(keeper)
    assert (keeper.role, keeper.active) == ("ADM", True)


def test_a_new_code_ends_every_log_in(admin: Browser, here: City, staff: Staff) -> None:
    operator = staff(here.operator)
    answer = admin.post(f"{AT}/users/{here.operator.user_id}/code")
    assert re.search(r"<code>[0-9A-Z]{16}</code>", answer.text)
    assert operator.get("/office/orders").headers["Location"].startswith("/login")


def test_a_version_is_copied_changed_before_its_day_and_never_after(admin: Browser, look: Look) -> None:
    line = {"version": "2026-1", "code": "L1", "matter": "停水", "category": WATER, "lead": "DL", "basis": ""}
    change(admin, f"{AT}/responsibility/new", **line, valid_from="2026-01-01")
    old = look.one(select(ResponsibilityLine))
    assert change(admin, f"{AT}/responsibility/{old.id}", matter="停电").status_code == 409
    copied = {"source": "2026-1", "version": "2027-1", "valid_from": "2027-01-01"}
    assert admin.post(f"{AT}/responsibility/version", copied).status_code == 303
    new = look.one(select(ResponsibilityLine).where(ResponsibilityLine.version == "2027-1"))
    assert change(admin, f"{AT}/responsibility/{new.id}", matter="停水、水压低").status_code == 303
    old, new = look.again(old), look.again(new)
    assert (old.matter, new.matter) == ("停水", "停水、水压低")
    assert "停水、水压低" in admin.get(f"{AT}/responsibility?show=2027-1").text
    begun = admin.post(f"{AT}/responsibility/version", copied | {"version": "x", "valid_from": "2026-01-01"})
    assert begun.status_code == 422 and "今天之后" in begun.text


def test_every_header_of_a_sheet_can_leave_a_real_server(admin: Browser) -> None:
    for path in ("units.csv", "units.xlsx", "import/units/example.xlsx", "texts/export.xlsx", "calendar/export.csv"):
        answer = admin.get(f"{AT}/{path}")
        assert answer.status_code == 200
        for _, value in answer.headers:
            value.encode("latin-1")


def test_a_sheet_taken_away_holds_no_formula(admin: Browser, look: Look) -> None:
    change(admin, f"{AT}/categories/new", code="X1", name="=1+1", parent="")
    assert look.one(select(Category).where(Category.code == "X1")).name == "=1+1"
    assert "'=1+1" in admin.get(f"{AT}/categories.csv").text


def test_a_message_shows_how_it_looks_and_refuses_a_placeholder_nobody_fills(admin: Browser) -> None:
    path = f"{AT}/texts/accepted"
    looks = admin.post(f"{path}/preview", {"text": "编号{order_no}，请留意。"}).text
    assert "【12345热线】编号2611-00042-7，请留意。" in looks
    refused = admin.post(path, {"text": "尊敬的{name}"})
    assert refused.status_code == 422 and "不能使用 {name}" in refused.text and "尊敬的{name}" in refused.text
    assert admin.post(path, {"text": "编号{order_no}，请留意。"}).status_code == 303
    assert "编号{order_no}，请留意。" in admin.get(f"{path}/history").text


def test_a_day_of_the_citys_own_is_seen_in_its_month_and_left_again(admin: Browser) -> None:
    path = f"{AT}/calendar/2026-11-20"
    assert admin.post(path, {"working": "0", "name": "建市纪念日"}).status_code == 303
    assert "建市纪念日" in admin.get(f"{AT}/calendar?month=2026-11").text
    admin.post(f"{path}/public")
    month = admin.get(f"{AT}/calendar?month=2026-11").text
    assert "撤销" in month and "建市纪念日" not in re.sub(r'action="[^"]*"', "", month)
    assert admin.post(path, {"working": "0", "name": ""}).status_code == 422


def test_the_deadline_of_an_example_is_told_line_by_line(admin: Browser) -> None:
    page = admin.get(f"{AT}/profiles?type=consult&urgency=normal&accepted=2026-11-20T16:30").text
    assert "1 个工作日" in page
    assert "时间格式不对" in admin.get(f"{AT}/profiles?accepted=nonsense").text
    assert "日期不对" in admin.get(f"{AT}/profiles?accepted=0001-01-01T00:00").text


def test_a_profile_is_begun_like_another_and_says_its_bounds_field_by_field(admin: Browser, look: Look) -> None:
    form = admin.get(f"{AT}/profiles/new?like=bureau-3-13").text
    shown = {name: html.unescape(text) for name, text in re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>([^<]*)<', form)}
    assert json.loads(shown["handle"])[1]["limit"] == {"working_days": 13, "from_next_day": True}
    typed = {"name": "ours-2027", "title": "本市时限", "active_from": "2026-01-01", **shown}
    wrong = admin.post(f"{AT}/profiles/new", typed | {"extensions": "11", "returns": "二"})
    assert wrong.status_code == 422
    assert "应当是 0 到 10 的整数" in wrong.text and "应当是 1 到 3 的整数" in wrong.text
    crossed = admin.post(f"{AT}/profiles/new", typed | {"quiet_days": "10"})
    assert crossed.status_code == 422 and "不能已经归档" in crossed.text
    change(admin, f"{AT}/profiles/new", **typed, extensions="0", blue_percent="70")
    row = look.one(select(DeadlineProfile))
    assert row.rules["bounds"] == {"extensions": 0, "blue_percent": 70}
    assert row.rules["handle"] == json.loads(shown["handle"])
    told = admin.get(f"{AT}/profiles?profile=ours-2027").text
    assert re.search(r"时限用去百分之几转蓝</dt><dd>70<", told) and re.search(r"最多延期次数</dt><dd>0<", told)
    assert 'value="70"' in admin.get(f"{AT}/profiles/ours-2027").text


NEW = {
    "units": {"code": "SW", "name": "市水务局", "tier": "2", "parent": "HS", "kind": "department", "channel": "portal"},
    "users": {"username": "op09", "display_name": "小周", "role": "OPR", "unit": "", "seat": "s9"},
    "categories": {"code": "X1", "name": "其他", "parent": ""},
    "responsibility": {
        "version": "2099",
        "code": "L1",
        "matter": "停水",
        "category": WATER,
        "valid_from": "2099-01-01",
    },
    "gazetteer": {"name": "德政大道", "kind": "road", "county": "JZ", "area_code": "", "aliases": "德政路"},
    "assets": {
        "code": "LD-12345678",
        "name": "3号路灯杆",
        "kind": "路灯",
        "address": "德政大道3号",
        "unit": "JZ",
        "keeper_town": "张三 冀州镇 19900001111",
    },
    "numbers": {"number": "96189", "name": "便民热线", "greeting": "您好，通话将被录音。"},
    "profiles": {"name": "redyellow-2-5", "title": "红黄灯", "active_from": "2099-01-01"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_never_used_is_really_deleted_and_its_story_stays(kind: str, admin: Browser) -> None:
    assert change(admin, f"{AT}/{kind}/new", **NEW[kind]).status_code in {200, 303}
    asked = NEW[kind].get("matter") or next(iter(NEW[kind].values()))
    page = admin.get(f"{AT}/{kind}?q={asked}").text
    shown = re.search(rf'href="({AT}/{kind}/(?!new|history|take|version)[^"/?.]+)"', page)
    assert shown is not None
    assert "从来没有用过，可以删除" in admin.get(shown[1]).text
    assert admin.post(f"{shown[1]}/remove").headers["Location"] == f"{AT}/{kind}"
    assert admin.get(shown[1]).status_code == 404
    told = admin.get(f"{AT}/{kind}/history").text
    assert "删除" in told and "<del>" in told


def test_what_was_used_is_not_deleted_and_the_page_says_by_what(
    admin: Browser, here: City, look: Look, sessions: SessionFactory
) -> None:
    with session_scope(sessions) as session:
        order_at(session, here, Status.IN_HAND_TIER3)
    path = f"{AT}/units/{here.township.id}"
    assert admin.post(f"{path}/remove").headers["Location"].startswith(path)
    page = admin.get(path).text
    assert "有记录提到它，不能删除" in page and "工单" in page
    assert one(look, "JZ01")
    keeper = look.one(select(User).where(User.role == "ADM"))
    admin.post(f"{AT}/users/{keeper.id}/remove")
    assert look.again(keeper) is not None


def test_a_line_of_a_version_that_has_begun_stays(admin: Browser, look: Look) -> None:
    line = {"version": "2026-1", "code": "L1", "matter": "停水", "category": WATER, "lead": "DL", "basis": ""}
    change(admin, f"{AT}/responsibility/new", **line, valid_from="2026-01-01")
    row = look.one(select(ResponsibilityLine))
    admin.post(f"{AT}/responsibility/{row.id}/remove")
    assert "已施行，不再改动" in admin.get(f"{AT}/responsibility/{row.id}").text


SWITCHED = {
    "responsibility": {"version": "2026-1", "code": "L1", "matter": "停水", "category": WATER, "lead": "DL"}
    | {"valid_from": "2026-01-01"},
    "profiles": {"name": "redyellow-2-5", "title": "红黄灯", "active_from": "2026-01-01"},
}


@pytest.mark.parametrize("kind", SWITCHED)
def test_a_line_and_a_profile_go_out_of_use_and_come_back(kind: str, admin: Browser, look: Look) -> None:
    change(admin, f"{AT}/{kind}/new", **SWITCHED[kind])
    model = {"responsibility": ResponsibilityLine, "profiles": DeadlineProfile}[kind]
    row = look.one(select(model))
    path = f"{AT}/{kind}/{row.id if kind == 'responsibility' else row.name}"
    for to, active in (("off", False), ("on", True)):
        assert f'action="{path}/switch/{to}"' in admin.get(path).text
        assert admin.post(f"{path}/switch/{to}").status_code == 303
        assert look.again(row).active is active
    assert "2026年1月1日" in admin.get(f"{AT}/{kind}").text
    acts = look.all(select(audit.AccessLog.act).order_by(audit.AccessLog.id))
    assert acts[-3:] == ["add", "retire", "change"]


def test_a_sheet_of_assets_goes_out_masked_and_comes_back_as_it_was(admin: Browser, sessions: SessionFactory) -> None:
    change(admin, f"{AT}/assets/new", **NEW["assets"])
    kind = IMPORTS["assets"]
    cells = Assets()
    with session_scope(sessions) as session:
        rows = session.scalars(select(Asset)).all()
        (plain,) = cells.cells(session, rows, plain=True)
        (masked,) = cells.cells(session, rows)
    assert "张三 冀州镇 19900001111" in plain
    assert "张** 冀州镇 ****" in masked
    assert not {"19900001111", "张三"} & set(" ".join(masked).split())
    written = rows_of("assets", dict(zip((column.key for column in kind.columns), masked, strict=True)))
    done = run(sessions, kind, written, actor=SYSTEM, now=NOON)
    assert (done.unchanged, done.refused) == (1, [])
