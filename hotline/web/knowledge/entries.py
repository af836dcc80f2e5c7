"""Entries: the list, one entry as operators see it with its history, and what becomes of it as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts import queries as accounts
from hotline.errors import Invalid, NotFound
from hotline.knowledge_base import answers, catalogue, editing, service
from hotline.knowledge_base.catalogue import PER_PAGE, Show, Wanted
from hotline.knowledge_base.content import Content
from hotline.knowledge_base.differences import differences
from hotline.knowledge_base.models import Entry, Version
from hotline.knowledge_base.reviews import ANEW_AFTER
from hotline.knowledge_base.search.finding import find
from hotline.knowledge_base.states import EntryState, VersionState
from hotline.web import pages
from hotline.web.access import roles, the_actor, when
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import once, tell_once
from hotline.web.knowledge import EDITORS
from hotline.web.sheets import attached

bp = Blueprint("entries", __name__)

FOUND: Final = 60  # entries the index may add to what holds the words
LAST_PAGE: Final = 1_000_000
LONGEST_SEARCH: Final = 200
CHIPS: Final = (
    (Show.ALL, "全部", None),
    (Show.PUBLISHED, "已发布", None),
    (Show.MINE, "我在写的", None),
    (Show.DRAFT, "草稿", None),
    (Show.REVIEW, "待审核", None),
    (Show.ENDING, "30 天内到期", "soon"),
    (Show.ENDED, "已过期", "late"),
    (Show.WITHDRAWN, "已停用", None),
    (Show.DROPPED, "已放弃", None),
)
# what is not there, and what to do now
EMPTY: Final = {
    Show.MINE: ("您没有在写的草稿", "新建一条，或者打开一条按“修订”，写到一半的都在这里。"),
    Show.DRAFT: ("没有草稿", "新建、修订和导入的内容，提交审核之前都在这里。"),
    Show.REVIEW: ("没有待审核的内容", "写好后按“提交审核”，请另一位同事发布。"),
    Show.ENDING: ("30 天内没有到期的条目", "写了失效日期的条目，到期前 30 天会出现在这里。"),
    Show.ENDED: ("没有过期的条目", "过了失效日期的条目会出现在这里，话务员看不到它们。"),
    Show.WITHDRAWN: ("没有停用的条目", "不再适用的条目可以停用，停用的都在这里，随时可以恢复。"),
}
SORTED: Final = {Show.ENDING: "最早到期的在前", Show.ENDED: "最早到期的在前"}
# what becomes of an entry besides its texts, as its log names it
ACTS: Final = {
    "knowledge.withdraw": ("停用", "hold", "late"),
    "knowledge.restore": ("恢复", "done", "done"),
    "knowledge.send_back": ("退回修改", "judge", "soon"),
    "knowledge.take_back": ("撤回审核", "work", "plain"),
    "knowledge.drop": ("放弃草稿", "hold", "plain"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an entry's history."""

    at: datetime
    who: str
    what: str
    shape: str
    tone: str
    words: str = ""
    version: Version | None = None


# ---- list


@bp.get("")
@roles(*EDITORS)
def listed() -> ResponseReturnValue:
    """Entries by words, category and state, a page at a time."""
    text = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    show = _show(request.args.get("show", ""))
    category = request.args.get("category", "").strip()[:60]
    page = min(max(1, request.args.get("page", 1, type=int)), LAST_PAGE)
    found = ids_found(text)
    wanted = Wanted(runtime().today(), the_actor().user_id or 0, text, category, show, found, page)

    def address(**other: Any) -> str:
        asked = {"q": text, "category": category, "show": show.value} | other
        return url_for("knowledge.entries.listed", **{name: value or None for name, value in asked.items()})

    with transaction() as session:
        counts, lines = catalogue.counts(session, wanted), catalogue.lines(session, wanted)
        return render_template(
            "knowledge/list.html",
            lines=lines,
            count=counts[show],
            nothing=not (text or category or show or counts[Show.ALL]),
            chips=[
                {"href": address(show=key), "word": word, "count": counts[key], "tone": tone, "on": key == show}
                for key, word, tone in CHIPS
                if key != Show.DROPPED or counts[key] or key == show
            ],
            categories=catalogue.categories(session),
            owners=catalogue.owners(session, lines),
            text=text,
            category=category,
            show=show,
            today=wanted.today,
            ending=wanted.today + catalogue.ENDING,
            empty=EMPTY.get(show) if not (text or category) else None,
            order="最符合的在前" if text else SORTED.get(show, "最近有变化的在前"),
            page=page,
            newer=address(page=page - 1) if page > 1 else None,
            older=address(page=page + 1) if page * PER_PAGE < counts[show] else None,
        )


def ids_found(text: str) -> Sequence[int]:
    """Return the entries operators would be shown for ``text`` (words, sounds, pinyin initials), best first."""
    if not text:
        return ()
    run = runtime()
    with transaction() as session:
        hits = find(session, text, index=run.knowledge, initials=run.initials, limit=FOUND, on=run.today())
    return [hit.entry_id for hit in hits]


def _show(asked: str) -> Show:
    return Show(asked) if asked in {*Show} else Show.ALL


# ---- one entry


@bp.get("/entries/<int:entry_id>")
@roles(*EDITORS)
def opened(entry_id: int) -> ResponseReturnValue:
    """What operators see, when and where it holds, how it is used, and how it came to be."""
    with transaction() as session:
        return _entry_page(session, the_entry(session, entry_id))


def _entry_page(session: Session, entry: Entry, *, asked: bool = False, typed: str = "", error: str = "") -> str:
    open_text = editing.open_version(session, entry)
    content = editing.content_of(session, entry) if entry.version or not open_text else Content.of(open_text.content)
    return render_template(
        "knowledge/entry.html",
        entry=entry,
        open=open_text,
        content=content,
        answer=answers.html(content.answer),
        files=catalogue.attachments(session, content.attachments),
        names=catalogue.names(session),
        usage=catalogue.usage(session, entry),
        against=catalogue.said_against(session, entry.id),
        steps=_history(session, entry),
        today=runtime().today(),
        ending=runtime().today() + catalogue.ENDING,
        asked=asked,
        typed=typed,
        error=error,
    )


def _history(session: Session, entry: Entry) -> list[Step]:
    """Return who wrote, checked, stopped and brought back, the latest first."""
    rows = [row for row in audit.of(session, "kb_entries", entry.code) if row.act in ACTS]
    texts = catalogue.versions(session, entry)
    people = accounts.named(
        session,
        [
            *(row.user_id for row in rows),
            *(one.checked_by for one in texts),
            *(w for one in texts for w in one.writers),
        ],
    )

    def called(user_id: int | None) -> str:
        return people[user_id].display_name if user_id in people else "系统"

    steps = [Step(row.at, called(row.user_id), ACTS[row.act][0], *ACTS[row.act][1:], words=row.reason) for row in rows]
    for one in texts:
        shown = one.state in (VersionState.PUBLISHED, VersionState.SUPERSEDED)
        writers = "、".join(called(writer) for writer in one.writers) or "系统"
        who = f"{writers} 写，{called(one.checked_by)} 审核" if shown and one.checked_by else writers
        what = f"发布第 {one.number} 版" if shown else f"第 {one.number} 版"
        tone = "done" if one.state == VersionState.PUBLISHED else "plain"
        at = (one.checked_at if shown else None) or one.written_at
        steps.append(Step(at, who, what, "done" if shown else "work", tone, one.note, one))
    return sorted(steps, key=lambda step: step.at, reverse=True)


@bp.get("/entries/<int:entry_id>/versions/<int:number>")
@roles(*EDITORS)
def version(entry_id: int, number: int) -> ResponseReturnValue:
    """One text of an entry: what it changed of the one before it, or of the one asked for (``?with=3``)."""
    with transaction() as session:
        entry = the_entry(session, entry_id)
        texts = {one.number: one for one in catalogue.versions(session, entry)}
        if number not in texts:
            raise NotFound("没有这个版本")
        one = texts[number]
        before = catalogue.version_before(session, one)
        other = texts.get(request.args.get("with", -1, type=int), before)
        content = Content.of(one.content)
        return render_template(
            "knowledge/version.html",
            entry=entry,
            version=one,
            other=other,
            content=content,
            answer=answers.html(content.answer),
            files=catalogue.attachments(session, content.attachments),
            names=catalogue.names(session),
            differences=differences(
                Content.of(other.content) if other else None, content, catalogue.names(session, entry.id)
            ),
            texts=[text for text in texts.values() if text.number != number],
            people=accounts.named(session, [*one.writers, one.checked_by]),
        )


@bp.get("/entries/<int:entry_id>/files/<int:file_id>")
@roles()
def file(entry_id: int, file_id: int) -> ResponseReturnValue:
    """A file of an entry, to keep: no browser shows what somebody brought as a page of this site.

    Editors have every one, other members of staff those of a published text.
    """
    with transaction() as session:
        entry = the_entry(session, entry_id)
        shown = editing.content_of(session, entry).attachments if entry.state == EntryState.PUBLISHED else ()
        if the_actor().role in EDITORS or file_id in shown:
            for one in catalogue.attachments(session, [file_id]):
                if one.entry_id == entry_id:
                    return attached(one.name, one.body, one.mime)
    raise NotFound("没有这个附件")


# ---- what becomes of it


@bp.post("/new")
@roles(*EDITORS)
def new() -> ResponseReturnValue:
    """Begin an entry, perhaps with a question (``question``), and write on in the editor."""
    question = request.form.get("question", "").strip()[:200]
    with transaction() as session:

        def act() -> ResponseReturnValue:
            content = Content(question=question, review_on=runtime().today() + ANEW_AFTER)
            draft = editing.start(session, content=content, **when())
            return pages.go(url_for("knowledge.editor.opened", version_id=draft.id))

        return once(session, act)


@bp.post("/entries/<int:entry_id>/revise")
@roles(*EDITORS)
def revise(entry_id: int) -> ResponseReturnValue:
    """Write on in its open text; begin one from what it shows, or from an earlier version (``like``)."""
    like = request.form.get("like", type=int)
    with transaction() as session:
        entry = the_entry(session, entry_id)

        def act() -> ResponseReturnValue:
            draft = editing.revise(session, code=entry.code, like=like, **when())
            return pages.go(url_for("knowledge.editor.opened", version_id=draft.id))

        return once(session, act)


@bp.get("/entries/<int:entry_id>/withdraw")
@roles(*EDITORS)
def why_withdraw(entry_id: int) -> ResponseReturnValue:
    """Ask for the reason, without script."""
    with transaction() as session:
        return _entry_page(session, the_entry(session, entry_id), asked=True)


@bp.post("/entries/<int:entry_id>/withdraw")
@roles(*EDITORS)
def withdraw(entry_id: int) -> ResponseReturnValue:
    """Take it out of every search, for a reason."""
    reason = request.form.get("reason", "").strip()
    try:
        with transaction() as session:
            entry = the_entry(session, entry_id)

            def act() -> ResponseReturnValue:
                if not reason:
                    raise Invalid("请写明停用的原因", reason="请写明停用的原因")
                now, actor_id = runtime().now(), the_actor().user_id
                service.withdraw(session, code=entry.code, actor_id=actor_id, now=now, reason=reason)
                pages.toast("已停用，话务员不会再看到它", undo=url_for("knowledge.entries.restore", entry_id=entry_id))
                return pages.go(url_for("knowledge.entries.opened", entry_id=entry_id))

            return once(session, act)
    except Invalid as fault:
        with transaction() as session:
            entry = the_entry(session, entry_id)
            return _entry_page(session, entry, asked=True, typed=reason, error=fault.message), 422


@bp.post("/entries/<int:entry_id>/restore")
@roles(*EDITORS)
def restore(entry_id: int) -> ResponseReturnValue:
    """Show operators again what was withdrawn."""
    with transaction() as session:
        entry = the_entry(session, entry_id)

        def act() -> str:
            service.restore(session, code=entry.code, actor_id=the_actor().user_id, now=runtime().now())
            return "已恢复，话务员又能看到它"

        return tell_once(session, act, then=url_for("knowledge.entries.opened", entry_id=entry_id))


def the_entry(session: Session, entry_id: int) -> Entry:
    """Return an entry; raises ``NotFound``."""
    entry = session.get(Entry, entry_id)
    if entry is None:
        raise NotFound("没有这条知识")
    return entry
