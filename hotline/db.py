"""The database: base class, typed columns, engine and the session scope every entry point uses."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    Engine,
    Float,
    LargeBinary,
    MetaData,
    Table,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

# names for every constraint, so that a migration can drop what another made, on both databases
NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Parent of every mapped class."""

    metadata = MetaData(naming_convention=NAMING)


def only_if_known(column: str) -> dict[str, Any]:
    """Return what makes an index leave out rows where ``column`` is NULL, on both databases."""
    known = text(f"{column} IS NOT NULL")
    return {"sqlite_where": known, "postgresql_where": known}


class UTCDateTime(TypeDecorator[datetime]):
    """An aware moment. SQLite drops the zone and PostgreSQL keeps it; both give back UTC. Naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class UnreadableError(Exception):
    """A ciphertext whose key is not on the ring, or that was altered."""


class KeyRing:
    """Data keys by id. The first encrypts; every one decrypts. Ciphertexts and HMACs carry the key's id.

    Token layout: ``id`` + ``:`` + 12-byte nonce + AES-256-GCM(ciphertext, associated data = id).
    """

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        if not keys:
            raise ValueError("a key ring needs a key")
        self._ids = [key_id for key_id, _ in keys]
        self._ciphers = {key_id: AESGCM(_derive(key, b"encrypt")) for key_id, key in keys}
        self._index_keys = {key_id: _derive(key, b"index") for key_id, key in keys}

    @property
    def writing_id(self) -> str:
        """Id of the key that encrypts now."""
        return self._ids[0]

    def encrypt(self, plain: bytes) -> bytes:
        """Return the token of ``plain`` under the writing key."""
        nonce = os.urandom(12)
        key_id = self.writing_id.encode()
        return key_id + b":" + nonce + self._ciphers[self.writing_id].encrypt(nonce, plain, key_id)

    def decrypt(self, token: bytes) -> bytes:
        """Return the plain bytes, or raise ``UnreadableError``."""
        key_id, _, body = token.partition(b":")
        cipher = self._ciphers.get(key_id.decode("ascii", "replace"))
        if cipher is None:
            raise UnreadableError(f"no key {key_id!r} on the ring")
        try:
            return cipher.decrypt(body[:12], body[12:], key_id)
        except InvalidTag as fault:
            raise UnreadableError("altered ciphertext") from fault

    def index(self, value: str) -> str:
        """Return ``id:hex`` HMAC-SHA-256 of ``value`` under the writing key: equal values, equal index."""
        return self._index(self.writing_id, value)

    def indexes(self, value: str) -> list[str]:
        """Return the index of ``value`` under every key, to look up rows written before a rotation."""
        return [self._index(key_id, value) for key_id in self._ids]

    def _index(self, key_id: str, value: str) -> str:
        digest = hmac.new(self._index_keys[key_id], value.encode(), hashlib.sha256).hexdigest()
        return f"{key_id}:{digest}"


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"hotline " + purpose).derive(key)


_ring: KeyRing | None = None


def use_key_ring(ring: KeyRing) -> None:
    """Set the ring this process encrypts with. Called once by ``bootstrap`` (and by tests)."""
    global _ring  # noqa: PLW0603 - column types are made at import, keys are known only later
    _ring = ring


def key_ring() -> KeyRing:
    """Return the ring of this process; raises RuntimeError before ``use_key_ring``."""
    if _ring is None:
        raise RuntimeError("no key ring: bootstrap has not run")
    return _ring


class seconds_of(FunctionElement[float]):
    """A moment as seconds, on both databases: to be subtracted and compared, not shown."""

    type = Float()
    inherit_cache = True


@compiles(seconds_of)
def _seconds(element: seconds_of, compiler: SQLCompiler, **options: Any) -> str:
    return f"EXTRACT(EPOCH FROM {compiler.process(element.clauses, **options)})"


@compiles(seconds_of, "sqlite")
def _seconds_on_sqlite(element: seconds_of, compiler: SQLCompiler, **options: Any) -> str:
    return f"(julianday({compiler.process(element.clauses, **options)}) * 86400.0)"


class Encrypted(TypeDecorator[str]):
    """Text that the database never sees in the clear. Not searchable: keep a ``KeyRing.index`` beside it."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else key_ring().encrypt(value.encode())

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else key_ring().decrypt(bytes(value)).decode()


class EncryptedBytes(TypeDecorator[bytes]):
    """Bytes (a photograph, a paper) kept like ``Encrypted`` text."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else key_ring().encrypt(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else key_ring().decrypt(bytes(value))


class EncryptedJSON(TypeDecorator[Any]):
    """A JSON value kept like ``Encrypted`` text."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else key_ring().encrypt(json.dumps(value, ensure_ascii=False).encode())

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(key_ring().decrypt(bytes(value)))


BEGIN: Final = "BEGIN IMMEDIATE"
BEGIN_READING: Final = "BEGIN"
READS_ONLY: Final = "hotline_reads_only"
PRAGMAS: Final = (
    "journal_mode=WAL",
    "foreign_keys=ON",
    "synchronous=NORMAL",
    "busy_timeout=10000",
    "cache_size=-32000",
    # a call touches some fifteen pages, mostly the same ones: the log is emptied after 32 MB, not after every 60 calls
    "wal_autocheckpoint=8000",
)


def make_engine(url: str, **options: Any) -> Engine:
    """Return an engine for PostgreSQL or SQLite.

    SQLite is opened in WAL mode with foreign keys on, a 10 s busy time-out and ``BEGIN IMMEDIATE``: a
    transaction that read first and writes later would otherwise fail with "database is locked". A file has one
    connection a process: threads then wait their turn for it instead of polling for the lock, where the unlucky
    one waited seconds under load.
    """
    # the text of an error goes to logs; values are personal data
    options.setdefault("hide_parameters", True)
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, **options)
    if make_url(url).database not in {None, "", ":memory:"}:
        options = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 10} | options
    options.setdefault("connect_args", {}).update({"timeout": 10, "check_same_thread": False})
    engine = create_engine(url, **options)

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        begin = BEGIN_READING if connection.get_execution_options().get(READS_ONLY) else BEGIN
        try:  # straight at the driver: a statement of ours would cost as much as the transaction itself
            connection.connection.driver_connection.execute(begin)  # type: ignore[union-attr]
        except sqlite3.OperationalError as fault:
            raise OperationalError(begin, None, fault) from fault

    return engine


SessionFactory = sessionmaker[Session]


def make_sessions(engine: Engine) -> SessionFactory:
    """Return the factory of sessions; objects stay readable after commit."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def session_scope(sessions: SessionFactory) -> Iterator[Session]:
    """One transaction: committed at the end, rolled back on any exception, which goes on upward."""
    with sessions() as session, session.begin():
        yield session


@contextmanager
def reading(sessions: SessionFactory) -> Iterator[Session]:
    """A session for a long look: on SQLite it keeps no writer waiting, as ``session_scope`` does from its beginning."""
    with sessions() as session:
        session.connection(execution_options={READS_ONLY: True})
        yield session


class PreparedInsert:
    """An INSERT of one row, worked out once for each kind of database.

    For the one path where hundreds of callers may ring at once: the machinery around a statement costs several times
    what the statement does. Values go through the columns' own types, so what is encrypted stays encrypted.
    """

    def __init__(self, mapped: type[Base], *columns: str, unless_known: bool = False) -> None:
        """``columns`` in the order of ``run``'s values; defaults are not filled in. ``unless_known``: a row that would
        repeat a unique value is not written."""
        table = mapped.__table__
        assert isinstance(table, Table)
        self._table, self._columns, self._unless_known = table, columns, unless_known
        self._worked_out: dict[str, tuple[str, list[Callable[[Any], Any] | None]]] = {}

    def run(self, connection: Connection, *values: Any) -> int | None:
        """Write the row and return its id; None when it was known already."""
        statement, bound = self._bound(connection.dialect, [values])
        with _driver_cursor(connection, statement) as cursor:
            cursor.execute(statement, bound[0])
            if connection.dialect.name == "postgresql":
                row = cursor.fetchone()
                return int(row[0]) if row is not None else None
            return cursor.lastrowid if cursor.rowcount else None

    def run_many(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Write many rows."""
        if rows:
            statement, bound = self._bound(connection.dialect, rows)
            with _driver_cursor(connection, statement) as cursor:
                cursor.executemany(statement, bound)

    def _bound(self, dialect: Dialect, rows: Sequence[Sequence[Any]]) -> tuple[str, list[tuple[Any, ...]]]:
        if dialect.name not in self._worked_out:
            self._worked_out[dialect.name] = self._work_out(dialect)
        statement, processors = self._worked_out[dialect.name]
        return statement, [
            tuple([value if made is None else made(value) for made, value in zip(processors, values, strict=True)])
            for values in rows
        ]

    def _work_out(self, dialect: Dialect) -> tuple[str, list[Callable[[Any], Any] | None]]:
        quote = dialect.identifier_preparer.quote
        mark = "?" if dialect.paramstyle == "qmark" else "%s"
        names = ", ".join(map(quote, self._columns))
        marks = ", ".join([mark] * len(self._columns))
        known = "ON CONFLICT DO NOTHING" if self._unless_known else ""
        returning = "RETURNING id" if dialect.name == "postgresql" else ""
        statement = f"INSERT INTO {quote(self._table.name)} ({names}) VALUES ({marks}) {known} {returning}"  # noqa: S608 - names of our own tables
        types = [self._table.c[name].type.dialect_impl(dialect) for name in self._columns]
        return statement, [kind.bind_processor(dialect) for kind in types]


@contextmanager
def _driver_cursor(connection: Connection, statement: str) -> Iterator[Any]:
    """The driver's own cursor; its faults are raised as those of every other statement are."""
    dialect = connection.dialect
    cursor = connection.connection.cursor()
    try:
        yield cursor
    except dialect.loaded_dbapi.Error as fault:
        kind = dialect.loaded_dbapi.Error
        raise DBAPIError.instance(statement, None, fault, kind, hide_parameters=True, dialect=dialect) from fault
    finally:
        cursor.close()
