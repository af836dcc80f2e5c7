"""Verbs on the text of an entry: written by one person, checked and published by another.

A published entry goes on serving while its next text is written. Of two editors at once the second is shown what the
first one saved; nothing is overwritten.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.models import User
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow, NotFound, NotPermitted
from hotline.knowledge_base import reviews, rows, tasks, writing
from hotline.knowledge_base.content import Content
from hotline.knowledge_base.models import Attachment, Entry, Version
from hotline.knowledge_base.states import ENTRY, VERSION, EntryAction, EntryState, VersionAction, VersionState

OPEN = (VersionState.DRAFT, VersionState.REVIEW)


def start(
    session: Session, *, actor: Actor, now: datetime, content: Content | None = None, origin: Mapping[str, Any] = {}
) -> Version:
    """Begin an entry that nobody sees until it is published. ``origin`` tells what the draft was begun from."""
    content = content or Content(question="")
    known = writing.Known.of(session)
    known.check(content)
    entry = Entry(code=f"k-{secrets.token_hex(4)}", state=EntryState.DRAFT, created_at=now, updated_at=now)
    writing.fill(entry, content, known)
    session.add(entry)
    session.flush()
    return _draft(session, entry, content, number=1, origin=origin, actor=actor, now=now)


def revise(session: Session, *, actor: Actor, now: datetime, code: str, like: int | None = None) -> Version:
    """Return the text of an entry that is being written or checked; begin one when there is none: from what it shows,
    or from its version number ``like``."""
    entry = session.scalar(select(Entry).where(Entry.code == code).with_for_update())
    if entry is None:
        raise NotFound("没有这条知识")
    if (version := open_version(session, entry)) is not None:
        return version
    last = session.scalar(select(func.max(Version.number)).where(Version.entry_id == entry.id)) or 0
    content = content_of(session, entry) if like is None else Content.of(_numbered(session, entry, like).content)
    return _draft(session, entry, content, number=last + 1, origin={}, actor=actor, now=now)


def save(
    session: Session, *, actor: Actor, now: datetime, version_id: int, revision: int, content: Content, note: str = ""
) -> Version:
    """Keep what an editor typed. Raises ``NotAllowedNow`` with ``theirs`` (a ``Content``) and ``by`` when somebody
    saved since ``revision``, ``Invalid`` by field when it names what does not exist."""
    version = _moved(session, version_id, revision, VersionAction.SAVE)
    writing.Known.of(session).check(content)
    _check_attachments(session, version, content)
    version.content = content.as_json()
    version.note = rows.checked(note, "note", 500)
    version.written_at = now
    if actor.user_id is not None and actor.user_id not in version.writers:
        version.writers = [*version.writers, actor.user_id]
    if version.entry.state == EntryState.DRAFT:  # lists show what it will be about
        writing.fill(version.entry, content, writing.Known.of(session))
        version.entry.updated_at = now
    session.flush()
    return version


def submit(session: Session, *, actor: Actor, now: datetime, version_id: int, revision: int) -> Version:
    """Ask for a text to be checked. Raises ``Invalid`` by field when it is not complete."""
    version = _moved(session, version_id, revision, VersionAction.SUBMIT)
    rows.read_content(version.content)
    version.submitted_at = now
    version.remark = ""
    return _done(session, version, VersionAction.SUBMIT, actor=actor, now=now)


def take_back(session: Session, *, actor: Actor, now: datetime, version_id: int, revision: int) -> Version:
    """Write on in a text that was submitted."""
    version = _moved(session, version_id, revision, VersionAction.TAKE_BACK)
    version.submitted_at = None
    return _done(session, version, VersionAction.TAKE_BACK, actor=actor, now=now)


def send_back(session: Session, *, actor: Actor, now: datetime, version_id: int, revision: int, remark: str) -> Version:
    """Give a text back to its writers with the reason."""
    version = _moved(session, version_id, revision, VersionAction.SEND_BACK)
    remark = rows.checked(remark, "remark", 200)
    if not remark:
        raise Invalid("请写明退回的原因", remark="请写明退回的原因")
    version.remark, version.checked_by, version.checked_at = remark, actor.user_id, now
    return _done(session, version, VersionAction.SEND_BACK, actor=actor, now=now, remark=remark)


def publish(session: Session, *, actor: Actor, now: datetime, today: date, version_id: int, revision: int) -> Version:
    """Show a checked text to operators from now on, instead of the one before. ``today``: the city's day.

    Raises ``NotPermitted`` for whoever wrote in it, ``Invalid`` when it has run out already.
    """
    writing.hold_sequence(session)
    version = _moved(session, version_id, revision, VersionAction.PUBLISH)
    if actor.user_id is None or actor.user_id in version.writers:
        raise NotPermitted("自己写的内容要由另一位同事审核发布")
    content = rows.read_content(version.content)
    if content.valid_to and content.valid_to < today:
        raise Invalid("有效期已过，不能发布", valid_to="有效期已过")
    if content.review_on and content.review_on <= today:
        raise Invalid("复核日期已到，请填今天之后的日期", review_on="应在今天之后")
    known = writing.Known.of(session)
    known.check(content)
    entry = version.entry
    writing.supersede(session, [entry], comes=version.id)
    writing.fill(entry, content, known)
    entry.state = ENTRY[EntryState(entry.state), EntryAction.PUBLISH]
    entry.version = version.number
    version.checked_by, version.checked_at = actor.user_id, now
    writing.note_changes(session, [entry], now=now)
    reviews.settle(session, entry, actor=actor, now=now)
    tasks.finish_for(session, version, actor=actor, now=now)
    return _done(session, version, VersionAction.PUBLISH, actor=actor, now=now)


def drop(session: Session, *, actor: Actor, now: datetime, version_id: int, revision: int) -> Version:
    """Give up a draft. It stays in the history."""
    version = _moved(session, version_id, revision, VersionAction.DROP)
    tasks.reopen_for(session, version, actor=actor, now=now)
    return _done(session, version, VersionAction.DROP, actor=actor, now=now)


def open_version(session: Session, entry: Entry) -> Version | None:
    """Return the text of an entry that is being written or checked."""
    return session.scalar(select(Version).where(Version.entry_id == entry.id, Version.state.in_(OPEN)))


def content_of(session: Session, entry: Entry) -> Content:
    """Return what an entry shows, with its attachments."""
    shown = session.scalar(select(Version).where(Version.entry_id == entry.id, Version.number == entry.version))
    if shown is None:
        return writing.Known.of(session).content_of(entry)
    # its owner may have said since that it holds for longer
    return replace(Content.of(shown.content), review_on=entry.review_on)


def _numbered(session: Session, entry: Entry, number: int) -> Version:
    version = session.scalar(select(Version).where(Version.entry_id == entry.id, Version.number == number))
    if version is None:
        raise NotFound("没有这个版本")
    return version


def _draft(
    session: Session,
    entry: Entry,
    content: Content,
    *,
    number: int,
    origin: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> Version:
    version = Version(
        entry=entry,
        number=number,
        state=VersionState.DRAFT,
        content=content.as_json(),
        origin=dict(origin),
        writers=[actor.user_id] if actor.user_id else [],
        written_at=now,
    )
    session.add(version)
    session.flush()
    return version


def _moved(session: Session, version_id: int, revision: int, action: VersionAction) -> Version:
    """Return a text in the state its action leads to. Raises ``NotFound``, or ``NotAllowedNow``: by the table, or
    because somebody saved since ``revision``."""
    version = session.scalar(
        select(Version).where(Version.id == version_id).with_for_update().execution_options(populate_existing=True)
    )
    if version is None:
        raise NotFound("没有这个版本")
    state = VERSION.get((VersionState(version.state), action))
    if state is None:
        allowed = [act for now, act in VERSION if now == version.state]
        raise NotAllowedNow("这个版本的状态已变化，现在不能这样做", allowed=allowed)
    if version.revision != revision:
        raise NotAllowedNow(
            "您编辑期间，同事保存了另一稿",
            theirs=Content.of(version.content),
            by=_name(session, version.writers[-1] if version.writers else None),
            at=version.written_at,
            revision=version.revision,
        )
    version.state = state
    return version


def _name(session: Session, user_id: int | None) -> str:
    user = session.get(User, user_id) if user_id else None
    return user.display_name if user else ""


def _check_attachments(session: Session, version: Version, content: Content) -> None:
    wanted = set(content.attachments)
    own = select(Attachment.id).where(Attachment.entry_id == version.entry_id, Attachment.id.in_(wanted))
    if wanted - set(session.scalars(own)):
        raise Invalid("附件不属于这条知识", attachments="附件不属于这条知识")


def _done(
    session: Session, version: Version, action: VersionAction, *, actor: Actor, now: datetime, remark: str = ""
) -> Version:
    session.flush()
    audit.record(
        session,
        at=now,
        user_id=actor.user_id,
        act=f"knowledge.{action}",
        subject="kb_entries",
        subject_id=version.entry.code,
        reason=remark,
        version=version.number,
    )
    return version
