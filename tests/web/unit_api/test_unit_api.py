"""A unit's own system takes, hands down and reports its orders, and sees nobody else's."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator
from PIL import Image
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from hotline.accounts.models import User
from hotline.accounts.service import SYSTEM, create_program, create_token
from hotline.bootstrap import Runtime
from hotline.db import SessionFactory, session_scope
from hotline.delivery.models import Delivery
from hotline.errors import HotlineError
from hotline.units import keys
from hotline.units.models import Unit, UnitKey
from hotline.work_orders.models import OrderEvent
from hotline.work_orders.states import Status
from tests.factories.orders import REPLY, order_at
from tests.factories.units import City
from tests.web.api.conftest import Description
from tests.web.staff import Clock
from tests.web.unit_api.conftest import ROOT, MakeSystem, System, walk


def test_a_county_and_its_township_handle_an_order_by_their_systems(
    system: MakeSystem, here: City, order_no: str
) -> None:
    county, township = system(here.county), system(here.township)
    (line,) = county.get("/orders", state="to_sign").json["orders"]
    assert (line["order_no"], line["state"], line["part"]) == (order_no, "to_sign", "lead")
    assert county.act(order_no, "sign").json["status"] == "in_hand"
    assert county.act(order_no, "hand_down", unit="JZ01").json["status"] == "to_sign_tier3"
    assert township.act(order_no, "sign").json["status"] == "in_hand_tier3"
    contact = {"contacted": True, "contacted_at": "2026-11-18T12:30:00+08:00", "contact_way": "电话"}
    told = township.act(order_no, "report", **contact, solved="yes", public_reply=REPLY)
    assert told.status_code == 200, told.text
    assert told.json["status"] == "to_check_tier2"
    assert county.act(order_no, "approve").json["status"] == "to_check_hub"
    words = [event["word"] for event in county.get(f"/orders/{order_no}/events").json["events"]]
    assert words[-5:] == ["签收", "转派", "签收", "反馈结果", "审核通过"]


def test_what_is_not_allowed_now_is_told_in_words_with_what_is(system: MakeSystem, here: City, order_no: str) -> None:
    answer = system(here.county).act(order_no, "approve")
    assert answer.status_code == 409
    assert "sign" in answer.json["error"]["details"]["allowed"]


def test_the_caller_is_shown_masked(system: MakeSystem, here: City, order_no: str) -> None:
    told = system(here.county).get(f"/orders/{order_no}").json
    assert told["caller"]["phone"] == "199****1234"
    assert "19900001234" not in walk(told)


def test_a_system_never_learns_of_another_subtrees_order_by_any_door(
    app: Flask, system: MakeSystem, here: City, order_no: str
) -> None:
    strangers = [system(unit) for unit in (here.other_county, here.far_township, here.power, here.township)]
    doors = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(f"{ROOT}/orders")]
    assert len(doors) == 7, "a new route needs its case here (files: below)"
    for stranger in strangers:
        assert stranger.get("/orders").json["orders"] == []
        for path in ("", "/events", "/households"):
            assert stranger.get(f"/orders/{order_no}{path}").status_code == 404
        assert stranger.act(order_no, "sign").status_code == 404


def test_reading_an_order_is_the_receipt_of_its_push(
    system: MakeSystem, here: City, order_no: str, sessions: SessionFactory, clock: Clock
) -> None:
    county = system(here.county)
    with session_scope(sessions) as session:
        order_id = session.scalars(select(OrderEvent.order_id)).first()
        session.add(
            Delivery(
                order_id=order_id,
                unit_id=here.county.id,
                channel="webhook",
                state="sent",
                receipt="R-1",
                created_at=clock.now,
            )
        )
    county.get("/orders")
    with session_scope(sessions) as session:
        assert session.scalars(select(Delivery.state)).one() == "sent"
    county.get(f"/orders/{order_no}")
    with session_scope(sessions) as session:
        assert session.scalars(select(Delivery.state)).one() == "receipted"


def test_a_list_is_read_on_from_where_it_was(
    system: MakeSystem, here: City, sessions: SessionFactory, clock: Clock
) -> None:
    county = system(here.county)
    with session_scope(sessions) as session:
        made = [
            order_at(session, here, Status.TO_SIGN, now=clock.now - timedelta(minutes=90 - n)).order_no
            for n in range(3)
        ]
    first = county.get("/orders").json
    assert ([line["order_no"] for line in first["orders"]], first["total"]) == (made, 3)
    since = first["orders"][1]["updated_at"]
    assert [line["order_no"] for line in county.get("/orders", since=since).json["orders"]] == made[1:]
    assert county.get("/orders", page="2").json["orders"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [({"state": "zzz"}, "state"), ({"since": "yesterday"}, "since"), ({"page": "0"}, "page"), ({"page": "²"}, "page")],
)
def test_a_question_that_makes_no_sense_is_told_which_part(
    system: MakeSystem, here: City, query: dict[str, str], field: str
) -> None:
    answer = system(here.county).get("/orders", **query)
    assert answer.status_code == 422
    assert field in answer.json["error"]["details"]


# ---- who signs


def refused(system: System, **changes: str) -> int:
    path = f"{ROOT}/orders"
    answer = system.client.get(path, headers=system.headers("GET", path) | changes)
    if answer.status_code == 401:
        assert answer.json["error"]["details"] == {}
    return answer.status_code


def test_only_the_right_signature_of_the_right_moment_is_let_in(
    system: MakeSystem, here: City, clock: Clock, sessions: SessionFactory
) -> None:
    county, township = system(here.county), system(here.township)
    assert refused(county) == 200
    assert refused(county, **{"X-Hotline-Signature": ""}) == 401
    assert refused(county, **{"X-Hotline-Signature": "0" * 64}) == 401
    assert refused(county, **{"X-Hotline-Signature": "签名".encode().decode("latin-1")}) == 401
    assert refused(county, **{"X-Hotline-Key": township.key_id}) == 401
    assert refused(county, **{"X-Hotline-Key": "uk_made_up"}) == 401
    assert refused(county, **{"X-Hotline-Key": ""}) == 401
    for time in ("", "now", "9" * 30, "²", str(int(clock.now.timestamp()) + 1)):
        assert refused(county, **{"X-Hotline-Time": time}) == 401
    signed = county.headers("GET", f"{ROOT}/orders")
    clock.on(seconds=300)
    assert refused(county, **signed) == 200
    clock.on(seconds=1)
    assert refused(county, **signed) == 401
    clock.on(seconds=-602)
    assert refused(county, **signed) == 401


def test_method_path_query_and_body_are_signed(system: MakeSystem, here: City, order_no: str) -> None:
    county = system(here.county)
    path = f"{ROOT}/orders/{order_no}"
    signed = county.headers("GET", path)
    assert county.client.get(path, headers=signed).status_code == 200
    assert county.client.get(f"{path}?a=1", headers=signed).status_code == 401
    assert county.client.get(f"{path}/events", headers=signed).status_code == 401
    acts, body = f"{path}/actions", b'{"action": "sign"}'
    signed = county.headers("POST", acts, body) | {"Idempotency-Key": "k", "Content-Type": "application/json"}
    assert county.client.post(acts, data=b'{"action": "urge"}', headers=signed).status_code == 401
    assert county.client.post(acts, data=body, headers=signed).status_code == 200


def test_a_revoked_key_opens_nothing_and_its_program_is_gone(
    system: MakeSystem, here: City, sessions: SessionFactory, clock: Clock
) -> None:
    county = system(here.county)
    assert refused(county) == 200
    with session_scope(sessions) as session:
        keys.revoke_key(session, key_id=county.key_id, actor=SYSTEM, now=clock.now)
    assert refused(county) == 401
    with session_scope(sessions) as session:
        key = session.scalars(select(UnitKey)).one()
        assert not session.get_one(User, key.user_id).active


def test_neither_token_nor_cookie_opens_this_door(app: Flask, program: str, here: City) -> None:
    answer = app.test_client().get(f"{ROOT}/orders", headers={"Authorization": f"Bearer {program}"})
    assert answer.status_code == 401


@pytest.fixture
def program(sessions: SessionFactory, here: City, clock: Clock) -> str:
    with session_scope(sessions) as session:
        user = create_program(session, role="U2", unit_id=here.county.id, now=clock.now)
        return create_token(session, user_id=user.id, now=clock.now)


# ---- sent again


def events_of(sessions: SessionFactory) -> int:
    with session_scope(sessions) as session:
        return session.scalar(select(func.count()).select_from(OrderEvent)) or 0


def test_a_post_needs_a_key_and_is_done_once(
    system: MakeSystem, here: City, order_no: str, sessions: SessionFactory, clock: Clock
) -> None:
    county = system(here.county)
    path, body = f"{ROOT}/orders/{order_no}/actions", b'{"action": "sign"}'
    signed = county.headers("POST", path, body)
    bare = county.client.post(path, data=body, content_type="application/json", headers=signed)
    assert (bare.status_code, list(bare.json["error"]["details"])) == (422, ["Idempotency-Key"])
    first = county.act(order_no, "sign", key="k1")
    before = events_of(sessions)
    clock.on(seconds=30)
    again = county.act(order_no, "sign", key="k1")  # a new moment, so another signature
    assert (again.status_code, again.json, again.headers["Idempotent-Replay"]) == (200, first.json, "true")
    assert events_of(sessions) == before


def test_a_caught_request_sent_under_another_key_gets_the_kept_answer(
    system: MakeSystem, here: City, order_no: str, sessions: SessionFactory
) -> None:
    county = system(here.county)
    county.act(order_no, "sign")
    path, body = f"{ROOT}/orders/{order_no}/actions", json.dumps({"action": "hand_down", "unit": "JZ01"}).encode()
    caught = county.headers("POST", path, body) | {"Content-Type": "application/json"}
    first = county.client.post(path, data=body, headers=caught | {"Idempotency-Key": "mine"})
    assert first.status_code == 200
    before = events_of(sessions)
    again = county.client.post(path, data=body, headers=caught | {"Idempotency-Key": "a thief's"})
    assert (again.status_code, again.json) == (200, first.json)
    assert events_of(sessions) == before


# ---- keys


def test_a_key_belongs_to_a_unit_and_its_secret_is_not_in_the_database(
    system: MakeSystem, here: City, runtime: Runtime, sessions: SessionFactory, clock: Clock
) -> None:
    county = system(here.county)
    with runtime.engine.connect() as connection:
        (kept,) = connection.exec_driver_sql("SELECT secret FROM unit_keys").one()
    assert county.secret.encode() not in bytes(kept)
    with pytest.raises(HotlineError, match="承办单位"), session_scope(sessions) as session:
        keys.create_key(session, unit=session.get_one(Unit, here.hub.id), actor=SYSTEM, now=clock.now)
    with pytest.raises(HotlineError, match="最多"), session_scope(sessions) as session:
        for _ in range(keys.MOST_KEYS):
            keys.create_key(session, unit=session.get_one(Unit, here.county.id), actor=SYSTEM, now=clock.now)


def test_the_description_is_open_and_names_only_what_a_unit_may_do(app: Flask) -> None:
    told = app.test_client().get(f"{ROOT}/openapi.json").json
    actions = {one["properties"]["action"]["const"] for one in told["components"]["schemas"]["Action"]["oneOf"]}
    assert {"sign", "hand_down", "report", "approve", "reject"} <= actions
    assert "dispatch" not in actions


# ---- files


def send_file(system: System, order_no: str, body: bytes, *, kind: str, name: str, key: str = "f1") -> TestResponse:
    path = f"{ROOT}/orders/{order_no}/files?{urlencode({'kind': kind, 'name': name})}"
    headers = system.headers("POST", path, body) | {"Idempotency-Key": key}
    answer: TestResponse = system.client.post(path, data=body, content_type="application/octet-stream", headers=headers)
    return answer


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "green").save(out, "JPEG")
    return out.getvalue()


def test_a_photograph_proves_the_next_report_and_is_opened_by_who_may(
    system: MakeSystem, here: City, order_no: str
) -> None:
    county, stranger = system(here.county), system(here.other_county)
    assert send_file(county, order_no, picture(), kind="after", name="a.jpg").status_code == 409
    county.act(order_no, "sign")
    kept = send_file(county, order_no, picture(), kind="after", name="a.jpg", key="f2")
    assert kept.status_code == 201, kept.text
    assert send_file(county, order_no, picture(), kind="after", name="a.jpg", key="f3").json["id"] == kept.json["id"]
    assert county.get(f"/orders/{order_no}").json["files"] == [kept.json]
    path = f"{ROOT}/orders/{order_no}/files/{kept.json['id']}"
    opened = county.client.get(path, headers=county.headers("GET", path))
    assert (opened.status_code, opened.mimetype) == (200, kept.json["type"])
    assert Image.open(io.BytesIO(opened.data)).size == (64, 48)
    assert stranger.client.get(path, headers=stranger.headers("GET", path)).status_code == 404
    assert send_file(stranger, order_no, picture(), kind="after", name="a.jpg").status_code == 404


def test_what_is_no_photograph_is_refused_in_words(system: MakeSystem, here: City, order_no: str) -> None:
    county = system(here.county)
    county.act(order_no, "sign")
    for body, kind, name in ((b"MZ not a photo", "after", "a.jpg"), (b"", "after", "a.jpg"), (b"x", "after", "a.exe")):
        answer = send_file(county, order_no, body, kind=kind, name=name)
        assert (answer.status_code, list(answer.json["error"]["details"])) == (422, ["files"])
    assert send_file(county, order_no, picture(), kind="identity", name="a.jpg").status_code in (403, 422)


def test_many_households_are_listed_and_done_one_by_one(system: MakeSystem, here: City, order_no: str) -> None:
    county = system(here.county)
    county.act(order_no, "sign")
    homes = [
        {"name": f"户主{number}", "contact": f"1990000{number:04}", "place": f"1号楼{number}"} for number in (1, 2, 3)
    ]
    assert county.act(order_no, "list_households", households=homes).json["households"] == {"total": 3, "done": 0}
    twice = county.act(order_no, "list_households", households=[{"name": "户主4"}, homes[0]])
    assert (twice.status_code, twice.json["error"]["details"]["lines"][0]) == (422, "第 2 行：与前面的一户相同")
    assert county.act(order_no, "list_households", households=[{"name": 4}]).status_code == 422
    assert county.act(order_no, "settle_households", numbers=[2], text="已退款").json["households"]["done"] == 1
    assert county.act(order_no, "settle_households", numbers=[9]).status_code == 422
    told = county.get(f"/orders/{order_no}/households").json
    assert told["total"] == 3
    assert [(one["no"], one["note"], one["done_at"] is None) for one in told["households"]] == [
        (1, "", True),
        (2, "已退款", False),
        (3, "", True),
    ]
    assert "19900000001" not in walk(told)
    assert county.get(f"/orders/{order_no}/households", page="2").json["households"] == []
    contact = {"contacted": True, "contacted_at": "2026-11-18T12:30:00+08:00", "contact_way": "电话"}
    early = county.act(order_no, "report", **contact, solved="yes", public_reply=REPLY)
    assert list(early.json["error"]["details"]) == ["solved"]
    assert county.act(order_no, "settle_households").json["households"] == {"total": 3, "done": 3}


def test_the_description_is_valid_and_names_every_route(app: Flask, description: Description) -> None:
    OpenAPIV31SpecValidator(description.document).validate()
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix(ROOT)))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("unit_api.") and rule.endpoint != "unit_api.describe"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == set(description.operations)
