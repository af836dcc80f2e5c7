"""One line of a knowledge import, read and judged before anything is written."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from hotline.errors import Invalid

QUESTION_CHARS = 1_000
ANSWER_CHARS = 20_000
SIMILAR_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as a file tells it. ``owner_unit`` is a unit's code, empty for none."""

    code: str
    question: str
    answer: str
    similar: tuple[str, ...]
    spoken: str
    category: str
    owner_unit: str
    source: str
    valid_from: date | None
    valid_to: date | None


def read_row(value: object, *, questions_only: bool = False) -> Row:
    """Return the row, or raise ``Invalid`` with the first reason why it cannot be taken.

    ``id`` may be missing: the same question then always gets the same code. ``questions_only`` allows an empty answer.
    """
    if not isinstance(value, Mapping):
        raise Invalid("不是一条知识：应是带字段名的对象")
    question = _text(value, "question", QUESTION_CHARS)
    answer = _text(value, "answer", ANSWER_CHARS)
    if not question:
        raise Invalid("缺少 question（问题）")
    if not answer and not questions_only:
        raise Invalid("缺少 answer（答案）")
    valid_from, valid_to = _day(value, "valid_from"), _day(value, "valid_to")
    if valid_from and valid_to and valid_to < valid_from:
        raise Invalid("valid_to 早于 valid_from")
    return Row(
        code=_text(value, "id", 60) or f"q-{hashlib.sha256(question.encode()).hexdigest()[:16]}",
        question=question,
        answer=answer,
        similar=_texts(value, "similar"),
        spoken=_text(value, "spoken", 200),
        category=_text(value, "category", 60),
        owner_unit=_text(value, "owner_unit", 20),
        source=_text(value, "source", 200),
        valid_from=valid_from,
        valid_to=valid_to,
    )


def _text(row: Mapping[object, object], name: str, at_most: int) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Invalid(f"{name} 应是文字")
    return _checked(str(value), name, at_most)


def _texts(row: Mapping[object, object], name: str) -> tuple[str, ...]:
    value = row.get(name)
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise Invalid(f"{name} 应是一列文字")
    if len(value) > SIMILAR_AT_MOST:
        raise Invalid(f"{name} 最多 {SIMILAR_AT_MOST} 条")
    return tuple(filter(None, dict.fromkeys(_checked(one, name, QUESTION_CHARS) for one in value)))


def _checked(text: str, name: str, at_most: int) -> str:
    text = text.strip()
    if len(text) > at_most:
        raise Invalid(f"{name} 超过 {at_most} 字")
    # half characters and control characters cannot be kept by every database
    if any(unicodedata.category(char) in ("Cs", "Cc") and char not in "\n\t\r" for char in text):
        raise Invalid(f"{name} 含有无法保存的字符")
    return text


def _day(row: Mapping[object, object], name: str) -> date | None:
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
