"""Takes a database to another revision. There is no configuration file: whoever calls names the database.

A new migration: ``python -m hotline.migrations.run "Why it is needed"`` writes it from the difference between the
models and the database of ``HOTLINE_DATABASE_URL``, which must be at the newest revision; read it before committing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from hotline.db import make_engine
from hotline.migrations.metadata import metadata

HERE = Path(__file__).parent
# indexes over expressions of one database's own, which a model cannot name for both
BESIDE_THE_MODELS = frozenset({"ix_work_orders_pairs"})


def heads() -> list[str]:
    """Return the newest revisions in the code; with more than one, branches have to be joined first."""
    return list(ScriptDirectory.from_config(_config()).get_heads())


def head() -> str:
    """Return the newest revision in the code."""
    (newest,) = heads()
    return newest


def current(database_url: str) -> str | None:
    """Return the revision of a database; None when it has none."""
    with _connected(database_url) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(database_url: str, revision: str = "head") -> None:
    """Take a database up to ``revision``, all or nothing."""
    with _changing(database_url) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(database_url: str, revision: str) -> None:
    """Take a database back to ``revision``, all or nothing; ``base`` empties it."""
    with _changing(database_url) as connection:
        command.downgrade(_config(connection), revision)


def differences(database_url: str) -> list[Any]:
    """Return in what a database differs from the models; empty when it is as they are."""
    with _connected(database_url) as connection:
        context = MigrationContext.configure(connection, opts={"include_object": _is_of_the_models})
        return list(compare_metadata(context, metadata))


def _is_of_the_models(_item: Any, name: str | None, _kind: str, _reflected: bool, _compared: Any) -> bool:
    return name not in BESIDE_THE_MODELS


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _connected(database_url: str) -> Iterator[Connection]:
    engine = make_engine(database_url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _changing(database_url: str) -> Iterator[Connection]:
    with _connected(database_url) as connection:
        if connection.dialect.name != "sqlite":
            with connection.begin():
                yield connection
            return
        # SQLite alters a table by copying and dropping it, which must not be taken for the loss of its rows;
        # the pragma is heard only outside a transaction, so it goes past SQLAlchemy, which would begin one
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF")
        with connection.begin():
            yield connection
            lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if lost:
                raise RuntimeError(f"{len(lost)} rows would point nowhere, first {lost[0]}: nothing was changed")


def _write(why: str) -> None:
    number = f"{len(list((HERE / 'versions').glob('[0-9]*.py'))) + 1:04}"
    with _connected(os.environ["HOTLINE_DATABASE_URL"]) as connection:
        command.revision(_config(connection), message=why, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    _write(" ".join(sys.argv[1:]))
