"""Photographs and papers of an order: brought, opened, taken back. Each is found through the order it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import object_session
from werkzeug.datastructures import FileStorage

from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.web import pages
from hotline.web.access import roles, the_actor, when
from hotline.web.context import transaction
from hotline.web.errors import wants_page
from hotline.work_orders import evidence, photos, queries
from hotline.work_orders.models import OrderFile, WorkOrder
from hotline.work_orders.states import FileKind
from hotline.work_orders.words import FILE_WORDS

bp = Blueprint("order_files", __name__, url_prefix="/order-files")

READERS: Final = ("OPR", "REV", "CBK", "SUP", "ADJ", "U2", "U2L", "U3", "U3L")


@bp.get("/<number>/<int:file_id>")
@roles(*READERS)
def opened(number: str, file_id: int) -> ResponseReturnValue:
    """A file of an order: a photograph to look at, a paper to keep."""
    with transaction() as session:
        order = queries.visible_to(session, the_actor(), number)
        row = evidence.opened(session, order, the_actor(), file_id)
        return _sent(row, evidence.bytes_of(row))


@bp.get("/<number>/<int:file_id>/small")
@roles(*READERS)
def small(number: str, file_id: int) -> ResponseReturnValue:
    """A photograph as lists show it."""
    with transaction() as session:
        order = queries.visible_to(session, the_actor(), number)
        row = evidence.opened(session, order, the_actor(), file_id)
        return _sent(row, evidence.bytes_of(row, small=True))


@bp.post("/<number>")
@roles(*READERS)
def add(number: str) -> ResponseReturnValue:
    """Keep the files sent (``files``) as one kind (``kind``): all or none. A program is told what was kept, as JSON."""
    kind = request.form.get("kind", "")
    kept = keep(number, {kind: request.files.getlist("files")})
    if not kept:
        raise Invalid("请先选择文件", files="请先选择文件")
    if not wants_page():
        return jsonify(files=[told(number, row) for row in kept])
    pages.toast(f"已添加 {len(kept)} 个文件")
    return pages.go(pages.local_path(request.form.get("back")) or pages.home_url())


@bp.post("/<number>/<int:file_id>/remove")
@roles(*READERS)
def remove(number: str, file_id: int) -> ResponseReturnValue:
    """Take back what was brought and not reported with."""
    with transaction() as session:
        order = queries.visible_to(session, the_actor(), number)
        evidence.remove(session, order=order, file_id=file_id, **when())
    if not wants_page():
        return "", 204
    pages.toast("已移除")
    return pages.go(pages.local_path(request.form.get("back")) or pages.home_url())


def keep(number: str, sent: dict[str, list[FileStorage]]) -> list[OrderFile]:
    """Judge every file by its kind, then keep them all; nothing is kept if one is refused.

    Whether whoever asks may bring them is looked at first; a picture is worked on with no transaction open.
    """
    files = [(kind, one) for kind, many in sent.items() for one in many if one.filename]
    if not files:
        return []
    if len(files) > evidence.FILES_AT_MOST:
        sentence = f"一次最多 {evidence.FILES_AT_MOST} 个文件，您选了 {len(files)} 个，请分几次上传"
        raise Invalid(sentence, files=sentence)
    with transaction() as session:
        order = queries.visible_to(session, the_actor(), number)
        for kind in sent:
            evidence.may_add(order, the_actor(), kind)
    judged = [(kind, evidence.judged(one.filename or "", one.read(evidence.LARGEST + 1), kind)) for kind, one in files]
    with transaction() as session:
        order = queries.visible_to(session, the_actor(), number)
        return [evidence.add(session, order=order, kind=kind, file=file, **when()) for kind, file in judged]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page of an order shows of its files; ``kinds``: codes and words of those its reader may bring now."""

    files: Sequence[OrderFile]
    pairs: Sequence[evidence.Pair]
    kinds: Sequence[tuple[str, str]]


def files_of(order: WorkOrder) -> Shown:
    """Return what whoever asks may see and bring; the order was found by ``visible_to`` in a session still open."""
    session = object_session(order)
    assert session is not None, "a page is rendered while its transaction is open"
    files = evidence.files_of(session, order, the_actor())
    kinds = [(kind.value, word) for kind, word in FILE_WORDS.items() if _may_add(order, kind)]
    return Shown(files, evidence.pairs(files), kinds)


def _may_add(order: WorkOrder, kind: FileKind) -> bool:
    try:
        evidence.may_add(order, the_actor(), kind)
    except (NotPermitted, NotAllowedNow):
        return False
    return True


@bp.app_context_processor
def offer() -> dict[str, Any]:
    """Offer ``files_of`` to templates, each desk's own."""
    return {"files_of": files_of}


def told(number: str, row: OrderFile) -> dict[str, object]:
    """What a program learns of a file."""
    return {
        "id": row.id,
        "kind": row.kind,
        "name": row.name,
        "href": url_for("order_files.opened", number=number, file_id=row.id),
        "small": url_for("order_files.small", number=number, file_id=row.id) if row.width else None,
    }


def _sent(row: OrderFile, body: bytes) -> Response:
    answer = Response(body, content_type=row.mime)
    # a picture we wrote ourselves may be looked at; what somebody brought is only ever kept
    shown = "inline" if row.mime == photos.MIME else "attachment"
    answer.headers["Content-Disposition"] = f"{shown}; filename*=UTF-8''{quote(row.name)}"
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer
