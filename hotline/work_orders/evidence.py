"""Files of an order: what the citizen sent, that they were contacted, before and after. Judged before they are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hotline.accounts.roles import HUB, UNITS
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow, NotFound, NotPermitted
from hotline.knowledge_base import attachments
from hotline.units import queries as units
from hotline.work_orders import photos
from hotline.work_orders.models import OrderFile, OrderFileBody, Report, WorkOrder
from hotline.work_orders.states import OPEN, FileKind, SubState
from hotline.work_orders.steps import sub_of
from hotline.work_orders.visibility import SEE_ALL
from hotline.work_orders.words import FILE_WORDS

LARGEST: Final = 20 * 1024 * 1024
FILES_AT_MOST: Final = 30  # of one report
PAPERS: Final = frozenset({"pdf", "docx", "xlsx"})
OF_UNITS: Final = frozenset({FileKind.CONTACT, FileKind.BEFORE, FileKind.AFTER})
PICTURES_ONLY: Final = frozenset({FileKind.BEFORE, FileKind.AFTER})
AT_WORK: Final = frozenset({SubState.SIGNED, SubState.IN_HAND})
TAKEN: Final = "照片（JPEG、PNG、WebP）和文档（PDF、.docx、.xlsx）"


@dataclass(frozen=True, slots=True)
class Judged:
    """A file found to be what its name says, as it will be kept. ``sha256`` is of what was sent."""

    name: str
    mime: str
    body: bytes
    sha256: str
    thumb: bytes | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """One place before and after; either may be missing."""

    before: OrderFile | None
    after: OrderFile | None


# ---- what a file is


def judged(name: str, body: bytes, kind: str) -> Judged:
    """Look a file through and return what will be kept of it. Reads no row: call it with no transaction open.

    Photographs come back anew (see ``photos``), papers as they are. Raises ``Invalid`` (field ``files``) in words for
    what is no file we take, too large, empty, not what its name says, or could do harm.
    """
    try:
        name = attachments.clean_name(name)
        _known(kind)
        if len(body) > LARGEST:
            raise Invalid(f"{name}：超过 {LARGEST // 1024 // 1024} MB，请缩小后再上传")
        if not body:
            raise Invalid(f"{name}：文件是空的")
        digest = hashlib.sha256(body).hexdigest()
        if photos.is_photo(name):
            photo = photos.tidied(name, body)
            name = f"{name.rpartition('.')[0]}.{photos.ENDING}"
            return Judged(name, photos.MIME, photo.body, digest, photo.thumb, photo.width, photo.height)
        _a_paper(name, kind)
        return Judged(name, attachments.checked_type(name, body), body, digest)
    except Invalid as fault:
        raise Invalid(fault.message, files=fault.message) from fault


def _known(kind: str) -> None:
    if kind not in set(FileKind):
        raise Invalid("请选择这是什么材料")


def _a_paper(name: str, kind: str) -> None:
    ending = name.rpartition(".")[2]
    if ending in ("heic", "heif"):
        raise Invalid(f"{name}：不支持 HEIC 格式，请在手机相机设置中选“兼容性最佳”，或转成 JPEG 再上传")
    if ending not in PAPERS:
        raise Invalid(f"{name}：只能上传{TAKEN}")
    if kind in PICTURES_ONLY:
        raise Invalid(f"{name}：{FILE_WORDS[FileKind(kind)]}请上传照片")


# ---- keeping


def may_add(order: WorkOrder, actor: Actor, kind: str) -> None:
    """Raise ``NotPermitted`` or ``NotAllowedNow`` where this actor has nothing to bring now.

    A unit brings what it did while its part is in its hands; the hub anything, while the order is open.
    """
    if actor.role in UNITS:
        if kind not in OF_UNITS:
            raise NotPermitted("承办单位只能上传联系证据和办理前后的照片")
        if sub_of(order, actor).state not in AT_WORK:
            raise NotAllowedNow("现在不能上传照片：先签收；已反馈的不能再补", status=order.status)
    elif actor.role not in HUB:
        raise NotPermitted("您的岗位不能上传材料")
    elif order.status not in OPEN:
        raise NotAllowedNow("工单已办结，不能再上传", status=order.status)


def add(session: Session, *, order: WorkOrder, actor: Actor, now: datetime, kind: str, file: Judged) -> OrderFile:
    """Keep a judged file; the same one again is the same row.

    Raises ``Invalid`` (field ``files``) for one more than ``FILES_AT_MOST`` of a report, and for a picture that
    stands for something else already: one photograph is not both before and after.
    """
    may_add(order, actor, kind)
    there = select(OrderFile).where(OrderFile.order_id == order.id, OrderFile.sha256 == file.sha256)
    if (known := session.scalar(there)) is not None:
        return _the_same(known, kind)
    if len(_waiting(order, actor)) >= FILES_AT_MOST:
        raise _refused(f"一次反馈最多 {FILES_AT_MOST} 个文件")
    row = OrderFile(
        kind=kind,
        round=order.round,
        name=file.name,
        mime=file.mime,
        size=len(file.body),
        width=file.width,
        height=file.height,
        sha256=file.sha256,
        unit_id=actor.unit_id,
        added_by=actor.user_id,
        added_at=now,
        body=OrderFileBody(body=file.body, thumb=file.thumb),
    )
    row.order_id = order.id
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:  # sent twice at once
        return _the_same(session.scalars(there).one(), kind)
    session.refresh(order, ["files"])
    return row


def remove(session: Session, *, order: WorkOrder, actor: Actor, now: datetime, file_id: int) -> None:
    """Take back what one's own unit brought and has not reported with. Raises ``NotFound`` for anything else."""
    row = next((row for row in _waiting(order, actor) if row.id == file_id), None)
    if row is None:
        raise NotFound("没有这个文件，或者已经随反馈提交")
    session.delete(row)
    session.flush()
    session.refresh(order, ["files"])


def attach(
    session: Session, *, order: WorkOrder, actor: Actor, report: Report, file_ids: Sequence[int] | None
) -> list[OrderFile]:
    """Bind files to the report they prove and return them; None: all its unit brought and has not reported with.

    Raises ``Invalid`` (field ``files``) for a file that is not this unit's or belongs to a report already.
    """
    waiting = {row.id: row for row in _waiting(order, actor)}
    wanted = list(waiting) if file_ids is None else list(dict.fromkeys(file_ids))
    if unknown := [number for number in wanted if number not in waiting]:
        raise _refused(f"有 {len(unknown)} 个文件不存在或已随别的反馈提交，请重新上传")
    for number in wanted:
        waiting[number].report_id, waiting[number].round = report.id, order.round
    return [waiting[number] for number in wanted]


def _waiting(order: WorkOrder, actor: Actor) -> list[OrderFile]:
    """Files this unit (or the hub) brought for a report not yet sent; the citizen's own are of no report."""
    mine = (row for row in order.files if row.report_id is None and row.unit_id == actor.unit_id)
    return [row for row in mine if row.kind in OF_UNITS]


def _the_same(known: OrderFile, kind: str) -> OrderFile:
    if known.kind != kind:
        raise _refused(f"这个文件已作为“{FILE_WORDS[FileKind(known.kind)]}”上传，请换一张")
    return known


def _refused(sentence: str) -> Invalid:
    return Invalid(sentence, files=sentence)


# ---- reading


def files_of(session: Session, order: WorkOrder, actor: Actor) -> list[OrderFile]:
    """Return the files this reader may open, the first first; the order was found by ``visible_to``.

    Papers of identity are for the hub alone, and so is what the citizen sent with a confidential order. What proves
    a contact may show a number or a name: it is for the hub and the line of units that brought it. What is being
    gathered for a report is seen by who gathers it.
    """
    if actor.role in SEE_ALL:
        return list(order.files)
    own = frozenset(units.subtree_ids(session, actor.unit_id)) if actor.unit_id else frozenset()
    return [row for row in order.files if _for_unit(row, order, own)]


def _for_unit(row: OrderFile, order: WorkOrder, own: frozenset[int]) -> bool:
    mine = row.unit_id in own
    match FileKind(row.kind):
        case FileKind.IDENTITY:
            return False
        case FileKind.DEMAND:
            return not order.confidential
        case FileKind.CONTACT:
            return mine
        case FileKind.BEFORE | FileKind.AFTER:
            return mine or row.report_id is not None or row.unit_id is None


def waiting_for(order: WorkOrder, actor: Actor) -> list[OrderFile]:
    """Return what the actor's unit brought for the report it has not sent yet."""
    return _waiting(order, actor)


def opened(session: Session, order: WorkOrder, actor: Actor, file_id: int) -> OrderFile:
    """Return one file this reader may open; ``NotFound`` for any other."""
    found = next((row for row in files_of(session, order, actor) if row.id == file_id), None)
    if found is None:
        raise NotFound("没有这个文件")
    return found


def bytes_of(row: OrderFile, *, small: bool = False) -> bytes:
    """Return what stands in a file, or its picture as lists show it; ``NotFound`` where there is none.

    A database brought back from a dump without the bytes still lists what there was.
    """
    found = None if row.body is None else row.body.thumb if small else row.body.body
    if found is None:
        raise NotFound("这个文件没有缩略图" if small else "这个文件的内容没有保存")
    return found


def pairs(files: Sequence[OrderFile]) -> list[Pair]:
    """Return photographs before and after side by side, in the order they were brought."""
    before = [row for row in files if row.kind == FileKind.BEFORE]
    after = [row for row in files if row.kind == FileKind.AFTER]
    return [
        Pair(before[at] if at < len(before) else None, after[at] if at < len(after) else None)
        for at in range(max(len(before), len(after)))
    ]


def has_before_and_after(order: WorkOrder) -> bool:
    """Whether this round's work can be compared: a photograph of before, and one of after brought in this round."""
    before = any(row.kind == FileKind.BEFORE for row in order.files)
    return before and any(row.kind == FileKind.AFTER and row.round == order.round for row in order.files)
