"""How a unit is reached, and the keys of its systems, on its page."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.audit import AccessLog
from hotline.bootstrap import Runtime
from hotline.db import SessionFactory, session_scope
from hotline.units.models import Unit, UnitKey
from tests.factories import people
from tests.factories.units import City
from tests.web.shared.browser import Browser
from tests.web.staff import Staff


@pytest.fixture
def keeper(sessions: SessionFactory, here: City) -> Actor:
    with session_scope(sessions) as session:
        return people.actor(session, Role.ADM)


def save(browser: Browser, unit: Unit, **changes: str) -> tuple[int, str]:
    page = browser.get(f"/office/city/units/{unit.id}").text
    seen = re.search(r'name="seen" value="(\w+)"', page)
    assert seen
    form = {"seen": seen[1], "name": unit.name, "channel": "平台", "fallbacks": "", "webhook_url": "", "email": ""}
    answer = browser.post(f"/office/city/units/{unit.id}", form | changes)
    return answer.status_code, answer.text


def test_ways_to_reach_a_unit_are_kept_in_their_order(
    here: City, staff: Staff, keeper: Actor, runtime: Runtime, sessions: SessionFactory
) -> None:
    runtime.settings = replace(runtime.settings, webhook_allow=("oa.example.gov.cn",))
    browser = staff(keeper)
    told = {"channel": "系统接口", "webhook_url": "https://oa.example.gov.cn/in"}
    more = {"fallbacks": "邮件、短信", "email": "duty@jz.example.gov.cn", "duty_phone": "19900001111"}
    assert save(browser, here.county, **told, **more)[0] == 303
    with session_scope(sessions) as session:
        unit = session.get_one(Unit, here.county.id)
        assert unit.channels == ["webhook", "email", "sms", "portal"]
    page = browser.get(f"/office/city/units/{here.county.id}").text
    assert 'value="邮件、短信"' in page
    assert "邮件、短信" in browser.get(f"/office/city/units/{here.county.id}/history").text


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"channel": "系统接口"}, "请填写推送地址"),
        ({"channel": "邮件"}, "请填写邮箱"),
        ({"channel": "短信"}, "请填写值班电话"),
        ({"fallbacks": "短信"}, "请填写值班电话"),
        ({"fallbacks": "传真"}, "只能是"),
        ({"webhook_url": "http://oa.example.gov.cn/in"}, "https://"),
        ({"webhook_url": "https://elsewhere.example/in"}, "HOTLINE_WEBHOOK_ALLOW"),
        ({"webhook_url": "https://127.0.0.1/in"}, "HOTLINE_WEBHOOK_ALLOW"),
        ({"email": "nobody"}, "不是邮箱地址"),
    ],
)
def test_a_way_without_a_good_address_is_refused_in_words(
    here: City, staff: Staff, keeper: Actor, runtime: Runtime, typed: dict[str, str], words: str
) -> None:
    runtime.settings = replace(runtime.settings, webhook_allow=("oa.example.gov.cn",))
    status, text = save(staff(keeper), here.county, **typed)
    assert status == 422
    assert words in text


def test_a_key_is_shown_once_and_revoked(here: City, staff: Staff, keeper: Actor, sessions: SessionFactory) -> None:
    browser, page = staff(keeper), f"/office/city/units/{here.county.id}"
    shown = browser.post(f"{page}/keys")
    assert shown.status_code == 200
    with session_scope(sessions) as session:
        key = session.scalars(select(UnitKey)).one()
    assert key.secret in shown.text
    assert key.key_id in browser.get(page).text
    assert key.secret not in browser.get(page).text
    assert browser.post(f"/office/city/units/{here.power.id}/keys/{key.key_id}/revoke").status_code == 404
    assert browser.post(f"{page}/keys/{key.key_id}/revoke").status_code == 303
    with session_scope(sessions) as session:
        assert session.scalars(select(UnitKey.revoked_at)).one() is not None
        acts = session.scalars(select(AccessLog.act).where(AccessLog.act.startswith("unit_key."))).all()
    assert acts == ["unit_key.create", "unit_key.revoke"]
    history = browser.get(f"{page}/history").text
    assert "生成接口密钥" in history and key.secret not in history


def test_the_secret_of_pushes_is_missing_until_made(
    here: City, staff: Staff, keeper: Actor, sessions: SessionFactory
) -> None:
    browser, page = staff(keeper), f"/office/city/units/{here.county.id}"
    with session_scope(sessions) as session:
        session.get_one(Unit, here.county.id).webhook_url = "https://oa.example.gov.cn/in"
    assert "没有密钥，推送发不出去" in browser.get(page).text
    shown = browser.post(f"{page}/webhook-secret").text
    with session_scope(sessions) as session:
        secret = session.get_one(Unit, here.county.id).webhook_secret
    assert secret and secret in shown
    assert "没有密钥" not in browser.get(page).text
    assert "没有密钥" not in browser.get(f"/office/city/units/{here.hub.id}").text
