"""Deleting what was never used. What anything refers to stays and can be put out of use; whoever tries is told what.

Whether a row is referred to is read from the tables themselves, so that a table added later cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, inspect, select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.service import Actor
from hotline.assets.models import Asset, AssetKeeper
from hotline.db import Base
from hotline.errors import NotAllowedNow
from hotline.gazetteer.models import PlaceName
from hotline.imports.uses import Use
from hotline.units.models import Category, ResponsibilityLine
from hotline.work_orders.models import DeadlineProfile, WorkOrder

# what people call the rows of a table
WORDS: Final = {
    "units": "下级单位",
    "users": "人员",
    "categories": "下级分类",
    "responsibility_lines": "责任清单",
    "places": "地名",
    "assets": "城市部件",
    "kb_entries": "知识条目",
    "kb_suggestions": "知识提示",
    "work_orders": "工单",
    "sub_orders": "工单",
    "order_events": "工单记录",
    "deliveries": "推送记录",
    "calls": "通话",
    "access_log": "操作记录",
    "api_tokens": "接口令牌",
    "unit_keys": "接口密钥",
    "presences": "坐席状态",
    "presence_events": "坐席状态",
    "holder_spans": "工单记录",
    "reports": "办理报告",
    "callbacks": "回访",
    "callback_attempts": "回访",
    "evaluations": "评价",
    "queue_events": "通话",
    "call_legs": "通话",
}
OTHER: Final = "其他记录"
OWN: Final = frozenset({PlaceName.__tablename__, AssetKeeper.__tablename__})  # goes with its row
# references by code, which no foreign key tells
BY_CODE: Final[Mapping[type[Base], tuple[tuple[Any, str], ...]]] = {
    Category: (
        (Category.parent_code, "code"),
        (ResponsibilityLine.category_code, "code"),
        (WorkOrder.category_code, "code"),
        (Asset.category_code, "code"),
    ),
    DeadlineProfile: ((WorkOrder.profile, "name"),),
}


def references(session: Session, row: Base) -> list[Use]:
    """Return what refers to the row or ever did, by the word for it; empty: it was never used."""
    counts: dict[str, int] = {}
    for table, clause in _looks(row):
        found = session.scalar(select(func.count()).select_from(table).where(clause)) or 0
        if found:
            word = WORDS.get(table.name, OTHER)
            counts[word] = counts.get(word, 0) + found
    return [Use(word, count, ()) for word, count in counts.items()]


def _looks(row: Base) -> Iterator[tuple[Any, ColumnElement[bool]]]:
    mine = inspect(type(row)).local_table
    for table in Base.metadata.tables.values():
        for column in table.columns:
            for key in column.foreign_keys:
                if key.column.table is mine and table.name not in OWN:
                    yield table, column == getattr(row, key.column.name)
    for column, name in BY_CODE.get(type(row), ()):
        yield column.class_.__table__, column == getattr(row, name)


def remove(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    row: Base,
    title: str,
    subject: str,
    subject_id: str,
    held: Mapping[str, Any],
    hidden: tuple[str, ...] = (),
) -> None:
    """Delete a row nothing refers to; ``held`` stands in its audit row as what was before, ``hidden`` fields masked.

    Raises ``NotAllowedNow`` telling what refers to it (``details['uses']``).
    """
    if uses := references(session, row):
        raise NotAllowedNow(f"{title}用过，不能删除，可以停用：{told(uses)}", uses=uses)
    session.delete(row)
    audit.changed(
        session,
        at=now,
        user_id=actor.user_id,
        subject=subject,
        subject_id=subject_id,
        before=held,
        after=dict.fromkeys(held),
        act="remove",
        hidden=hidden,
    )
    session.flush()


def told(uses: list[Use]) -> str:
    """Return the uses in a few words."""
    return "、".join(f"{use.where} {use.count} 处" for use in uses)
