"""开通检查: the list of ``hotline doctor``, in a browser."""

from __future__ import annotations

import html
import re

from sqlalchemy import select

from hotline.accounts.models import User
from hotline.accounts.roles import Role
from hotline.db import SessionFactory, session_scope
from hotline.doctor import CHECKS
from hotline.units.models import Unit
from tests.web.shared.browser import Browser

AT = "/office/city"
NUMBER = {"number": "12345", "name": "热线", "greeting": "您好，通话将被录音。"}


def page(admin: Browser) -> str:
    return html.unescape(admin.get(f"{AT}/setup").text)


def part(text: str, word: str) -> str:
    """Return what stands under one heading of the page."""
    found = re.search(rf'<section class="panel" aria-label="{word}">(.*?)</section>', text, re.S)
    return found[1] if found else ""


def test_every_check_of_the_doctor_is_on_the_page(admin: Browser) -> None:
    text = page(admin)
    for check in CHECKS:
        assert (f"<h3>{check.chinese}</h3>" in text) == (check.key != "web"), check.key


def test_what_is_missing_stands_first_with_where_to_do_it(admin: Browser) -> None:
    text = page(admin)
    lacking = part(text, "还差")
    assert "12345 还没有问候语" in lacking and f'href="{AT}/numbers"' in lacking
    assert "hotline import numbers FILE" in lacking
    assert text.index("还差</h2>".removesuffix("</h2>")) < text.index(">已完成 ")


def test_what_is_done_moves_down(admin: Browser) -> None:
    form = admin.get(f"{AT}/numbers/new")
    assert form.status_code == 200
    fields = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', form.text))
    assert admin.post(f"{AT}/numbers/new", fields | NUMBER).status_code == 303
    text = page(admin)
    assert "热线号码" not in part(text, "还差") and "热线号码" in part(text, "已完成")


def test_a_role_nobody_has_is_missing_with_what_it_costs(admin: Browser, sessions: SessionFactory) -> None:
    with session_scope(sessions) as session:
        for user in session.scalars(select(User).where(User.role == Role.CBK)):
            user.active = False
    assert "没有人回访，工单不能办结" in part(page(admin), "还差")


def test_a_unit_that_cannot_be_told_as_it_chose_is_named(admin: Browser, sessions: SessionFactory) -> None:
    assert "各单位都用工作台收件箱" in part(page(admin), "已完成")
    with session_scope(sessions) as session:
        county, other = session.scalars(select(Unit).where(Unit.tier == 2).order_by(Unit.id).limit(2))
        county.channel, county.webhook_url, county.webhook_secret = "webhook", "https://units.example/push", "secret"
        other.channel, other.email = "email", "clerk@units.example"
        names = county.name, other.name
    assert f"发不出去：{names[1]}" in part(page(admin), "可以以后做")  # no mail server is set
    with session_scope(sessions) as session:
        for unit in session.scalars(select(Unit).where(Unit.name.in_(names))):
            unit.webhook_secret, unit.channel = None, "webhook"
    assert f"发不出去：{names[0]}、{names[1]}" in part(page(admin), "可以以后做")


def test_every_page_it_sends_to_is_there(admin: Browser) -> None:
    for address in {check.page for check in CHECKS if check.page}:
        assert admin.get(address).status_code == 200, address
