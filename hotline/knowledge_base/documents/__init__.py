"""Policy documents: read into paragraphs and tables, then split into questions with their answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from hotline.errors import Invalid
from hotline.knowledge_base.documents import docx, html, pdf, text
from hotline.knowledge_base.documents.blocks import Block, Document
from hotline.knowledge_base.documents.clauses import Draft, split
from hotline.knowledge_base.documents.contents import without_contents
from hotline.knowledge_base.documents.pdf import nobody_waits

MOST_BYTES: Final = 20 * 1024 * 1024
MOST_CHARS: Final = 2_000_000
FORMATS: Final = (".docx", ".pdf", ".html", ".htm", ".txt")
REFUSED_FORMATS: Final = {
    ".doc": "这是旧格式的 .doc 文件，请另存为 .docx 再上传",
    ".wps": "请把 .wps 文件另存为 .docx 再上传",
    ".docm": "带宏的 .docm 文件不能导入，请另存为不带宏的 .docx 再上传",
    ".dotm": "带宏的 .dotm 文件不能导入，请另存为不带宏的 .docx 再上传",
    ".rtf": "请把 .rtf 文件另存为 .docx 再上传",
    ".odt": "请把 .odt 文件另存为 .docx 再上传",
    ".ofd": "请把 .ofd 文件转换为 PDF 或 .docx 再上传",
    ".md": "请把 .md 文件的扩展名改为 .txt 再上传",
    ".jpg": "图片里的文字读不出来，请先做文字识别，再上传文档",
    ".jpeg": "图片里的文字读不出来，请先做文字识别，再上传文档",
    ".png": "图片里的文字读不出来，请先做文字识别，再上传文档",
}

__all__ = ["FORMATS", "Block", "Document", "Draft", "check", "read", "split"]


def check(source: Path | bytes, name: str) -> None:
    """Raise ``Invalid`` for a file one glance tells we cannot read; ``read`` looks at the rest."""
    ending = Path(name).suffix.lower()
    if ending in REFUSED_FORMATS:
        raise Invalid(REFUSED_FORMATS[ending], file=f"不能读取 {ending}")
    if ending not in FORMATS:
        raise Invalid(f"只能读取 {'、'.join(FORMATS)} 文件", file=f"不能读取 {ending or name}")
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size > MOST_BYTES:
        raise Invalid(f"文件超过 {MOST_BYTES // 1024 // 1024} MB，请分成几个再上传", file="文件太大")
    if not size:
        raise Invalid("文件是空的", file="没有内容")


def read(source: Path | bytes, name: str, *, still_here: Callable[[], None] = nobody_waits) -> Document:
    """Return what a document says, without its list of contents; ``name`` tells its format by its ending.

    Raises ``Invalid``, with a sentence that says what to do, for a format we do not read, content that is not what
    the name says, and all else the readers refuse; and for a document without a word.
    """
    check(source, name)
    body = source.read_bytes() if isinstance(source, Path) else source
    match Path(name).suffix.lower():
        case ".docx":
            title, found = docx.read(body)
        case ".pdf":
            title, found = pdf.read(body, still_here)
        case ".html" | ".htm":
            title, found = html.read(body)
        case _:
            title, found = text.read(body)
    if sum(len(block.text) for block in found) > MOST_CHARS:
        raise Invalid("文件的文字太多，请分成几个再上传", file="文字太多")
    blocks = tuple(without_contents(found))
    if not blocks:
        raise Invalid("文件里没有文字；如果是扫描件，请先做文字识别", file="没有文字")
    return Document(Path(name).name, title, blocks)
