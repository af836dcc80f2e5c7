"""Fill an empty database with Hengshui: the files of ``data/``, brought in as any city brings its own."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts import service as accounts
from hotline.accounts.models import User
from hotline.audit import AccessLog
from hotline.db import SessionFactory, session_scope
from hotline.demo import duty, floor
from hotline.demo.places import HERE
from hotline.errors import NotAllowedNow
from hotline.imports import KINDS, read, run
from hotline.knowledge_base import service as knowledge_base
from hotline.units.models import Unit

BEGUN: Final = "seed_demo_begun"
SEEDED: Final = "seed_demo"
DATA: Final = HERE / "data"
CATEGORIES: Final = DATA / "categories.csv"  # common enough for any city to begin with
# in the order in which one refers to the other
KINDS_HERE: Final = ("units", "users", "categories", "responsibility", "gazetteer", "assets", "numbers")


def is_demo(session: Session) -> bool:
    """Whether this database was filled by ``seed``."""
    return _logged(session, AccessLog.act == SEEDED)


def may_seed(session: Session) -> bool:
    """Whether nobody but an interrupted ``seed`` has set anything up here."""
    empty = session.scalar(select(Unit.id).limit(1)) is None
    return empty or (_logged(session, AccessLog.act == BEGUN) and not is_demo(session))


def _logged(session: Session, condition: ColumnElement[bool]) -> bool:
    return session.scalar(select(AccessLog.id).where(condition).limit(1)) is not None


def seed(sessions: SessionFactory, *, password: str, now: datetime) -> dict[str, int]:
    """Import the demo city, file by file, and return what was made, by kind.

    Every user gets ``password`` instead of a first-log-in code: the one thing a real city never does. Raises
    ``NotAllowedNow`` when the database already holds anything: demo data are never mixed with a city's own.
    Interrupted, it goes on when called again.
    """
    hashed = accounts.hash_password(password)
    with session_scope(sessions) as session:
        if not may_seed(session):
            raise NotAllowedNow("数据库里已有数据：演示数据只写入空库")
        _log(session, BEGUN, now)
    made = {kind: _import(sessions, kind, DATA / f"{kind}.csv", now) for kind in KINDS_HERE}
    with session_scope(sessions) as session:
        with (DATA / "knowledge.jsonl").open(encoding="utf-8") as rows:
            knowledge = knowledge_base.import_lines(session, rows, actor_id=None, now=now)
        if knowledge.refused:
            raise ValueError(f"demo knowledge is wrong: {knowledge.refused}")
        learned_from = floor.seed(session, DATA / "floor.json", now=now)
        on_duty = duty.seed(session, DATA / "duty.csv", now=now)
        session.execute(update(User).values(password_hash=str(hashed), must_set_password=False))
        _log(session, SEEDED, now)
    return made | {
        "knowledge entries": knowledge.added,
        "calls of the last weeks": learned_from,
        "duty shifts": on_duty,
    }


def _import(sessions: SessionFactory, kind: str, path: Path, now: datetime) -> int:
    done = run(sessions, KINDS[kind], read(path, path.name), actor=accounts.SYSTEM, now=now)
    if done.refused:
        raise ValueError(f"{path} is wrong: {done.refused}")
    return done.new


def _log(session: Session, act: str, now: datetime) -> None:
    audit.record(session, at=now, user_id=None, act=act, subject="city", subject_id="demo")
