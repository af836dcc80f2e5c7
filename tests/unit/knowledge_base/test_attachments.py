"""What may be attached to an entry: documents and pictures that are what they say, and nothing that acts."""

from __future__ import annotations

import io
import zipfile

import pytest
from docx import Document
from openpyxl import Workbook
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.errors import Invalid
from hotline.knowledge_base import attachments, editing
from hotline.knowledge_base.attachments import LARGEST, checked_type, clean_name, with_room
from tests.conftest import NOON
from tests.factories import people

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20


def docx() -> bytes:
    """Return a Word document."""
    buffer, document = io.BytesIO(), Document()
    document.add_paragraph("申请表")
    document.save(buffer)
    return buffer.getvalue()


def xlsx() -> bytes:
    """Return a workbook."""
    buffer = io.BytesIO()
    Workbook().save(buffer)
    return buffer.getvalue()


def with_part(body: bytes, name: str, content: bytes = b"x", *, store: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an office file with one more part."""
    buffer = io.BytesIO(body)
    with zipfile.ZipFile(buffer, "a", store) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "body"),
    [("a.pdf", PDF), ("表.docx", docx()), ("b.xlsx", xlsx()), ("c.png", PNG), ("d.jpg", JPEG), ("e.jpeg", JPEG)],
)
def test_documents_and_pictures_are_taken(name: str, body: bytes) -> None:
    assert "/" in checked_type(name, body)


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("a.exe", b"MZ", "只能添加"),
        ("a.docm", docx(), "只能添加"),
        ("a.svg", b"<svg onload='x'/>", "只能添加"),
        ("a.pdf", b"", "是空的"),
        ("a.pdf", b"<script>alert(1)</script>", "不是PDF"),
        ("a.png", JPEG, "不是PNG"),
        ("a.jpg", b"GIF89a", "不是JPEG"),
        ("a.docx", xlsx(), "不是Word"),
        ("a.xlsx", docx(), "不是Excel"),
        ("a.docx", b"PK\x03\x04 not a zip", "不是Word"),
        ("a.docx", docx()[:-40], "不是Word"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "旧格式或设了密码"),
        ("a.pdf", PDF + b"\0" * LARGEST, "超过 10 MB"),
        ("a.docx", with_part(docx(), "word/vbaProject.bin"), "带有宏"),
        ("a.xlsx", with_part(xlsx(), "xl/macrosheets/sheet1.xml"), "带有宏"),
        ("a.docx", with_part(docx(), "word/embeddings/oleObject1.bin"), "带有宏"),
        ("a.docx", with_part(docx(), "word/media/big.bin", b"\0" * (201 << 20)), "压缩后的内容太大"),
    ],
)
def test_what_is_not_what_it_says_or_could_do_harm_is_refused_with_the_reason(name: str, body: bytes, why: str) -> None:
    with pytest.raises(Invalid, match=why) as told:
        checked_type(name, body)
    assert set(told.value.details) == {"attachments"}


def test_a_macro_document_that_only_says_so_in_its_types_is_refused() -> None:
    types = b'<Types><Override ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/></Types>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("word/document.xml", "<w/>")
    with pytest.raises(Invalid, match="带有宏"):
        checked_type("a.docx", buffer.getvalue())


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("申请表.DOCX", "申请表.docx"),
        ("C:\\Users\\me\\申请表.docx", "申请表.docx"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ('a"b\r\nX: 1.pdf', "a_bX_ 1.pdf"),
        ("a\u202efdp.pdf", "afdp.pdf"),
        ("长" * 300 + ".pdf", "长" * 80 + ".pdf"),
    ],
)
def test_a_name_keeps_nothing_but_itself(told: str, kept: str) -> None:
    assert clean_name(told) == kept


@pytest.mark.parametrize("name", ["", ".pdf", "申请表", "...", "a."])
def test_a_name_without_an_ending_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        checked_type(clean_name(name), PDF)


def test_the_same_file_twice_is_one_and_there_is_room_for_twenty(session: Session) -> None:
    actor = people.actor(session, Role.KBE)
    entry = editing.start(session, actor=actor, now=NOON).entry
    told = {"actor": actor, "now": NOON, "entry_id": entry.id, "name": "表.pdf"}
    one, two = (attachments.add(session, body=PDF, **told) for _ in range(2))
    assert one.id == two.id
    assert (one.size, one.mime, one.added_by) == (len(PDF), "application/pdf", actor.user_id)
    assert attachments.add(session, body=PDF + b"\n", **told).id != one.id
    with_room(range(19), 1)
    with pytest.raises(Invalid, match="最多 20 个"):
        with_room(range(19), 2)
