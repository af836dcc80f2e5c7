"""A file is looked at first, written when confirmed, and its refused rows come back by line."""

from __future__ import annotations

import io
import re

import pytest
from sqlalchemy import func, select

from hotline.units.models import Category
from tests.factories.units import City
from tests.waiting import until
from tests.web.city.conftest import Look
from tests.web.shared.browser import Browser
from tests.web.staff import Staff

AT = "/office/city/import"
FILE = "分类编号,分类名称,上级分类编号\nCJ,城建,\nCJ-LD,路灯,CJ\nCJ-XX,,CJ\nYY,环,ZZ\n"


def upload(admin: Browser, kind: str, text: str, name: str = "rows.csv") -> str:
    """Upload a file, wait until it has been looked at, and return the address of what was found."""
    answer = admin.post(f"{AT}/{kind}", {"file": (io.BytesIO(text.encode()), name)})
    assert answer.status_code == 303, answer.text
    address = answer.headers["Location"]
    until(lambda: "正在" not in admin.get(address).text, "the file is looked at")
    return address


def test_a_file_is_shown_before_it_is_written_and_then_written(admin: Browser, look: Look) -> None:
    every = select(func.count(Category.id))
    before = look.one(every)
    address = upload(admin, "categories", FILE)
    page = admin.get(address).text
    assert "确认导入 2 行" in page and "必须填写" in page and "没有编号为 ZZ 的分类" in page
    assert look.one(every) == before
    assert admin.post(address).status_code == 303
    until(lambda: "已导入" in admin.get(address).text, "the file is looked at")
    assert look.one(select(Category.name).where(Category.code == "CJ-LD")) == "路灯"


def test_the_refused_rows_come_back_with_line_and_reason(admin: Browser) -> None:
    address = upload(admin, "categories", FILE)
    sheet = admin.get(f"{address}/refused.csv").text.splitlines()
    assert sheet[0].lstrip("\ufeff").startswith("行,原因")
    assert [row.split(",")[0] for row in sheet[1:]] == ["4", "5"]


def test_a_confirmed_file_is_not_written_twice(admin: Browser) -> None:
    address = upload(admin, "categories", FILE)
    admin.post(address)
    until(lambda: "已导入" in admin.get(address).text, "the file is looked at")
    assert admin.post(address).status_code == 409


def test_codes_of_newcomers_are_shown_once(admin: Browser) -> None:
    address = upload(admin, "users", "用户名,姓名,岗位\nop77,小周,话务员\n")
    admin.post(address)
    shown: list[str] = []
    until(lambda: shown.append(admin.get(address).text) or "已导入" in shown[-1], "written")  # type: ignore[func-returns-value]
    assert re.search(r"<code>[0-9A-Z]{16}</code>", shown[-1])
    assert "<code>" not in admin.get(address).text


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("rows.xlsx", "PK", "不是正确的 .xlsx"),
        ("rows.xls", "PK", "旧格式"),
        ("rows.csv", "", "列名"),
        ("rows.pdf", "x", "只能导入"),
    ],
)
def test_a_file_nobody_can_read_is_refused_in_words(admin: Browser, name: str, text: str, words: str) -> None:
    answer = admin.post(f"{AT}/units", {"file": (io.BytesIO(text.encode()), name)})
    assert answer.status_code == 422 and words in answer.text


def test_wrong_headings_are_told_on_the_page(admin: Browser) -> None:
    address = upload(admin, "units", "编号,名字\n1,2\n")
    assert "不认识的列：编号、名字" in admin.get(address).text


def test_another_ones_file_is_not_there(admin: Browser, staff: Staff, here: City) -> None:
    address = upload(admin, "categories", FILE)
    assert staff(here.reviewer).get(address).status_code == 403
    assert admin.get(f"{AT}/categories/{'0' * 32}").status_code == 404


def test_a_duty_telephone_is_masked_in_what_would_be_written(admin: Browser) -> None:
    address = upload(admin, "units", "单位编号,单位名称,层级,上级单位编号,值班电话\nSW,水务局,二级,HS,19900000077\n")
    page = admin.get(address).text
    assert "199****0077" in page and "19900000077" not in page
