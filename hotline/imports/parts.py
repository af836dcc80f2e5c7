"""What a kind of import is made of, and how a cell becomes a value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.service import Actor
from hotline.imports import files
from hotline.imports.files import Rows

Values = dict[str, Any]
Todo = tuple[Values, Values | None]  # what a row is to hold, and what it holds now
Parse = Callable[[Any], Any]
YES: Final = frozenset({"是", "启用", "1", "true", "yes", "y"})
NO: Final = frozenset({"否", "停用", "0", "false", "no", "n"})
_CODE: Final = re.compile(r"[0-9A-Za-z\u4e00-\u9fff._-]+")
_BETWEEN: Final = re.compile(r"[、,，;；|]+")
_ROUNDED: Final = re.compile(r"[0-9]\.[0-9]+[Ee]\+[0-9]+")
_MASKED: Final = re.compile(r"[0-9]{0,3}\*+[0-9]{2,4}")
_DIGITS_LOST: Final = "表格软件把号码写成了科学计数，原来的数字已丢失；请把这一列设为文本后重填"

# what the log of changes calls the things a city brings
SUBJECTS: Final = (
    "unit",
    "user",
    "category",
    "responsibility_line",
    "place",
    "asset",
    "dialled_number",
    "deadline_profile",
    "city_day",
    "message_text",
)


CHANGING: Final = ("add", "change", "retire", "remove")  # acts in the log after which a look is out of date


class WrongValue(ValueError):
    """A cell that cannot be read; the text is the reason a person sees."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row cannot be taken: the English key of the column and a sentence."""

    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file. ``key`` is its English name, ``title`` its Chinese one; a heading may be either.

    ``default`` stands for an empty cell, and for a column the file does not have when the row is new.
    """

    key: str
    title: str
    help: str
    parse: Parse
    required: bool = False
    default: Any = ""
    also: tuple[str, ...] = ()  # other headings people give it

    def shown(self, value: Any) -> str:
        """Return the value as a cell of this column shows it."""
        words = self.parse.told if isinstance(self.parse, Choice) else {}
        if words and isinstance(value, list):
            return shown([words.get(one, one) for one in value])
        return words[value] if isinstance(value, Hashable) and value in words else shown(value)


@dataclass(frozen=True, slots=True)
class Writing:
    """Who imports, when, and where what they must be told once is put (first-log-in codes by user name)."""

    session: Session
    actor: Actor
    now: datetime
    codes: dict[str, str] = field(default_factory=dict)


class Table:
    """What one kind knows while one file goes through it. Every method takes values by column key.

    ``turns``: how often the file is gone through; a row is looked at in its own ``turn`` (units: by tier, so that
    a parent is known before what stands under it).
    """

    turns = 1
    user_id: int | None = None  # who imports; the engine says so

    def __init__(self, session: Session) -> None:
        self.session = session

    def mark(self) -> int:
        """Return a number that grows with every change of what this kind looks at: of a city's data, by the log."""
        changes = select(func.max(audit.AccessLog.id)).where(
            audit.AccessLog.subject.in_(SUBJECTS), audit.AccessLog.act.in_(CHANGING)
        )
        return self.session.scalar(changes) or 0

    def resolved(self, values: Values) -> Values:
        """Return the row with the names people give things replaced by their codes."""
        return values

    def turn(self, values: Values) -> int:
        """Return in which turn (from 1) this row is looked at."""
        return 1

    def survey(self, rows: Iterable[tuple[int, Values]]) -> Mapping[int, Fault]:
        """Look at the whole file first; returns what can be seen only so, by line."""
        return {}

    def key(self, values: Values) -> str:
        """Return what the row is known by, in the file and in the database."""
        raise NotImplementedError

    def name(self, values: Values) -> str:
        """Return what people call the row, mostly its key."""
        return self.key(values)

    def present(self, rows: Sequence[Values]) -> Mapping[str, Values]:
        """Return what the database holds for these rows, by key."""
        raise NotImplementedError

    def faults(self, values: Values, before: Values | None) -> Iterator[Fault]:
        """Yield what forbids this row beyond its single cells."""
        yield from ()

    def taken(self, values: Values, line: int) -> None:
        """The row is good: later rows may refer to it."""

    def refused(self, values: Values, line: int) -> None:
        """The row is not taken: later rows may not refer to it."""

    def prepare(self, todo: Sequence[Todo]) -> Sequence[Any]:
        """Work out, before the transaction that writes them, what of these rows can be; the result is pickled."""
        return todo

    def write_all(self, ready: Sequence[Any], writing: Writing) -> None:
        """Write what ``prepare`` returned; a kind of which there are very many does it in few statements."""
        for values, before in ready:
            self.write(values, before, writing)

    def write(self, values: Values, before: Values | None, writing: Writing) -> None:
        """Add or change one row through the verb of its package, which leaves the audit row."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of data a city brings. ``example`` is a row that would be taken, as written in a file."""

    name: str
    title: str
    help: str
    columns: tuple[Column, ...]
    subject: str  # what the log of changes calls a row, one of ``SUBJECTS``
    example: Mapping[str, str]
    begin: Callable[[Session], Table]
    passed_over: tuple[str, ...] = ()  # headings of columns that are left out
    check: Callable[[Path | bytes, str], None] = files.check  # what one glance tells
    read: Callable[..., Rows] = files.read

    @property
    def required(self) -> tuple[str, ...]:
        """English keys of the columns that must be there and filled."""
        return tuple(column.key for column in self.columns if column.required)

    @property
    def titles(self) -> dict[str, str]:
        """Chinese titles by English key, in the order of the columns."""
        return {column.key: column.title for column in self.columns}


def plain(value: Any) -> Any:
    """Return the value as JSON and people take it."""
    if isinstance(value, date):
        return value.isoformat()
    return value


def shown(value: Any) -> str:
    """Return the value as a cell shows it."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return "、".join(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(plain(value))


# ---- cells


def text(most: int, *, lines: bool = False) -> Parse:
    """Words of at most ``most`` characters, on one line unless ``lines``."""

    def parse(raw: Any) -> str:
        found = str(raw).strip()
        if len(found) > most:
            raise WrongValue(f"不能超过 {most} 个字，现有 {len(found)} 个")
        if any(char < " " and not (lines and char in "\r\n\t") for char in found):
            raise WrongValue("含有不能显示的字符")
        return found

    return parse


def code(most: int = 20) -> Parse:
    """A code: letters, digits, Chinese characters, ``-``, ``_`` and ``.``."""

    def parse(raw: Any) -> str:
        found = text(most)(raw)
        if found and not _CODE.fullmatch(found):
            raise WrongValue("只能用字母、数字、汉字、-、_ 和 .")
        return found

    return parse


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words (or what it stands for) gives what it stands for."""

    words: Mapping[str, Any]

    @property
    def told(self) -> dict[Any, str]:
        """The word for each value: the first, where several stand for it."""
        return {value: word for word, value in reversed(list(self.words.items()))}

    def __call__(self, raw: Any) -> Any:
        found = str(raw).strip()
        by_word = {str(value): value for value in self.words.values()} | dict(self.words)
        if found not in by_word:
            raise WrongValue(f"只能是：{'、'.join(reversed(self.told.values()))}")
        return by_word[found]


def choice(words: Mapping[str, Any]) -> Parse:
    """One of the keys of ``words`` (or what it stands for) gives what it stands for."""
    return Choice(words)


@dataclass(frozen=True, slots=True)
class Choices(Choice):
    """Several of a few words, in the order they are given, none twice."""

    def __call__(self, raw: Any) -> Any:
        one = Choice(self.words)
        return list(dict.fromkeys(one(word) for word in items()(raw)))


def choices(words: Mapping[str, Any]) -> Parse:
    """Several of the keys of ``words``, parted by 、 or commas, give a list of what they stand for."""
    return Choices(words)


def flag(raw: Any) -> bool:
    """是 or 否."""
    found = str(raw).strip().lower()
    if found in YES:
        return True
    if found in NO:
        return False
    raise WrongValue("只能填 是 或 否")


def day(raw: Any) -> date:
    """A day: 2026-11-21, 2026/11/21 or 2026年11月21日."""
    found = re.sub(r"[年月/.]", "-", str(raw).strip()).removesuffix("日")
    try:
        return date(*(int(part) for part in found.split("-")))
    except (ValueError, TypeError) as fault:
        raise WrongValue("日期应写成 2026-11-21") from fault


def items(most: int = 40) -> Parse:
    """Several words, parted by 、 or commas; each of at most ``most`` characters, no word twice."""

    def parse(raw: Any) -> list[str]:
        parts = raw if isinstance(raw, list) else _BETWEEN.split(str(raw))
        return list(dict.fromkeys(word for word in map(text(most), parts) if word))

    return parse


def hours(raw: Any) -> list[str]:
    """Spans of a day like 08:30-12:00、14:00-17:30, rising and apart."""
    spans = items(11)(raw)
    last = time.min
    for span in spans:
        try:
            opens, closes = (time.fromisoformat(moment) for moment in span.split("-"))
        except ValueError as fault:
            raise WrongValue("时段应写成 08:30-12:00，多段用顿号隔开") from fault
        if not last <= opens < closes:
            raise WrongValue("时段应从早到晚，不能重叠")
        last = closes
    return spans


def digits(raw: Any) -> str:
    """A cell of digits as written. Raises ``WrongValue`` for one a table program has rounded to 1.99E+10."""
    found = str(raw).strip()
    if _ROUNDED.fullmatch(found):
        raise WrongValue(_DIGITS_LOST)
    return found


class Masked(str):
    """A telephone number as a sheet taken away shows it: it stands for the one that is there."""

    __slots__ = ()


def telephone(raw: Any) -> str:
    """A telephone number: digits, with + - and blanks between them; or one masked."""
    found = re.sub(r"[\s-]", "", digits(raw))
    if _MASKED.fullmatch(found):
        return Masked(found)
    if found and not re.fullmatch(r"\+?[0-9]{3,15}", found):
        raise WrongValue("不是电话号码")
    return found


def area(raw: Any) -> str:
    """An area code: 6, 9 or 12 digits."""
    found = digits(raw)
    if found and not re.fullmatch(r"[0-9]{6}(?:[0-9]{3}){0,2}", found):
        raise WrongValue("行政区划代码是 6、9 或 12 位数字")
    return found


def structure(raw: Any) -> Any:
    """A JSON value, written as text in a cell or as it is in a JSON file."""
    if not isinstance(raw, str):
        return raw
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as fault:
        raise WrongValue("不是正确的 JSON") from fault
