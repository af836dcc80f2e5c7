"""A small knowledge base to search in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy.orm import Session

from hotline.knowledge_base.search.index import KnowledgeIndex
from hotline.knowledge_base.service import ImportResult, import_entries
from tests.conftest import NOON

TODAY = date(2026, 11, 18)

ROWS = (
    {
        "id": "lamp",
        "question": "路灯不亮找谁修",
        "similar": ["门口路灯坏了", "路灯一闪一闪"],
        "answer": "公共道路的路灯由城管部门维修。",
        "category": "市政设施",
    },
    {
        "id": "water",
        "question": "家里停水怎么报修",
        "similar": ["自来水没水了"],
        "answer": "请联系供水公司。",
        "category": "供水",
    },
    {
        "id": "wages",
        "question": "老板拖欠工资怎么办",
        "similar": ["干完活不给钱"],
        "answer": "请拨打12333，或向劳动监察投诉。",
        "category": "劳动保障",
    },
    {
        "id": "wedding",
        "question": "结婚登记需要什么手续",
        "similar": ["领结婚证要带什么"],
        "answer": "双方带身份证到婚姻登记机关。",
        "category": "婚姻民政",
    },
    {
        "id": "night",
        "question": "夜间施工噪声扰民怎么投诉",
        "similar": ["工地半夜施工太吵"],
        "answer": "请告诉我工地位置。",
        "category": "噪声",
    },
)


@pytest.fixture
def take(session: Session) -> Callable[..., ImportResult]:
    """Import rows in the test's session."""

    def take(*rows: object, **options: bool) -> ImportResult:
        return import_entries(session, rows, actor_id=None, now=NOON, **options)

    return take


@pytest.fixture
def index(session: Session, take: Callable[..., ImportResult]) -> KnowledgeIndex:
    """An index over ``ROWS``."""
    take(*ROWS)
    index = KnowledgeIndex()
    index.refresh(session)
    return index
