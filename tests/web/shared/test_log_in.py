"""Log-in of staff, and how it ends."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from hotline.accounts.models import User
from hotline.accounts.service import create_token
from hotline.app import create_app
from hotline.audit import AccessLog
from hotline.bootstrap import Runtime
from hotline.db import SessionFactory, session_scope
from hotline.web.access import public, roles
from tests.web.shared.browser import Browser
from tests.web.shared.conftest import PASSWORD, MakeUser


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    app = create_app(runtime, ("web",))
    app.add_url_rule("/only-operators", "ops", roles("OPR")(lambda: "desk"))
    app.add_url_rule("/anyone", "anyone", public(lambda: "hello"))
    return app


@pytest.mark.parametrize(
    ("role", "place"),
    [("OPR", "/desk"), ("CBK", "/duty"), ("REV", "/office"), ("SUP", "/office"), ("ADM", "/office")],
)
def test_each_role_lands_where_it_works(browser: Browser, user: MakeUser, role: str, place: str) -> None:
    user("wang", role=role)
    answer = browser.log_in("wang", PASSWORD)
    assert (answer.status_code, answer.location) == (303, place)


def test_a_page_asked_for_before_log_in_is_where_one_lands(browser: Browser, user: MakeUser) -> None:
    user("wang")
    turned_away = browser.get("/only-operators?tab=2")
    assert turned_away.status_code == 303
    assert turned_away.location == "/login?next=/only-operators?tab%3D2"
    answer = browser.log_in("wang", PASSWORD, target="/only-operators?tab=2")
    assert answer.location == "/only-operators?tab=2"
    assert browser.get(answer.location).text == "desk"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"])
def test_a_log_in_link_never_leads_to_another_site(browser: Browser, user: MakeUser, elsewhere: str) -> None:
    user("wang")
    assert browser.log_in("wang", PASSWORD, target=elsewhere).location == "/desk"


def test_a_wrong_password_says_so_keeps_the_name_and_lets_nobody_in(browser: Browser, user: MakeUser) -> None:
    user("wang")
    answer = browser.log_in("wang", "not the password")
    assert answer.status_code == 401
    assert "用户名或密码不正确" in answer.text
    assert 'value="wang"' in answer.text
    assert "not the password" not in answer.text
    assert browser.get("/only-operators").status_code == 303


def test_after_five_wrong_passwords_even_the_right_one_waits_and_the_page_says_how_long(
    browser: Browser, user: MakeUser
) -> None:
    user("wang")
    user("li")
    for _ in range(5):
        assert browser.log_in("wang", "wrong").status_code == 401
    answer = browser.log_in("wang", PASSWORD)
    assert answer.status_code == 429
    assert "请等" in answer.text
    assert 0 < int(answer.headers["Retry-After"]) <= 301  # five minutes, up to the next whole second
    assert browser.log_in("li", PASSWORD).status_code == 303, "another name is not held up"


def test_right_passwords_are_never_counted(browser: Browser, user: MakeUser) -> None:
    user("wang")
    for _ in range(8):
        assert browser.log_in("wang", PASSWORD).status_code == 303
        browser.post("/logout")


def test_log_out_ends_the_session(browser: Browser, user: MakeUser) -> None:
    user("wang")
    browser.log_in("wang", PASSWORD)
    assert browser.get("/only-operators").status_code == 200
    assert browser.post("/logout").location == "/login"
    assert browser.get("/only-operators").status_code == 303
    assert "已退出登录" in browser.get("/login").text


def test_log_out_makes_a_copied_cookie_worthless(app: Flask, browser: Browser, user: MakeUser) -> None:
    user("wang")
    browser.log_in("wang", PASSWORD)
    thief = Browser(app.test_client())
    cookie = browser.client.get_cookie("hotline")
    assert cookie is not None
    thief.client.set_cookie("hotline", cookie.value)
    assert thief.get("/only-operators").status_code == 200
    browser.post("/logout")
    assert thief.get("/only-operators").status_code == 303
    browser.log_in("wang", PASSWORD)
    assert thief.get("/only-operators").status_code == 303


def test_another_role_is_refused_in_words(browser: Browser, user: MakeUser) -> None:
    user("zhao", role="CBK")
    browser.log_in("zhao", PASSWORD)
    answer = browser.get("/only-operators")
    assert answer.status_code == 403
    assert "您的岗位不能打开这里" in answer.text


def test_changing_the_password_ends_every_other_log_in_and_leaves_a_row(
    app: Flask, browser: Browser, user: MakeUser, sessions: SessionFactory
) -> None:
    user("wang")
    elsewhere = Browser(app.test_client())
    elsewhere.log_in("wang", PASSWORD)
    browser.log_in("wang", PASSWORD)
    wanted = {"old": PASSWORD, "new": "another long one", "again": "another long one"}
    assert "两次输入的新密码不一样" in browser.post("/password", wanted | {"again": "a slip of the key"}).text
    assert "当前密码不正确" in browser.post("/password", wanted | {"old": "wrong"}).text
    assert "至少 10 位" in browser.post("/password", wanted | {"new": "short", "again": "short"}).text
    assert browser.post("/password", wanted).status_code == 303
    assert browser.get("/only-operators").status_code == 200, "the browser it was changed in stays logged in"
    assert elsewhere.get("/only-operators").status_code == 303
    assert browser.log_in("wang", "another long one").status_code in (200, 303)
    with session_scope(sessions) as session:
        assert session.scalar(select(AccessLog).where(AccessLog.act == "set_password"))


def test_disabling_a_user_ends_the_session_at_the_next_click(
    browser: Browser, user: MakeUser, sessions: SessionFactory
) -> None:
    user_id = user("wang")
    browser.log_in("wang", PASSWORD)
    with session_scope(sessions) as session:
        someone = session.get_one(User, user_id)
        someone.active = False
    assert browser.get("/only-operators").status_code == 303


def test_the_cookie_is_kept_from_scripts_and_other_sites(runtime: Runtime, user: MakeUser) -> None:
    object.__setattr__(runtime.settings, "public_url", "https://12345.example")
    browser = Browser(create_app(runtime, ("web",)).test_client())
    user("wang")
    cookie = browser.get("/login").headers["Set-Cookie"]
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=Lax"))


def test_the_navigation_shows_only_what_the_role_can_open(browser: Browser, user: MakeUser) -> None:
    user("sup", role="SUP")
    user("opr", role="OPR")
    browser.log_in("sup", PASSWORD)
    seen = browser.get("/password").text
    assert all(f'href="{place}"' in seen for place in ("/duty", "/office"))
    assert not any(f'href="{place}"' in seen for place in ("/desk", "/portal"))
    browser.post("/logout")
    browser.log_in("opr", PASSWORD)
    assert 'href="/office"' not in browser.get("/password").text


def test_a_bearer_token_acts_by_itself_and_the_cookie_beside_it_is_not_looked_at(
    browser: Browser, user: MakeUser, sessions: SessionFactory, runtime: Runtime
) -> None:
    operator, callback_officer = user("wang"), user("zhao", role="CBK")
    with session_scope(sessions) as session:
        token = create_token(session, user_id=callback_officer, now=runtime.now())
        other = create_token(session, user_id=operator, now=runtime.now())
    browser.log_in("wang", PASSWORD)
    assert browser.client.get("/only-operators", headers={"Authorization": f"Bearer {token}"}).status_code == 403
    assert browser.client.get("/only-operators", headers={"Authorization": "Bearer hl_nothing"}).status_code == 403
    browser.client.delete_cookie("hotline")
    assert browser.client.get("/only-operators", headers={"Authorization": f"Bearer {other}"}).text == "desk"


def test_nobody_needs_to_log_in_for_what_is_public(browser: Browser) -> None:
    assert browser.get("/anyone").text == "hello"


def test_a_role_nobody_has_is_a_fault_at_import() -> None:
    with pytest.raises(ValueError, match="BOSS"):
        roles("BOSS")
