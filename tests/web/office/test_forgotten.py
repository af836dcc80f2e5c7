"""An order whose caller was forgotten can still be opened, by the hub and by its unit, with its life and its proofs."""

from __future__ import annotations

from http import HTTPStatus

from hotline.accounts.roles import Role
from hotline.db import SessionFactory, session_scope
from hotline.follow_ups import forgetting
from tests.conftest import NOON
from tests.factories import people
from tests.factories.units import City
from tests.unit.follow_ups.test_forgetting import DAY, NAME, whole_life
from tests.web.staff import Clock, Staff


def test_its_pages_show_what_was_done_and_nobody(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock
) -> None:
    clock.now = NOON + 2 * DAY
    with session_scope(sessions) as session:
        order = whole_life(session, here)
        number, files = order.order_no, {file.kind: file.id for file in order.files}
        officer = people.actor(session, Role.SEC)
        forgetting.forget(session, callers=[order.caller], actor=officer, reason="本人申请", now=clock.now)
    hub, unit = staff(here.reviewer), staff(here.county_clerk)
    for browser, address in (
        (hub, f"/office/orders/{number}"),
        (hub, f"/office/orders/{number}/households"),
        (unit, f"/portal/orders/{number}"),
    ):
        answer = browser.get(address)
        assert answer.status_code == HTTPStatus.OK, address
        assert NAME not in answer.text and "199****1234" not in answer.text
        assert "None" not in answer.text
    assert hub.get(f"/order-files/{number}/{files['after']}").status_code == HTTPStatus.OK
    assert hub.get(f"/order-files/{number}/{files['identity']}").status_code == HTTPStatus.NOT_FOUND
