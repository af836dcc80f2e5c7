"""Texts that wait for a colleague: what each changes of what operators see now, then published or sent back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.accounts import queries as accounts
from hotline.errors import HotlineError, Invalid, NotAllowedNow
from hotline.knowledge_base import answers, catalogue, editing
from hotline.knowledge_base.content import Content
from hotline.knowledge_base.differences import differences
from hotline.knowledge_base.models import Version
from hotline.knowledge_base.states import VersionState
from hotline.web import pages
from hotline.web.access import roles, the_actor, when
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import once
from hotline.web.knowledge import EDITORS, beside
from hotline.web.knowledge.editor import the_text
from hotline.web.knowledge.editor_form import in_words

LAST_PAGE: Final = 1_000_000

bp = Blueprint("checking", __name__, url_prefix="/check")


@bp.get("")
@roles(*EDITORS)
def listed() -> ResponseReturnValue:
    """What waits to be checked, the longest waiting first."""
    with transaction() as session:
        return _list_page(session, [])


@bp.get("/<int:version_id>")
@roles(*EDITORS)
def opened(version_id: int) -> ResponseReturnValue:
    """One text with what it changes."""
    with transaction() as session:
        version = the_text(session, version_id)
        if version.state != VersionState.REVIEW:
            return pages.go(url_for("knowledge.editor.opened", version_id=version_id))
        return _page(session, version)


@bp.post("/<int:version_id>/publish")
@roles(*EDITORS)
def publish(version_id: int) -> ResponseReturnValue:
    """Show it to operators from now on, and go on to the next."""
    try:
        with transaction() as session:

            def act() -> ResponseReturnValue:
                version = _publish(session, version_id, _revision())
                pages.toast(f"已发布：{version.entry.question}")
                return pages.go(_next(session, version))

            return once(session, act)
    except Invalid as fault:
        return _again(version_id, fault), 422
    except NotAllowedNow as fault:
        return _changed(version_id, fault)


@bp.post("/<int:version_id>/send-back")
@roles(*EDITORS)
def send_back(version_id: int) -> ResponseReturnValue:
    """Give it back to whoever wrote it, with the reason."""
    remark = request.form.get("remark", "").strip()
    try:
        with transaction() as session:

            def act() -> ResponseReturnValue:
                version = editing.send_back(
                    session, version_id=version_id, revision=_revision(), remark=remark, **when()
                )
                pages.toast(f"已退回：{version.content['question']}")
                return pages.go(_next(session, version))

            return once(session, act)
    except Invalid as fault:
        return _again(version_id, fault, remark), 422
    except NotAllowedNow as fault:
        return _changed(version_id, fault)


@bp.post("/publish")
@roles(*EDITORS)
def publish_many() -> ResponseReturnValue:
    """Publish what was ticked, each by itself: what cannot be published is named and the rest goes on."""
    chosen = request.form.getlist("version")
    with transaction() as session:

        def act() -> ResponseReturnValue:
            refused: list[tuple[str, str]] = []
            done = 0
            for one in chosen:
                number, _, revision = one.partition(".")
                if not (number.isascii() and number.isdecimal() and revision.isascii() and revision.isdecimal()):
                    raise Invalid("请从列表里勾选")
                try:
                    with session.begin_nested():
                        _publish(session, int(number), int(revision))
                    done += 1
                except HotlineError as fault:
                    version = the_text(session, int(number))
                    refused.append((str(version.content["question"]), in_words(fault.message)))
            if done:
                pages.toast(f"已发布 {done} 条")
            if not refused and chosen:
                return pages.go(url_for("knowledge.checking.listed"))
            return _list_page(session, refused, nothing=not chosen), 422

        return once(session, act)


def _publish(session: Session, version_id: int, revision: int) -> Version:
    return editing.publish(session, version_id=version_id, revision=revision, today=runtime().today(), **when())


def _revision() -> int:
    return request.form.get("revision", -1, type=int)


def _next(session: Session, done: Version) -> str:
    """Return the address of the next text somebody else wrote; of the list when there is none."""
    waiting = [one for one in catalogue.queue_to_check(session, besides_of=the_actor().user_id) if one != done.id]
    if not waiting:
        return url_for("knowledge.checking.listed")
    return url_for("knowledge.checking.opened", version_id=waiting[0])


def _list_page(session: Session, refused: Sequence[tuple[str, str]], *, nothing: bool = False) -> str:
    page = min(max(1, request.args.get("page", 1, type=int)), LAST_PAGE)
    waiting, count = catalogue.to_check(session, page=page), catalogue.count_to_check(session)

    def address(number: int) -> str:
        return url_for("knowledge.checking.listed", page=number)

    return render_template(
        "knowledge/check.html",
        waiting=waiting,
        count=count,
        page=page,
        newer=address(page - 1) if page > 1 else None,
        older=address(page + 1) if page * catalogue.TO_CHECK < count else None,
        own=the_actor().user_id,
        people=accounts.named(session, [writer for one in waiting for writer in one.writers]),
        refused=refused,
        nothing=nothing,
    )


def _changed(version_id: int, fault: NotAllowedNow) -> ResponseReturnValue:
    """What was read is not what stands there now: it is read again before anything is decided."""
    if "theirs" not in fault.details:
        raise fault
    pages.toast("这一稿刚刚有改动，请重新看一遍再决定", tone="late")
    return pages.go(url_for("knowledge.checking.opened", version_id=version_id))


def _again(version_id: int, fault: Invalid, remark: str = "") -> str:
    with transaction() as session:
        version = the_text(session, version_id)
        if version.state != VersionState.REVIEW:
            raise NotAllowedNow("这个版本的状态已变化，现在不能这样做") from fault
        return _page(session, version, in_words(fault.message), remark)


def _page(session: Session, version: Version, error: str = "", remark: str = "") -> str:
    before = catalogue.version_before(session, version)
    content = Content.of(version.content)
    waiting = catalogue.queue_to_check(session)
    place = waiting.index(version.id)
    return render_template(
        "knowledge/check_one.html",
        version=version,
        entry=version.entry,
        before=before,
        content=content,
        differences=differences(
            Content.of(before.content) if before else None, content, catalogue.names(session, version.entry_id)
        ),
        answer=answers.html(content.answer),
        files=catalogue.attachments(session, content.attachments),
        names=catalogue.names(session),
        people=accounts.named(session, version.writers),
        own=the_actor().user_id in version.writers,
        beside=beside.look(session, version.entry_id, content),
        place=place + 1,
        count=len(waiting),
        following=waiting[(place + 1) % len(waiting)] if len(waiting) > 1 else None,
        error=error,
        remark=remark,
    )
