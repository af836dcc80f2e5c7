"""A city of many orders, written straight into the tables the quickest way each database has."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, text

from hotline.migrations.metadata import metadata
from hotline.work_orders import numbers

NOW: Final = datetime(2026, 11, 20, 3, tzinfo=UTC)
TZ: Final = ZoneInfo("Asia/Shanghai")
YEARS: Final = 6
NEWEST: Final = 0.03  # of all orders; two thirds of them are still open
COUNTIES: Final = 13
TOWNSHIPS: Final = 9  # of each county
DEPARTMENTS: Final = 40
CHUNK: Final = 20_000  # orders
PLACES: Final = (
    *("永兴路", "和平街", "德政大道", "育才街", "人民路", "胜利路", "中湖大道", "问津街", "前进街", "红旗大街"),
    *("永安路", "榕花街", "大庆路", "裕华路", "自强街", "新华路", "京衡大街", "宝云街", "休门街", "庆丰街"),
)
ESTATES: Final = ("五洲国际", "丽景福苑", "阳光水岸", "学府名城", "金域华府", "翰林世家", "滨湖一号", "东明花园")
MATTERS: Final = (
    *("停水", "停电", "暖气不热", "路灯不亮", "井盖缺失", "噪音扰民", "垃圾没人清运", "拖欠工资", "物业乱收费"),
    *("违章建筑", "黑臭水体", "公交改线", "学位问题", "医保报销", "食品过期", "油烟扰民", "非法停车", "低保申请"),
)
CATEGORIES: Final = tuple(f"{one:02}{two:02}" for one in range(1, 13) for two in range(1, 9))
NO_HASH: Final = "0" * 64
MOVES: Final = (
    ("", "draft", "open"),
    ("draft", "to_review", "submit"),
    ("to_review", "to_sign", "dispatch"),
    ("to_sign", "in_hand", "sign"),
    ("in_hand", "to_check_hub", "report"),
    ("to_check_hub", "to_call_back", "approve"),
    ("to_call_back", "closed", "close"),
    ("closed", "archived", "archive"),
)
OPEN: Final = ("to_review", "to_sign", "in_hand", "in_hand", "to_check_hub", "to_call_back")
PART_OF: Final = {"to_sign": "to_sign", "in_hand": "in_hand", "in_hand_tier3": "in_hand"}
SAID: Final = ("satisfied", "satisfied", "satisfied", "fair", "dissatisfied", "none")


class Writer:
    """Rows into one table, in chunks; columns not named get what the model gives by itself."""

    def __init__(self, connection: Connection, table: str) -> None:
        self._connection = connection
        self._table = table
        self._rows: list[dict[str, Any]] = []
        self._plain = {
            column.name: by_itself
            for column in metadata.tables[table].columns
            if (by_itself := _default(column.default)) is not None
        }

    def add(self, **row: Any) -> None:
        """Keep a row for the next flush."""
        self._rows.append(self._plain | row)

    def flush(self) -> None:
        """Write what is kept."""
        if not self._rows:
            return
        names = ", ".join(self._rows[0])
        raw = self._connection.connection.driver_connection
        assert raw is not None
        if self._connection.dialect.name == "postgresql":
            with raw.cursor().copy(f"COPY {self._table} ({names}) FROM STDIN") as copy:
                for row in self._rows:
                    copy.write_row(list(row.values()))
        else:
            marks = ", ".join("?" for _ in self._rows[0])
            raw.executemany(
                f"INSERT INTO {self._table} ({names}) VALUES ({marks})",
                [[_plain(value) for value in row.values()] for row in self._rows],
            )
        self._rows.clear()


def _default(given: Any) -> Any:
    """What a column gets where nothing is said; None where it gets nothing. Callables are ``dict`` and ``list``."""
    if given is None:
        return None
    return {"dict": "{}", "list": "[]"}[given.arg.__name__] if given.is_callable else given.arg


def _plain(value: Any) -> Any:
    """A moment as SQLite keeps it."""
    if not isinstance(value, datetime):
        return value
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


class City:
    """Units that orders go to, and the orders, drawn by a seed."""

    TABLES: Final = ("units", "users", "work_orders", "sub_orders", "order_events", "holder_spans", "reports")

    def __init__(self, connection: Connection, seed: int) -> None:
        self._connection = connection
        self._chance = random.Random(seed)
        self._into = {name: Writer(connection, name) for name in self.TABLES}
        self._ends: list[tuple[int, int | None]] = []  # tier-2 unit, one of its townships or None
        self._subs = 0
        self._units()

    def orders(self, rows: int) -> None:
        """Write ``rows`` orders of the last years, the newest of them still open for the most part."""
        length = timedelta(days=365 * YEARS)
        running: dict[str, int] = {}
        for number in range(1, rows + 1):
            at = NOW - length + length / rows * number
            month = at.astimezone(TZ).strftime("%y%m")
            running[month] = running.get(month, 0) + 1
            is_open = number > rows * (1 - NEWEST) and self._chance.random() < 2 / 3
            self._order(number, numbers.write(month, running[month]), at, is_open)
            if number % CHUNK == 0 or number == rows:
                for writer in self._into.values():  # in the order of who refers to whom
                    writer.flush()
                print(f"{number} orders", file=sys.stderr, flush=True)
        if self._connection.dialect.name == "postgresql":
            for name in self.TABLES:
                newest = f"(SELECT max(id) FROM {name})"
                self._connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {newest})"))

    def _units(self) -> None:
        unit, number = self._into["units"], 1
        unit.add(id=1, code="HS", name="热线中心", tier=1, parent_id=None, path="/1/")
        for index in range(COUNTIES + DEPARTMENTS):
            above = number = number + 1
            county = index < COUNTIES
            unit.add(id=above, code=f"U{above}", name=f"二级单位{above}", tier=2, parent_id=1, path=f"/1/{above}/")
            if not county:
                self._ends.append((above, None))
            for _ in range(TOWNSHIPS if county else 0):
                number += 1
                path = f"/1/{above}/{number}/"
                unit.add(id=number, code=f"U{number}", name=f"乡镇{number}", tier=3, parent_id=above, path=path)
                self._ends.append((above, number))
        unit.flush()
        user = self._into["users"]
        user.add(id=1, username="rev", display_name="派单员", password_hash="-", role="REV", created_at=NOW)
        user.flush()

    def _order(self, number: int, order_no: str, at: datetime, is_open: bool) -> None:
        chance = self._chance
        above, below = chance.choice(self._ends)
        closed = None if is_open else min(at + timedelta(hours=chance.randint(2, 216)), NOW)
        status = chance.choice(OPEN) if is_open else "archived" if at < NOW - timedelta(days=45) else "closed"
        status = "in_hand_tier3" if status == "in_hand" and below else status
        place = f"{chance.choice(PLACES)}{chance.randint(1, 399)}号{chance.choice(ESTATES)}{chance.randint(1, 30)}号楼"
        matter = chance.choice(MATTERS)
        said = "" if is_open else chance.choice(SAID)
        self._into["work_orders"].add(
            id=number,
            order_no=order_no,
            status=status,
            demand_type=chance.choice(("help", "complaint", "consult", "report")),
            category_code=chance.choice(CATEGORIES),
            urgency="normal" if chance.random() < 0.97 else "urgent",
            title=f"{place[:12]}{matter}",
            content=f"市民反映{place}{matter}，请尽快处理。" * 3,
            address=place,
            area_code="131102",
            clock_started_at=at,
            deadline_at=at + timedelta(days=7),
            original_deadline_at=at + timedelta(days=7),
            step_due_at=at + timedelta(days=7) if is_open else None,
            lead_unit_id=None if status == "to_review" else above,
            first_dispatched_at=at,
            dispatch_count=1,
            return_count=int(chance.random() < 0.06),
            redo_count=int(chance.random() < 0.05),
            first_satisfaction=said,
            final_satisfaction=said,
            final_solved="" if is_open else chance.choice(("yes", "yes", "partly", "no")),
            close_kind="" if is_open else "not_reached" if said == "none" else "evaluated",
            created_at=at,
            submitted_at=at,
            closed_at=closed,
            updated_at=closed or at,
            event_count=len(MOVES),
            head_hash=NO_HASH,
        )
        ends = [] if status == "to_review" else [(above, 2)] + ([(below, 3)] if below else [])
        self._parts(number, ends, PART_OF.get(status, "reported") if is_open else "closed", at, closed)
        self._life(number, below or above, at, closed)

    def _parts(
        self, number: int, ends: Sequence[tuple[int | None, int]], state: str, at: datetime, closed: datetime | None
    ) -> None:
        for unit_id, tier in ends:
            self._subs += 1
            self._into["sub_orders"].add(
                id=self._subs,
                order_id=number,
                unit_id=unit_id,
                parent_id=self._subs - 1 if tier == 3 else None,
                tier=tier,
                part="lead",
                state=state,
                assigned_at=at,
                sign_due_at=at + timedelta(days=1),
                deadline_at=at + timedelta(days=7),
                signed_at=None if state == "to_sign" else at + timedelta(hours=self._chance.randint(0, 30)),
                reported_at=None if state in ("to_sign", "in_hand") else closed or NOW,
                closed_at=closed,
            )
        if closed:
            self._into["reports"].add(
                order_id=number,
                sub_order_id=self._subs,
                round=1,
                contacted=self._chance.random() < 0.9,
                solved="yes",
                public_reply="已处理完毕，感谢您的反映。",
                user_id=1,
                at=closed,
            )

    def _life(self, number: int, unit_id: int, at: datetime, closed: datetime | None) -> None:
        for seq, (before, after, action) in enumerate(MOVES, start=1):
            self._into["order_events"].add(
                order_id=number,
                seq=seq,
                action=action,
                from_status=before,
                to_status=after,
                at=at + timedelta(hours=seq),
                actor_user_id=1,
                actor_role="REV",
                prev_hash=NO_HASH,
                hash=NO_HASH,
            )
        taken = at + timedelta(hours=2)
        self._into["holder_spans"].add(order_id=number, holder="hub", unit_id=None, from_at=at, to_at=taken)
        self._into["holder_spans"].add(order_id=number, holder="unit", unit_id=unit_id, from_at=taken, to_at=closed)


def fill(engine: Engine, rows: int, seed: int) -> None:
    """Write a city and ``rows`` orders into empty tables, and let the database look at them."""
    with engine.begin() as connection:
        City(connection, seed).orders(rows)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if connection.dialect.name == "postgresql" else "ANALYZE"))
