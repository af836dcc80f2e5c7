"""What only a real browser shows: what is asked follows from what was said, and no button takes the words away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from hotline.accounts.models import User
from hotline.accounts.service import set_password
from hotline.bootstrap import Runtime
from hotline.db import SessionFactory, session_scope
from hotline.follow_ups import service
from hotline.follow_ups.models import Attempt, Callback, Evaluation
from hotline.work_orders.models import OrderRequest
from tests.factories.units import City
from tests.web.duty.test_duty_desk import waiting
from tests.web.shared.styleguide import serving
from tests.web.staff import Clock

pytestmark = pytest.mark.browser

PASSWORD = "a long password"


@pytest.fixture
def page(here: City, app: Flask, chrome: Browser, sessions: SessionFactory) -> Iterator[Page]:
    """The page of a callback officer who has logged in."""
    with session_scope(sessions) as session:
        user = session.get_one(User, here.callback_officer.user_id)
        set_password(session, user=user, password=PASSWORD)
        username = user.username
    with serving(app) as address:
        context = chrome.new_context(base_url=address)
        page = context.new_page()
        page.goto("/login")
        page.fill("[name=username]", username)
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda where: "/login" not in where)
        yield page
        context.close()


def choose(page: Page, name: str, value: str) -> None:
    """Press one of the large answers."""
    page.locator(f"label:has(> input[name={name}][value='{value}'])").click()


def test_an_explanation_is_asked_for_only_where_it_could_stand(
    here: City, page: Page, sessions: SessionFactory
) -> None:
    callback_id = waiting(sessions, here)
    with session_scope(sessions) as session:
        callback = session.get_one(Callback, callback_id)
        service.take(session, callback=callback, actor=here.callback_officer, now=callback.created_at)
    page.goto(f"/duty/{callback_id}")
    legend, words = page.get_by_text("是否提请按合理解释办结"), page.locator("[name=explained]")
    choose(page, "contacted", "yes")
    choose(page, "solved", "impossible")
    expect(legend).to_be_hidden()
    choose(page, "satisfaction", "dissatisfied")
    expect(legend).to_be_visible()
    expect(words).to_be_hidden()
    choose(page, "ground", "law")
    expect(words).to_be_visible()
    choose(page, "solved", "no")
    expect(legend).to_be_hidden()
    expect(words).to_be_disabled()
    choose(page, "solved", "impossible")
    choose(page, "reasons", "policy")
    words.fill("已解释须业主大会同意")
    # the citizen thinks better of it: what is hidden now is neither sent nor in the way
    choose(page, "satisfaction", "fair")
    expect(words).to_be_disabled()
    choose(page, "satisfaction", "dissatisfied")
    expect(words).to_have_value("已解释须业主大会同意")
    page.get_by_role("button", name="保存，下一位").click()
    expect(page.get_by_text("已提请督办员按合理解释审定")).to_be_visible()
    with sessions() as session:
        assert session.scalars(select(OrderRequest.reason)).one() == "已解释须业主大会同意"
        assert session.scalars(select(Evaluation.reasons)).one() == ["policy"]


def test_what_the_citizen_said_stays_while_the_call_is_ended_and_made_again(
    here: City, page: Page, sessions: SessionFactory, runtime: Runtime, clock: Clock
) -> None:
    """Both buttons once loaded the page: the answers given and the words written on the telephone were gone."""
    callback_id = waiting(sessions, here)
    page.goto(f"/duty/{callback_id}")
    page.keyboard.press("F2")  # the first one brings the form
    words, line = page.locator("[name=comment]"), page.locator("#line")

    def all_there() -> None:
        expect(words).to_have_value("市民说没人来过")
        expect(page.locator(".duty-form input[name=satisfaction]:checked")).to_have_value("dissatisfied")

    def stands(state: str) -> None:
        """The carrier tells how the newest try stands."""
        with session_scope(sessions) as session:
            newest = session.scalars(select(Attempt).order_by(Attempt.id)).all()[-1]
            service.attempt_update(session, attempt=newest, now=clock.now, state=state)

    choose(page, "satisfaction", "dissatisfied")
    words.fill("市民说没人来过")
    expect(line.get_by_role("button", name="放回待回访")).to_have_count(0)
    page.locator("#hang-up").focus()
    stands("connected")
    expect(line).to_contain_text("通话中")  # read again by itself
    expect(page.locator("#hang-up")).to_be_focused()

    with page.expect_response(f"**/duty/{callback_id}/hang-up"):
        page.keyboard.press("F4")
    assert [one.ended for one in runtime.telephony.lines.values()] == [True]  # type: ignore[attr-defined]
    all_there()
    stands("ended")
    expect(line).to_contain_text("通话已结束")
    expect(line.get_by_role("button", name="放回待回访")).to_be_visible()

    page.keyboard.press("F2")
    expect(line).to_contain_text("正在拨打")
    assert len(runtime.telephony.lines) == 2  # type: ignore[attr-defined]
    all_there()
    page.get_by_role("button", name="结束通话").click()
    stands("failed")
    expect(line).to_contain_text("您的座席没有接通")
    all_there()
