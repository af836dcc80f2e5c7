"""How fast a city's orders are found once there are many.

    python -m bench.orders --rows 1000000 [--database URL]

Without ``--database`` a PostgreSQL cluster of the bench's own is made and thrown away. Orders of the last six years are
written straight into the tables of the newest migration: two in a hundred are open, each has its sub-orders, events and
holders, as the verbs would have left them (without hashes that hold: nothing here reads them). Then the pages' own
reads run one after the other, each in a session of its own, with units, words, numbers and orders drawn by a seed:
``inbox_ms_p99`` a unit's inbox with its counts, ``search_ms_p99`` the hub's search with its counts, ``order_ms_p99``
all that the hub's order page reads; ``league_s`` the league table and ``month_s`` the figures of a whole month.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from bench.orders_city import ESTATES, MATTERS, NOW, TZ, fill
from hotline.accounts.service import Actor
from hotline.db import KeyRing, make_engine, make_sessions, use_key_ring
from hotline.migrations import run as migrations
from hotline.reports import leagues
from hotline.units.models import Unit
from hotline.work_orders import boards, finding, queries
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.story import story

SEEN: Final = 250  # reads of each kind


def say(words: str) -> None:
    """Tell how far it is."""
    print(words, file=sys.stderr, flush=True)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` of them lie."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


@contextmanager
def own_cluster() -> Iterator[str]:
    """A PostgreSQL of this run with a server's usual caches; its files go at the end."""
    folder = Path(tempfile.mkdtemp(prefix="bench-orders-"))
    as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_postgres:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    try:
        subprocess.run(
            [*as_postgres, "initdb", "-D", data, "-U", "bench", "-A", "trust", "--locale=C.UTF-8"],
            check=True,
            capture_output=True,
        )
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c shared_buffers=1GB -c fsync=off"
        options += " -c max_wal_size=8GB -c jit=off"
        subprocess.run(
            [*as_postgres, "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start"],
            check=True,
            capture_output=True,
        )
        yield f"postgresql+psycopg://bench@/postgres?host={folder}"
        subprocess.run(
            [*as_postgres, "pg_ctl", "-D", data, "-m", "immediate", "stop"], check=False, capture_output=True
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ---- reading


def timed(work: Callable[[], object]) -> float:
    """Return how many milliseconds it took."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def inbox(session: Session, unit: Unit, chance: random.Random) -> None:
    """What a unit's inbox reads."""
    actor = Actor(1, "U2" if unit.tier == 2 else "U3", unit.id)
    queries.inbox_counts(session, actor, now=NOW)
    buckets = [bucket for bucket in queries.Bucket if bucket != queries.Bucket.TO_CHECK or unit.tier == 2]
    found = queries.inbox(session, actor, bucket=chance.choice(buckets), now=NOW).items
    if unit.tier == 2:
        boards.county_board(session, actor, now=NOW)
    ids = [sub.order_id for sub in found]
    boards.holders(session, ids)
    boards.urges(session, ids)


def search(session: Session, words: str) -> None:
    """What the hub's search reads."""
    actor = Actor(1, "REV")
    found = finding.find(session, actor, text=words)
    boards.holders(session, [order.id for order in found.items])


def one(session: Session, order_no: str) -> None:
    """What the hub's page of one order reads."""
    actor = Actor(1, "REV")
    order = queries.visible_to(session, actor, order_no)
    story(session, order, actor)
    queries.held_minutes(order, NOW)
    queries.last_report(session, order, actor)
    queries.allowed_actions(order, actor)


def words_of(chance: random.Random, order: WorkOrder) -> str:
    """What somebody looking for this order types: its number, a part of it, or words of its title or place."""
    way = chance.randrange(6)
    if way == 0:
        return order.order_no
    if way == 1:
        return order.order_no.split("-")[1]
    if way == 2:
        return chance.choice(MATTERS)
    if way == 3:
        return order.address[: chance.randint(3, len(order.address))]
    if way == 4:
        return chance.choice(ESTATES)
    return order.title[chance.randint(0, 6) :]


def measure(engine: Engine, seed: int) -> dict[str, Any]:
    """Run the reads and return their times."""
    sessions = make_sessions(engine)
    chance = random.Random(seed + 1)
    with sessions() as session:
        units = session.scalars(select(Unit).where(Unit.tier > 1)).all()
        last = session.scalar(select(WorkOrder.id).order_by(WorkOrder.id.desc()).limit(1)) or 0
        drawn = [chance.randint(1, last) for _ in range(SEEN)]
        orders = [session.get_one(WorkOrder, number) for number in drawn]
        asked = [words_of(chance, order) for order in orders]
        known = [order.order_no for order in orders]
    times: dict[str, list[float]] = {"inbox": [], "search": [], "order": []}
    for round_ in range(2):  # the first round fills the caches of a server that has just begun
        for unit, words, order_no in zip((chance.choice(units) for _ in range(SEEN)), asked, known, strict=False):
            for name, work in (
                ("inbox", lambda session, unit=unit: inbox(session, unit, chance)),
                ("search", lambda session, words=words: search(session, words)),
                ("order", lambda session, order_no=order_no: one(session, order_no)),
            ):
                with sessions() as session:
                    spent = timed(lambda: work(session))  # noqa: B023 - run at once
                if round_:
                    times[name].append(spent)
    start, end = datetime(2026, 10, 1, tzinfo=TZ), datetime(2026, 11, 1, tzinfo=TZ)
    with sessions() as session:
        league_s = timed(lambda: leagues.league(session, start, end)) / 1000
        month_s = timed(lambda: leagues.month(session, start, end)) / 1000
    figures = {f"{name}_ms_p99": round(quantile(spent, 0.99), 1) for name, spent in times.items()}
    figures |= {f"{name}_ms_p50": round(quantile(spent, 0.5), 1) for name, spent in times.items()}
    return figures | {"league_s": round(league_s, 2), "month_s": round(month_s, 2)}


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--database", default="", help="SQLAlchemy URL of an empty database; default: own PostgreSQL")
    parser.add_argument("--seed", type=int, default=12345)
    given = parser.parse_args()
    use_key_ring(KeyRing((("bench", os.urandom(32)),)))
    begun = time.monotonic()
    with given_or_own(given.database) as url:
        migrations.upgrade(url)
        engine = make_engine(url)
        fill(engine, given.rows, given.seed)
        say(f"filled in {time.monotonic() - begun:.0f} s")
        figures = measure(engine, given.seed)
        server = engine.dialect.name
        with engine.connect() as connection:
            if server == "postgresql":
                server = str(connection.scalar(text("SHOW server_version")))
        engine.dispose()
    print(
        json.dumps(
            {
                "rows": given.rows,
                **figures,
                "server": f"{engine.dialect.name} {server}",
                "sqlalchemy": importlib.metadata.version("sqlalchemy"),
                "python": sys.version.split()[0],
                "load": os.getloadavg()[0],
                "data": hashlib.sha256(f"{given.rows} {given.seed}".encode()).hexdigest()[:16],
            },
            ensure_ascii=False,
        )
    )


@contextmanager
def given_or_own(url: str) -> Iterator[str]:
    """The database that was named, else a cluster of our own."""
    if url:
        yield url
        return
    if shutil.which("initdb") is None:
        raise SystemExit("no PostgreSQL here: install it (apt install postgresql) or name a database with --database")
    with own_cluster() as own:
        yield own


if __name__ == "__main__":
    main()
