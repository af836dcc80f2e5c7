"""Plain text: UTF-8, UTF-16 with its mark, or GB18030."""

from __future__ import annotations

import codecs
from typing import Final

from hotline.errors import Invalid
from hotline.knowledge_base.documents.blocks import Block, clean

ENCODINGS: Final = ("utf-8", "gb18030")
SIGNED: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decoded(body: bytes, said: str = "") -> str:
    """Return the words of a file: as its mark tells, as it says itself (``said``), else in the first encoding that
    fits. Raises ``Invalid`` for none, and for what is no text."""
    for mark, encoding in SIGNED:
        if body.startswith(mark):
            return _as(body[len(mark) :], encoding)
    if b"\0" in body:
        raise Invalid("这个文件不是文本，可能是改了名的其他文件，请上传原来的文件", file="不是文本")
    named = {"gb2312": "gb18030", "gbk": "gb18030"}.get(said.lower(), said.lower())
    for encoding in ([named] if named in ENCODINGS else []) + list(ENCODINGS):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Invalid("文件既不是 UTF-8 也不是 GB18030 编码，请另存为 UTF-8 再上传", file="编码不对")


def _as(body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as fault:
        raise Invalid("文件的编码和它开头的标记不一致，请另存为 UTF-8 再上传", file="编码不对") from fault


def read(body: bytes) -> tuple[str, list[Block]]:
    """Return no title and a paragraph for each line. Raises ``Invalid`` as ``decoded`` does."""
    return "", [Block(line) for line in clean(decoded(body)).split("\n") if line]
