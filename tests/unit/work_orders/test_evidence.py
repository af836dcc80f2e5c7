"""Photographs and papers of an order: what is kept of them, what is refused, and who may open them."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from PIL import ExifTags, Image
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow, NotFound, NotPermitted
from hotline.work_orders import evidence, photos, service
from hotline.work_orders.models import OrderFile, OrderFileBody, WorkOrder
from hotline.work_orders.states import Action, FileKind, Status
from tests.conftest import NOON
from tests.factories.orders import WHEN, order_at, report_fields
from tests.factories.pictures import BLUE, GREEN, bomb, photo
from tests.factories.units import City, city

LATER = timedelta(hours=2)
PDF = b"%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\n%%EOF\n"


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


@pytest.fixture
def order(session: Session, here: City) -> WorkOrder:
    return order_at(session, here, Status.IN_HAND_TIER3)


def brought(
    session: Session, order: WorkOrder, actor: Actor, kind: str = "after", name: str = "现场.jpg", body: bytes = b""
) -> OrderFile:
    file = evidence.judged(name, body or photo(), kind)
    return evidence.add(session, order=order, actor=actor, now=NOON, kind=kind, file=file)


def seen(session: Session, order: WorkOrder, actor: Actor) -> list[str]:
    return [row.kind for row in evidence.files_of(session, order, actor)]


# ---- what is kept of a photograph


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "PNG"])
def test_nothing_of_place_time_and_telephone_is_left(form: str) -> None:
    taken = photo(form=form, gps=True)
    with Image.open(io.BytesIO(taken)) as before:
        assert before.getexif().get_ifd(ExifTags.IFD.GPSInfo)  # it really stood there
    kept = evidence.judged(f"IMG_1.{form.lower()}", taken, "after")
    for body in (kept.body, kept.thumb or b""):
        with Image.open(io.BytesIO(body)) as after:
            assert dict(after.getexif()) == {}
            assert not {"exif", "xmp", "icc_profile", "comment", "gps"} & set(after.info)
        assert b"HUAWEI" not in body
        assert b"Exif" not in body


def test_words_hidden_in_a_picture_and_behind_it_are_gone() -> None:
    secret = b"<script>alert(1)</script>"
    kept = evidence.judged("a.jpg", photo(comment=secret) + b"PK\x03\x04" + secret, "after")
    assert secret not in kept.body
    assert b"PK\x03\x04" not in kept.body


def test_a_picture_taken_upright_stands_upright() -> None:
    kept = evidence.judged("a.jpg", photo(400, 300, colour=BLUE, turned=6), "after")
    assert (kept.width, kept.height) == (300, 400)
    with Image.open(io.BytesIO(kept.body)) as picture:  # the left half has become the upper one
        top, bottom = picture.getpixel((150, 50)), picture.getpixel((150, 350))
    assert top[2] > 150 > top[0]
    assert min(bottom) > 240


def test_a_large_picture_is_made_as_small_as_a_screen_needs() -> None:
    kept = evidence.judged("a.jpg", photo(4000, 3000), "after")
    assert (kept.width, kept.height) == (photos.LONGEST_SIDE, 1536)
    with Image.open(io.BytesIO(kept.thumb or b"")) as thumb:
        assert max(thumb.size) == photos.THUMB_SIDE
    small = evidence.judged("b.jpg", photo(120, 90), "after")
    assert (small.width, small.height) == (120, 90)


def test_what_was_transparent_is_white_and_every_picture_is_a_jpeg() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(out, "PNG")
    kept = evidence.judged("聊天截图.PNG", out.getvalue(), "contact")
    assert (kept.name, kept.mime) == ("聊天截图.jpg", "image/jpeg")
    with Image.open(io.BytesIO(kept.body)) as picture:
        assert picture.getpixel((25, 25)) == (255, 255, 255)


# ---- what is refused before anything is kept


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("现场.jpg", b"MZ\x90\x00" + bytes(500), "内容不是JPEG 图片"),
        ("现场.jpg", photo(form="PNG"), "内容不是JPEG 图片"),
        ("现场.webp", b"RIFF\x24\x00\x00\x00WAVEfmt ", "内容不是WebP 图片"),
        ("现场.png", photo(), "内容不是PNG 图片"),
        ("现场.jpg", photo()[:900], "已损坏或不完整"),
        ("现场.jpg", b"\xff\xd8\xff" + bytes(5000), "已损坏或不完整"),
        ("现场.jpg", b"", "是空的"),
        ("现场", photo(), "要带后缀"),
        ("现场.heic", b"\x00\x00\x00\x18ftypheic", "不支持 HEIC"),
        ("现场.mp4", b"\x00\x00\x00\x18ftypmp42", "只能上传照片"),
        ("现场.svg", b"<svg onload='alert(1)'/>", "只能上传照片"),
        ("说明.pdf", b"hello", "内容不是PDF"),
        ("现场.jpg", b"\xff\xd8\xff" + bytes(evidence.LARGEST), "超过 20 MB"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused_in_words(name: str, body: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        evidence.judged(name, body, FileKind.CONTACT)
    assert "files" in refused.value.details


@pytest.mark.parametrize("body", [bomb(), bomb(9_000, 9_000), bomb(6_000, 5_000)])
def test_a_picture_that_would_unpack_to_gigabytes_is_refused_unread(body: bytes) -> None:
    assert len(body) < 5_000
    with pytest.raises(Invalid, match=r"像素太大|已损坏"):
        evidence.judged("现场.png", body, "after")


def test_a_document_proves_a_contact_but_is_no_picture_of_before() -> None:
    assert evidence.judged("通话记录.pdf", PDF, FileKind.CONTACT).body == PDF
    with pytest.raises(Invalid, match="办理前请上传照片"):
        evidence.judged("方案.pdf", PDF, FileKind.BEFORE)
    with pytest.raises(Invalid, match="请选择这是什么材料"):
        evidence.judged("方案.pdf", PDF, "zzz")


# ---- keeping


def test_the_same_photograph_is_kept_once_and_never_as_before_and_after(
    session: Session, here: City, order: WorkOrder
) -> None:
    first = brought(session, order, here.township_clerk, "before")
    assert brought(session, order, here.township_clerk, "before", name="又一次.jpg") is first
    with pytest.raises(Invalid, match="已作为“办理前”上传"):
        brought(session, order, here.township_clerk, "after")
    assert session.scalar(select(func.count(OrderFile.id))) == 1


def test_bytes_and_names_are_unreadable_in_the_database(session: Session, here: City, order: WorkOrder) -> None:
    row = brought(session, order, here.township_clerk, name="王小明家.jpg")
    kept = session.execute(text("SELECT body, thumb FROM order_file_bodies")).one()
    assert not bytes(kept.body).startswith(b"\xff\xd8")
    assert not bytes(kept.thumb).startswith(b"\xff\xd8")
    assert "王小明".encode() not in bytes(session.execute(text("SELECT name FROM order_files")).scalar_one())
    session.expire_all()
    assert evidence.bytes_of(row).startswith(b"\xff\xd8\xff")
    assert row.name == "王小明家.jpg"


def test_a_dump_without_the_bytes_still_lists_what_there_was(session: Session, here: City, order: WorkOrder) -> None:
    row = brought(session, order, here.township_clerk)
    session.execute(text("DELETE FROM order_file_bodies"))
    session.expire_all()
    assert seen(session, order, here.township_clerk) == ["after"]
    with pytest.raises(NotFound):
        evidence.bytes_of(row)


def test_a_report_has_room_for_thirty_files(session: Session, here: City, order: WorkOrder) -> None:
    for number in range(evidence.FILES_AT_MOST):
        brought(session, order, here.township_clerk, body=photo(20 + number, 20))
    with pytest.raises(Invalid, match="最多 30 个文件"):
        brought(session, order, here.township_clerk, body=photo(300, 20))
    assert session.scalar(select(func.count(OrderFileBody.file_id))) == evidence.FILES_AT_MOST


def test_a_unit_brings_files_only_while_its_part_is_in_its_hands(session: Session, here: City) -> None:
    unsigned = order_at(session, here, Status.TO_SIGN_TIER3)
    with pytest.raises(NotAllowedNow, match="先签收"):
        brought(session, unsigned, here.township_clerk)
    reported = order_at(session, here, Status.TO_CHECK_TIER2)
    with pytest.raises(NotAllowedNow):
        brought(session, reported, here.township_clerk)
    with pytest.raises(NotFound):
        brought(session, reported, here.far_township_clerk)


def test_a_unit_brings_no_papers_of_identity(session: Session, here: City, order: WorkOrder) -> None:
    with pytest.raises(NotPermitted):
        brought(session, order, here.township_clerk, FileKind.IDENTITY)


def test_the_report_takes_what_was_brought_and_the_chain_knows_it(
    session: Session, here: City, order: WorkOrder
) -> None:
    before = brought(session, order, here.township_clerk, "before", body=photo(colour=BLUE))
    after = brought(session, order, here.township_clerk, "after", body=photo(colour=GREEN))
    report = service.report(
        session, order=order, actor=here.township_clerk, now=NOON + LATER, **report_fields(), **WHEN
    )
    assert {row.report_id for row in (before, after)} == {report.id}
    event = next(event for event in order.events if event.action == Action.REPORT)
    assert event.data["files"] == [before.sha256, after.sha256]
    with pytest.raises(NotFound):  # what was reported stays
        evidence.remove(session, order=order, actor=here.township_clerk, now=NOON, file_id=after.id)


def test_a_report_names_its_files_and_only_its_own(session: Session, here: City) -> None:
    order = order_at(session, here, Status.IN_HAND_TIER3, assisting=True)
    service.sign(session, order=order, actor=here.power_clerk, now=NOON + LATER)
    theirs = brought(session, order, here.power_clerk, body=photo(colour=GREEN))
    mine = brought(session, order, here.township_clerk, "before", body=photo(colour=BLUE))
    left = brought(session, order, here.township_clerk)
    fields: dict[str, Any] = {"order": order, "actor": here.township_clerk, "now": NOON + LATER} | report_fields()
    with pytest.raises(Invalid, match="1 个文件不存在"):
        service.report(session, **fields, **WHEN, files=[mine.id, theirs.id])
    service.report(session, **fields, **WHEN, files=[mine.id])
    assert mine.report_id is not None
    assert (left.report_id, theirs.report_id) == (None, None)


def test_what_was_brought_by_mistake_is_taken_back(session: Session, here: City, order: WorkOrder) -> None:
    row = brought(session, order, here.township_clerk)
    with pytest.raises(NotFound):
        evidence.remove(session, order=order, actor=here.county_clerk, now=NOON, file_id=row.id)
    evidence.remove(session, order=order, actor=here.township_clerk, now=NOON, file_id=row.id)
    assert order.files == []
    assert session.scalar(select(func.count(OrderFileBody.file_id))) == 0


# ---- who may open what


def test_each_reader_opens_what_concerns_them(session: Session, here: City) -> None:
    order = order_at(session, here, Status.IN_HAND_TIER3, assisting=True)
    for kind, body in (("demand", photo()), ("identity", photo(41, 30))):
        brought(session, order, here.reviewer, kind, body=body)
    for kind, body in (("contact", photo(42, 30)), ("after", photo(43, 30))):
        brought(session, order, here.township_clerk, kind, body=body)
    assert seen(session, order, here.reviewer) == ["demand", "identity", "contact", "after"]
    for inside in (here.township_clerk, here.county_clerk):
        assert seen(session, order, inside) == ["demand", "contact", "after"]
    assert seen(session, order, here.power_clerk) == ["demand"]  # nothing is reported yet
    service.report(session, order=order, actor=here.township_clerk, now=NOON + LATER, **report_fields(), **WHEN)
    assert seen(session, order, here.power_clerk) == ["demand", "after"]
    identity = next(row for row in order.files if row.kind == FileKind.IDENTITY)
    with pytest.raises(NotFound):
        evidence.opened(session, order, here.county_clerk, identity.id)


def test_what_came_with_a_confidential_order_is_for_the_hub(session: Session, here: City, order: WorkOrder) -> None:
    brought(session, order, here.reviewer, "demand")
    order.confidential = True
    assert seen(session, order, here.township_clerk) == []
    assert seen(session, order, here.reviewer) == ["demand"]


# ---- before and after


def test_before_and_after_stand_side_by_side(session: Session, here: City, order: WorkOrder) -> None:
    assert not evidence.has_before_and_after(order)
    first = brought(session, order, here.township_clerk, "before", body=photo(41, 30))
    second = brought(session, order, here.township_clerk, "before", body=photo(42, 30))
    assert not evidence.has_before_and_after(order)
    after = brought(session, order, here.township_clerk, "after", body=photo(43, 30))
    found = evidence.pairs(order.files)
    assert [(pair.before, pair.after) for pair in found] == [(first, after), (second, None)]
    assert evidence.has_before_and_after(order)


def test_a_redo_needs_a_photograph_of_its_own(session: Session, here: City, order: WorkOrder) -> None:
    brought(session, order, here.township_clerk, "before", body=photo(41, 30))
    brought(session, order, here.township_clerk, "after", body=photo(43, 30))
    order.redo_count += 1
    assert not evidence.has_before_and_after(order)
    brought(session, order, here.township_clerk, "after", body=photo(44, 30))
    assert evidence.has_before_and_after(order)
