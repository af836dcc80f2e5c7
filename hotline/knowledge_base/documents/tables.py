"""Tables that are no tables: questions with answers side by side, and the forms that tell a service line by line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from hotline.knowledge_base.documents.asking import WHAT
from hotline.knowledge_base.documents.blocks import Block

QUESTION: Final = re.compile(r"(?:常见|咨询|标准|群众|市民)?(?:问题|问|提问)(?:内容|描述)?")
ANSWER: Final = re.compile(r"(?:标准|参考|统一)?(?:答案|答复|解答|回答|答)(?:内容|意见|口径)?")
NUMBER: Final = re.compile(r"序号|编号|No\.?")
NAMED: Final = re.compile(r"(?:服务|办理|政务)?(?:事项|项目|业务)(?:名称)?")  # the line that says what the service is
LABEL_CHARS: Final = 14
LABELS_AT_LEAST: Final = 3


@dataclass(frozen=True, slots=True)
class Part:
    """A row that is asked for by itself. ``text`` are its words as they stand, ``rest`` what answers."""

    text: str
    title: str
    rest: str
    asked: bool


def parts_of(block: Block) -> list[Part]:
    """Return the rows of a table that are questions or headings with what belongs to them; none for a true table."""
    return _questions(block) or _labels(block)


def _questions(block: Block) -> list[Part]:
    head, *rows = block.rows
    asking = [column for column, word in enumerate(head) if QUESTION.fullmatch(word)]
    answering = [column for column, word in enumerate(head) if ANSWER.fullmatch(word)]
    if len(asking) != 1 or len(answering) != 1 or not rows or not all(row[asking[0]] for row in rows):
        return []
    (question,), (answer,) = asking, answering
    found = []
    for row in rows:
        more = [
            f"{word}：{cell}"
            for column, (word, cell) in enumerate(zip(head, row, strict=True))
            if cell and column not in (question, answer) and not NUMBER.fullmatch(word)
        ]
        rest = "\n".join(filter(None, [row[answer], *more]))
        found.append(Part(_text(row), row[question], rest, asked=True))
    return _with_head(found, head)


def _labels(block: Block) -> list[Part]:
    if len(block.rows[0]) != 2 or not all(label and len(label) <= LABEL_CHARS for label, _ in block.rows):
        return []
    if sum(bool(WHAT.fullmatch(label)) for label, _ in block.rows) < LABELS_AT_LEAST:
        return []
    return [Part(_text(row), row[0], row[1], asked=False) for row in block.rows]


def _with_head(found: list[Part], head: tuple[str, ...]) -> list[Part]:
    first = found[0]
    return [Part(f"{_text(head)}\n{first.text}", first.title, first.rest, first.asked), *found[1:]]


def _text(row: tuple[str, ...]) -> str:
    return "\t".join(row).rstrip("\t")
