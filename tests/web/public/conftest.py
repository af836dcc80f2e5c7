"""Citizens without a log-in before a small city's published answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hotline.bootstrap import Runtime
from hotline.db import SessionFactory, session_scope
from hotline.knowledge_base.service import import_entries
from tests.factories.units import City
from tests.web.staff import app, clock, here, runtime, staff

__all__ = ["app", "clock", "here", "runtime", "staff"]

ENTRIES = [
    {
        "id": "K1",
        "question": "社保卡丢了怎么补办",
        "similar": ["社会保障卡遗失补卡"],
        "answer": "先挂失，再到**任一**服务网点补办。\n\n1. 带身份证\n2. 当场领卡\n\n<script>alert(1)</script>",
        "spoken": "先挂失，再带身份证到网点补办。",
        "category": "社会保障",
        "source": "社会保障卡管理办法",
        "source_url": "https://www.example.gov.cn/card?a=1&b=2",
        "valid_from": "2026-01-01",
        "valid_to": "2027-12-31",
        "owner_unit": "JZ",
    },
    {
        "id": "K2",
        "question": "路灯不亮找谁修",
        "answer": "请说明灯杆编号。",
        "category": "市政设施",
        "areas": ["131103"],
    },
    {"id": "K3", "question": "井盖丢失怎么反映", "answer": "请先远离。", "category": "市政设施"},
    {"id": "K4", "question": "内部：投诉座席怎么登记", "answer": "转督办。", "category": "内部", "public": False},
    {
        "id": "K5",
        "question": "冬季取暖补贴怎么领",
        "answer": "明年起。",
        "category": "供热",
        "valid_from": "2027-01-01",
    },
    {"id": "K6", "question": "旧的停车办法", "answer": "已经过期。", "category": "交通", "valid_to": "2026-11-17"},
]


@pytest.fixture
def entries(runtime: Runtime, here: City, sessions: SessionFactory) -> None:
    """What the city has written: three answers for everybody, one for staff, one too early and one too late."""
    with session_scope(sessions) as session:
        assert not import_entries(session, ENTRIES, actor_id=None, now=runtime.now()).refused


@pytest.fixture
def citizen(app: Flask, entries: None) -> FlaskClient:
    """A citizen's browser."""
    return app.test_client()


Change = Callable[..., None]


@pytest.fixture
def change(runtime: Runtime, sessions: SessionFactory) -> Change:
    """Change one entry: ``change("K1", answer="…")``."""

    def change_one(code: str, **fields: object) -> None:
        row = next(row for row in ENTRIES if row["id"] == code)
        with session_scope(sessions) as session:
            import_entries(session, [row | fields], actor_id=None, now=runtime.now())

    return change_one
