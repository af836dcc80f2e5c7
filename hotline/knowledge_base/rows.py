"""What a file or a form says of an entry, read and judged before anything is written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from hotline.errors import Invalid
from hotline.knowledge_base.content import Content

# half characters and control characters cannot be kept by every database
UNKEPT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
QUESTION_CHARS: Final = 1_000
ANSWER_CHARS: Final = 20_000
SIMILAR_AT_MOST: Final = 200
AREAS_AT_MOST: Final = 50
ATTACHMENTS_AT_MOST: Final = 20
NO: Final = frozenset({"否", "no", "false", "0"})
YES: Final = frozenset({"是", "yes", "true", "1", ""})

Told = Mapping[Any, object]


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as a file tells it."""

    code: str
    content: Content


def read_row(value: object, *, questions_only: bool = False) -> Row:
    """Return the row, or raise ``Invalid`` as ``read_content`` does.

    ``id`` may be missing: the same question then always gets the same code.
    """
    if not isinstance(value, Mapping):
        raise Invalid("不是一条知识：应是带字段名的对象")
    content = read_content(value, questions_only=questions_only)
    return Row(_text(value, "id", 60) or code_of(content.question), content)


def code_of(question: str) -> str:
    """Return the code of a row that brings none."""
    return f"q-{hashlib.sha256(question.encode()).hexdigest()[:16]}"


def read_content(value: Told, *, questions_only: bool = False, unfinished: bool = False) -> Content:
    """Return what a mapping by field names says. ``questions_only`` allows an empty answer, ``unfinished`` (a draft)
    an empty question too.

    Raises ``Invalid`` with the first reason why it cannot be taken, and every reason by field.
    """
    read: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for name, how in _FIELDS.items():
        try:
            read[name] = how(value, name)
        except Invalid as fault:
            faults[name] = fault.message
    if not unfinished:
        if read.get("question") == "":
            faults["question"] = "缺少 question（问题）"
        if read.get("answer") == "" and not questions_only:
            faults["answer"] = "缺少 answer（答案）"
    since, until = read.get("valid_from"), read.get("valid_to")
    if since and until and until < since:
        faults["valid_to"] = "valid_to 早于 valid_from"
    if faults:
        raise Invalid(next(iter(faults.values())), **faults)
    return Content(**read)


def _text(row: Told, name: str, at_most: int) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Invalid(f"{name} 应是文字")
    return checked(str(value), name, at_most)


def _texts(row: Told, name: str, at_most: int, chars: int) -> tuple[str, ...]:
    value = row.get(name)
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise Invalid(f"{name} 应是一列文字")
    if len(value) > at_most:
        raise Invalid(f"{name} 最多 {at_most} 条")
    return tuple(filter(None, dict.fromkeys(checked(one, name, chars) for one in value)))


def checked(text: str, name: str, at_most: int) -> str:
    """Return a text without blanks around it. Raises ``Invalid`` when it is too long or no database could keep it."""
    text = text.strip()
    if len(text) > at_most:
        raise Invalid(f"{name} 超过 {at_most} 字")
    if UNKEPT.search(text):
        raise Invalid(f"{name} 含有无法保存的字符")
    return text


def _day(row: Told, name: str) -> date | None:
    value = row.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    if not isinstance(value, str):
        raise Invalid(f"{name} 应是日期，如 2026-01-31")
    try:
        return date.fromisoformat(value.strip())
    except ValueError as fault:
        raise Invalid(f"{name} 应是日期，如 2026-01-31") from fault


def _link(row: Told, name: str) -> str:
    link = _text(row, name, 500)
    if link and not link.startswith(("https://", "http://")):
        raise Invalid(f"{name} 应以 https:// 或 http:// 开头")
    return link


def _flag(row: Told, name: str) -> bool:
    value = row.get(name)
    told = str(value).strip().lower() if value is not None else ""
    if told not in YES | NO:
        raise Invalid(f"{name} 应是“是”或“否”")
    return told in YES


def _numbers(row: Told, name: str) -> tuple[int, ...]:
    value = row.get(name)
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(type(one) is int for one in value):
        raise Invalid(f"{name} 应是一列编号")
    if len(value) > ATTACHMENTS_AT_MOST:
        raise Invalid(f"{name} 最多 {ATTACHMENTS_AT_MOST} 个")
    return tuple(dict.fromkeys(value))


def _words(at_most: int) -> Callable[[Told, str], str]:
    return lambda row, name: _text(row, name, at_most)


def _list(at_most: int, chars: int) -> Callable[[Told, str], tuple[str, ...]]:
    return lambda row, name: _texts(row, name, at_most, chars)


_FIELDS: Final[dict[str, Callable[[Told, str], Any]]] = {
    "question": _words(QUESTION_CHARS),
    "answer": _words(ANSWER_CHARS),
    "similar": _list(SIMILAR_AT_MOST, QUESTION_CHARS),
    "spoken": _words(200),
    "category": _words(60),
    "owner_unit": _words(20),
    "source": _words(200),
    "source_url": _link,
    "areas": _list(AREAS_AT_MOST, 12),
    "valid_from": _day,
    "valid_to": _day,
    "review_on": _day,
    "public": _flag,
    "attachments": _numbers,
}
