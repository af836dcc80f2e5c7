"""Files of an entry: forms to fill in, notices it rests on. What comes in is what its name says, and can do nothing."""

from __future__ import annotations

import hashlib
import io
import unicodedata
import zipfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.errors import Invalid
from hotline.knowledge_base.models import Attachment
from hotline.knowledge_base.rows import ATTACHMENTS_AT_MOST

LARGEST: Final = 10 * 1024 * 1024
NAME_CHARS: Final = 80
UNPACKED_AT_MOST: Final = 200 * 1024 * 1024
PARTS_AT_MOST: Final = 2_000
OFFICE: Final = "application/vnd.openxmlformats-officedocument."
LOCKED: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # an old office file, or a new one under a password
# in an office file: code, or what starts a program when it is clicked
LIVELY: Final = ("vbaproject.bin", "vbadata.xml", "/activex/", "/macrosheets/", "oleobject")
MACRO_TYPE: Final = b"macroenabled"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its type on the wire, and whether bytes are one."""

    mime: str
    word: str
    fits: Callable[[bytes], bool]


def add(session: Session, *, actor: Actor, now: datetime, entry_id: int, name: str, body: bytes) -> Attachment:
    """Keep a file of an entry; a version shows it when its content names it. The same file again is the same row.

    Raises ``Invalid`` (field ``attachments``) with the reason for what is too large, empty, not what its name says,
    or could do harm.
    """
    name = clean_name(name)
    mime = checked_type(name, body)
    digest = hashlib.sha256(body).hexdigest()
    there = select(Attachment).where(
        Attachment.entry_id == entry_id, Attachment.sha256 == digest, Attachment.name == name
    )
    if (known := session.scalar(there)) is not None:
        return known
    row = Attachment(
        entry_id=entry_id,
        name=name,
        mime=mime,
        size=len(body),
        sha256=digest,
        body=body,
        added_by=actor.user_id,
        added_at=now,
    )
    session.add(row)
    session.flush()
    return row


def with_room(shown: Collection[int], coming: int) -> None:
    """Raise ``Invalid`` when a text that shows these files has no room for so many more."""
    if len(shown) + coming > ATTACHMENTS_AT_MOST:
        raise _refused(f"一条知识最多 {ATTACHMENTS_AT_MOST} 个附件")


def clean_name(name: str) -> str:
    """Return a file's own name: no folders, nothing a terminal or a file system would take for something else."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    kept = "".join("_" if char in '<>:"|?*' else char for char in name if unicodedata.category(char)[0] != "C")
    stem, dot, ending = kept.strip(" .").rpartition(".")
    if not dot or not stem:
        raise _refused("文件名要带后缀，如 .pdf")
    return f"{stem.strip()[:NAME_CHARS]}.{ending.strip().lower()[:10]}"


def checked_type(name: str, body: bytes) -> str:
    """Return the type of a file whose bytes are what its (clean) name says; raises ``Invalid`` otherwise."""
    kind = KINDS.get(name.rpartition(".")[2])
    if kind is None:
        raise _refused(f"{name}：只能添加 PDF、Word（.docx）、Excel（.xlsx）和图片（.png .jpg）")
    if not body:
        raise _refused(f"{name}：文件是空的")
    if len(body) > LARGEST:
        raise _refused(f"{name}：超过 {LARGEST // 1024 // 1024} MB，请压缩或拆开")
    if body.startswith(LOCKED):
        raise _refused(f"{name}：是旧格式或设了密码，请另存为 .docx 或 .xlsx、去掉密码再添加")
    if not kind.fits(body):
        raise _refused(f"{name}：内容不是{kind.word}，请确认文件没有损坏或改过后缀")
    return kind.mime


def _refused(sentence: str) -> Invalid:
    return Invalid(sentence, attachments=sentence)


def _starts(*heads: bytes) -> Callable[[bytes], bool]:
    return lambda body: body.startswith(heads)


def _pdf(body: bytes) -> bool:
    return b"%PDF-" in body[:1024] and b"%%EOF" in body[-2048:]


def _office(main_part: str) -> Callable[[bytes], bool]:
    def fits(body: bytes) -> bool:
        try:
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                parts = archive.infolist()
                if len(parts) > PARTS_AT_MOST or sum(part.file_size for part in parts) > UNPACKED_AT_MOST:
                    raise _refused("压缩后的内容太大，不像正常的文档，没有添加")
                names = {part.filename.lower() for part in parts}
                if "[content_types].xml" not in names or main_part not in names:
                    return False
                types = next(part for part in parts if part.filename.lower() == "[content_types].xml")
                told = archive.read(types).lower() if types.file_size < LARGEST else MACRO_TYPE
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError):
            return False
        if MACRO_TYPE in told or any(sign in f"/{name}" for name in names for sign in LIVELY):
            raise _refused("文件带有宏或嵌入的程序，请另存为不带宏的文档再添加")
        return True

    return fits


KINDS: Final[dict[str, Kind]] = {
    "pdf": Kind("application/pdf", "PDF", _pdf),
    "docx": Kind(f"{OFFICE}wordprocessingml.document", "Word 文档", _office("word/document.xml")),
    "xlsx": Kind(f"{OFFICE}spreadsheetml.sheet", "Excel 表格", _office("xl/workbook.xml")),
    "png": Kind("image/png", "PNG 图片", _starts(b"\x89PNG\r\n\x1a\n")),
    "jpg": Kind("image/jpeg", "JPEG 图片", _starts(b"\xff\xd8\xff")),
    "jpeg": Kind("image/jpeg", "JPEG 图片", _starts(b"\xff\xd8\xff")),
}
