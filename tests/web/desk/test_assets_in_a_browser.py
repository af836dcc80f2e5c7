"""A number typed at the desk fills the form before the operator's eyes; what they wrote themselves stays."""

from __future__ import annotations

from playwright.sync_api import expect

from hotline.accounts.service import SYSTEM
from hotline.assets.models import Level
from hotline.assets.service import Keeper, put_asset
from hotline.db import SessionFactory, session_scope
from tests.conftest import NOON
from tests.factories.units import City
from tests.web.desk.conftest import sitting_at


def test_a_typed_number_fills_the_place_and_proposes_who_keeps_it(
    app, chrome, ready, talking: int, sessions: SessionFactory, town: City
) -> None:
    with session_scope(sessions) as session:
        put_asset(
            session,
            actor=SYSTEM,
            now=NOON,
            code="LD-12345678",
            name="3号路灯杆",
            kind="路灯",
            address="冀州区德政大道3号",
            unit=town.county,
            area_code="131103",
            keepers={Level.TOWN: Keeper("张三")},
        )
    with sitting_at(app, chrome, ready) as (page, complaints):
        page.goto(f"/desk/calls/{talking}")
        page.fill("#f-title", "灯杆倾斜")
        page.fill("#f-asset_code", "12345678")
        expect(page.locator("#f-address")).to_have_value("冀州区德政大道3号")
        expect(page.locator("#f-area_code")).to_have_value("131103")
        expect(page.locator("#f-title")).to_have_value("灯杆倾斜")
        expect(page.locator(".proposed .first")).to_contain_text("责任人 张三（乡级）")
        page.fill("#f-desired_result", "请扶正")
        page.reload()
        expect(page.locator("#f-address")).to_have_value("冀州区德政大道3号")
        expect(page.locator("#f-asset_code")).to_have_value("LD-12345678")
    assert complaints == []
