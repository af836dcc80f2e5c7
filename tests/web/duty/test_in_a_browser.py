"""What only a real browser shows: what is asked follows from what was said, and nothing hidden is in the way."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from hotline.accounts.models import User
from hotline.accounts.service import set_password
from hotline.db import SessionFactory, session_scope
from hotline.follow_ups import service
from hotline.follow_ups.models import Callback, Evaluation
from hotline.work_orders.models import OrderRequest
from tests.factories.units import City
from tests.web.duty.test_duty_desk import waiting
from tests.web.shared.styleguide import serving

pytestmark = pytest.mark.browser

PASSWORD = "a long password"


def test_an_explanation_is_asked_for_only_where_it_could_stand(
    here: City, app: Flask, chrome: Browser, sessions: SessionFactory
) -> None:
    callback_id = waiting(sessions, here)
    with session_scope(sessions) as session:
        user = session.get_one(User, here.callback_officer.user_id)
        set_password(session, user=user, password=PASSWORD)
        username = user.username
        callback = session.get_one(Callback, callback_id)
        service.take(session, callback=callback, actor=here.callback_officer, now=callback.created_at)
    with serving(app) as address:
        context = chrome.new_context(base_url=address)
        page = context.new_page()
        page.goto("/login")
        page.fill("[name=username]", username)
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda where: "/login" not in where)
        page.goto(f"/duty/{callback_id}")

        def choose(name: str, value: str) -> None:
            page.locator(f"label:has(> input[name={name}][value='{value}'])").click()

        legend, words = page.get_by_text("是否提请按合理解释办结"), page.locator("[name=explained]")
        choose("contacted", "yes")
        choose("solved", "impossible")
        expect(legend).to_be_hidden()
        choose("satisfaction", "dissatisfied")
        expect(legend).to_be_visible()
        expect(words).to_be_hidden()
        choose("ground", "law")
        expect(words).to_be_visible()
        choose("solved", "no")
        expect(legend).to_be_hidden()
        expect(words).to_be_disabled()
        choose("solved", "impossible")
        choose("reasons", "policy")
        words.fill("已解释须业主大会同意")
        # the citizen thinks better of it: what is hidden now is neither sent nor in the way
        choose("satisfaction", "fair")
        expect(words).to_be_disabled()
        choose("satisfaction", "dissatisfied")
        expect(words).to_have_value("已解释须业主大会同意")
        page.get_by_role("button", name="保存，下一位").click()
        expect(page.get_by_text("已提请督办员按合理解释审定")).to_be_visible()
        context.close()
    with sessions() as session:
        assert session.scalars(select(OrderRequest.reason)).one() == "已解释须业主大会同意"
        assert session.scalars(select(Evaluation.reasons)).one() == ["policy"]
