"""Migrations make what the models say, on both databases, up and down."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from hotline.db import make_engine
from hotline.migrations import run


def test_the_code_has_one_newest_revision() -> None:
    assert len(run.heads()) == 1


def test_the_newest_revision_is_what_the_models_say(either_url: str) -> None:
    assert run.current(either_url) is None
    run.upgrade(either_url)
    assert run.current(either_url) == run.head()
    assert run.differences(either_url) == []


def test_a_database_goes_down_to_nothing_and_up_again(either_url: str) -> None:
    run.upgrade(either_url)
    run.downgrade(either_url, "base")
    assert run.current(either_url) is None
    run.upgrade(either_url)
    assert run.differences(either_url) == []


def test_a_difference_would_be_noticed(either_url: str) -> None:
    run.upgrade(either_url)
    engine = make_engine(either_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE units ADD COLUMN forgotten VARCHAR(5)"))
        connection.execute(text("DROP INDEX ix_deliveries_receipt"))
    engine.dispose()
    kinds = {difference[0] for difference in run.differences(either_url)}
    assert kinds == {"remove_column", "add_index"}


def test_upgrading_twice_changes_nothing(either_url: str) -> None:
    run.upgrade(either_url)
    run.upgrade(either_url)
    assert run.current(either_url) == run.head()


def test_a_migration_that_would_leave_rows_pointing_nowhere_changes_nothing(tmp_path: Path) -> None:
    run.upgrade(url := f"sqlite:///{tmp_path}/lost.db")
    with closing(sqlite3.connect(tmp_path / "lost.db")) as damaged:  # without the constraints our engine turns on
        damaged.execute("INSERT INTO api_tokens (token_hash, user_id, created_at) VALUES ('x', 99, '2026-01-01')")
        damaged.commit()
    with pytest.raises(RuntimeError, match="1 rows would point nowhere"):
        run.downgrade(url, run.head())
