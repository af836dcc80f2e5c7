"""Writing the text of an entry: kept as it is typed; of two editors at once nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, jsonify, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.accounts import queries as accounts
from hotline.errors import HotlineError, Invalid, NotAllowedNow, NotFound
from hotline.knowledge_base import answers, attachments, catalogue, editing, rows
from hotline.knowledge_base.content import Content
from hotline.knowledge_base.differences import as_words, differences
from hotline.knowledge_base.models import Entry, Version
from hotline.knowledge_base.rows import ANSWER_CHARS, QUESTION_CHARS
from hotline.knowledge_base.states import VersionState
from hotline.units import queries as units
from hotline.web import pages
from hotline.web.access import roles, the_actor, when
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import once, tell_once
from hotline.web.knowledge import EDITORS, beside, editor_form
from hotline.web.knowledge.editor_form import Typed

bp = Blueprint("editor", __name__, url_prefix="/drafts/<int:version_id>")

GoOn = Callable[[Session, Version, Typed], ResponseReturnValue]


@bp.get("")
@roles(*EDITORS)
def opened(version_id: int) -> ResponseReturnValue:
    """The text to write on; one that is not written any more is shown where it stands now."""
    with transaction() as session:
        version = the_text(session, version_id)
        if version.state == VersionState.REVIEW:
            return pages.go(url_for("knowledge.checking.opened", version_id=version.id))
        if version.state != VersionState.DRAFT:
            return pages.go(url_for("knowledge.entries.version", entry_id=version.entry_id, number=version.number))
        return _page(session, version)


@bp.post("/save")
@roles(*EDITORS)
def save(version_id: int) -> ResponseReturnValue:
    """Keep what was typed. The page saves by itself and is answered in JSON; the button leads back to the page."""

    def go_on(session: Session, version: Version, typed: Typed) -> ResponseReturnValue:
        if typed.faults and not _by_itself():
            return _page(session, version, typed), 422
        return _saved(version, typed)

    return _kept(version_id, go_on)


@bp.post("/submit")
@roles(*EDITORS)
def submit(version_id: int) -> ResponseReturnValue:
    """Keep what was typed and ask a colleague to check it; incomplete, it stays a draft and says what is missing."""

    def go_on(session: Session, version: Version, typed: Typed) -> ResponseReturnValue:
        faults = editor_form.missing(typed.content, runtime().today()) | typed.faults
        if faults:
            return _page(session, version, replace(typed, faults=faults)), 422
        editing.submit(session, version_id=version.id, revision=version.revision, **when())
        pages.toast("已提交，请另一位同事审核", undo=url_for("knowledge.editor.take_back", version_id=version.id))
        return pages.go(url_for("knowledge.entries.opened", entry_id=version.entry_id))

    return _kept(version_id, go_on)


@bp.post("/files")
@roles(*EDITORS)
def add_files(version_id: int) -> ResponseReturnValue:
    """Keep what was typed, with the files chosen."""

    def go_on(session: Session, version: Version, typed: Typed) -> ResponseReturnValue:
        files = [one for one in request.files.getlist("files") if one.filename]
        if not files:
            raise Invalid("请先选择文件", attachments="请先选择文件")
        attachments.with_room(typed.content.attachments, len(files))
        ids = list(typed.content.attachments)
        for one in files:
            body = one.stream.read(attachments.LARGEST + 1)
            row = attachments.add(session, entry_id=version.entry_id, name=one.filename or "", body=body, **when())
            ids.append(row.id)
        content = replace(typed.content, attachments=tuple(dict.fromkeys(ids)))
        editing.save(
            session, version_id=version.id, revision=version.revision, content=content, note=typed.note, **when()
        )
        pages.toast(f"已添加 {len(files)} 个附件")
        return pages.go(url_for("knowledge.editor.opened", version_id=version.id) + "#files")

    return _kept(version_id, go_on)


@bp.post("/merge")
@roles(*EDITORS)
def merge(version_id: int) -> ResponseReturnValue:
    """Keep what an editor made of two texts: of each field his own, his colleague's, or both put together."""

    def content_of(typed: Typed, theirs: Content) -> Content:
        return editor_form.merged(request.form, typed.content, theirs)

    def go_on(_session: Session, version: Version, _typed: Typed) -> ResponseReturnValue:
        pages.toast("已合并保存")
        return pages.go(url_for("knowledge.editor.opened", version_id=version.id))

    return _kept(version_id, go_on, content_of=content_of, wherever=True)


@bp.post("/take-back")
@roles(*EDITORS)
def take_back(version_id: int) -> ResponseReturnValue:
    """Write on in what was submitted."""
    with transaction() as session:

        def act() -> str:
            version = the_text(session, version_id)
            editing.take_back(session, version_id=version_id, revision=version.revision, **when())
            return "已撤回，可以继续编辑"

        return tell_once(session, act, then=url_for("knowledge.editor.opened", version_id=version_id))


@bp.post("/drop")
@roles(*EDITORS)
def drop(version_id: int) -> ResponseReturnValue:
    """Give up a draft; the toast brings it back."""
    with transaction() as session:

        def act() -> ResponseReturnValue:
            version = the_text(session, version_id)
            editing.drop(session, version_id=version_id, revision=version.revision, **when())
            pages.toast("已放弃这份草稿", undo=url_for("knowledge.editor.pick_up", version_id=version_id))
            return pages.go(url_for("knowledge.entries.opened", entry_id=version.entry_id))

        return once(session, act)


@bp.post("/pick-up")
@roles(*EDITORS)
def pick_up(version_id: int) -> ResponseReturnValue:
    """Write on in a text that was given up."""
    with transaction() as session:

        def act() -> ResponseReturnValue:
            gone = the_text(session, version_id)
            draft = editing.revise(session, code=gone.entry.code, like=gone.number, **when())
            return pages.go(url_for("knowledge.editor.opened", version_id=draft.id))

        return once(session, act)


@bp.post("/preview")
@roles(*EDITORS)
def preview(version_id: int) -> ResponseReturnValue:
    """How operators would see the answer; nothing is kept."""
    answer = request.form.get("answer", "")[:ANSWER_CHARS]
    return render_template("knowledge/editor_preview.html", answer=answers.html(answer))


@bp.get("/beside")
@roles(*EDITORS)
def look_beside(version_id: int) -> ResponseReturnValue:
    """What is alike already, and who would have been answered by the text as it is kept now."""
    with transaction() as session:
        version = the_text(session, version_id)
        found = beside.look(session, version.entry_id, Content.of(version.content))
    return render_template("knowledge/editor_beside.html", beside=found, version=version)


def the_text(session: Session, version_id: int) -> Version:
    """Return one text of an entry; raises ``NotFound``."""
    version = session.get(Version, version_id)
    if version is None:
        raise NotFound("没有这个版本")
    return version


def _kept(
    version_id: int,
    go_on: GoOn,
    *,
    content_of: Callable[[Typed, Content], Content] | None = None,
    wherever: bool = False,
) -> ResponseReturnValue:
    """Save the form, then ``go_on`` in the same transaction. What cannot be saved comes back with all that was typed:
    beside what a colleague saved meanwhile, or beside what is wrong with it.

    ``wherever``: the text may have been submitted or published meanwhile; it is then taken back, or written on anew.
    """
    typed: Typed | None = None
    try:
        with transaction() as session:
            version = the_text(session, version_id)
            theirs = Content.of(version.content)
            typed = editor_form.read(request.form, theirs)
            if content_of:
                content = content_of(typed, theirs)
                typed = replace(typed, values=editor_form.values_of(content), content=content)
                rows.read_content(content.as_json(), unfinished=True)
            told = typed

            def act() -> ResponseReturnValue:
                open_text, revision = version, request.form.get("revision", -1, type=int)
                if wherever and revision == version.revision:
                    open_text = _to_write_on(session, version)
                    revision = open_text.revision
                saved = editing.save(
                    session, version_id=open_text.id, revision=revision, content=told.content, note=told.note, **when()
                )
                return go_on(session, saved, told)

            return once(session, act)
    except NotAllowedNow as fault:
        if typed is None:
            raise
        return _conflict(version_id, typed, fault)
    except Invalid as fault:
        if typed is None or _by_itself():
            raise
        faults = {name: editor_form.in_words(str(words)) for name, words in fault.details.items()}
        told = replace(typed, faults=typed.faults | faults)
        with transaction() as session:  # nothing was saved: what a colleague did meanwhile is still to be met
            return _page(session, the_text(session, version_id), told, began_from=request.form), 422


def _to_write_on(session: Session, version: Version) -> Version:
    if version.state == VersionState.REVIEW:
        return editing.take_back(session, version_id=version.id, revision=version.revision, **when())
    if version.state != VersionState.DRAFT:
        return editing.revise(session, code=version.entry.code, **when())
    return version


def _conflict(version_id: int, typed: Typed, fault: HotlineError) -> ResponseReturnValue:
    """Show both texts field by field; what became of a text that is not written any more stands for theirs.

    Two who wrote the same are no two.
    """
    with transaction() as session:
        version = the_text(session, version_id)
        if version.state not in editing.OPEN:
            version = editing.open_version(session, version.entry) or version
        theirs, mine = Content.of(version.content), typed.content
        found = editor_form.choices(editor_form.base_of(request.form), mine, theirs)
        if not found and version.state == VersionState.DRAFT:
            return _saved(version, typed)
        if _by_itself():
            answer = jsonify(message=fault.message, state=version.state)
            answer.status_code = 409
            return answer
        names = catalogue.names(session, version.entry_id)
        told = {one.name: one for one in differences(theirs, mine, names)}
        own = version.writers[-1:] == [the_actor().user_id]
        people = accounts.named(session, version.writers[-1:])
        page = render_template(
            "knowledge/conflict.html",
            version=version,
            entry=version.entry,
            who="您在另一个窗口" if own else next((one.display_name for one in people.values()), "同事"),
            choices=found,
            told=told,
            theirs={one.name: as_words(one.name, getattr(theirs, one.name), names) for one in found},
            mine={one.name: as_words(one.name, getattr(mine, one.name), names) for one in found},
            values=editor_form.values_of(mine),
            typed=typed,
        )
    return make_response(page, 409)


def _page(session: Session, version: Version, typed: Typed | None = None, *, began_from: Mapping[str, str] = {}) -> str:
    """Return the editor; ``typed``: what stands in its fields instead of what is kept, with what is wrong.
    ``began_from`` tells the revision and text it was typed over, when that is not what is kept."""
    content = Content.of(version.content)
    entry: Entry = version.entry
    shown = catalogue.attachments(session, typed.content.attachments if typed else content.attachments)
    people = accounts.named(session, [*version.writers, version.checked_by])
    return render_template(
        "knowledge/editor.html",
        version=version,
        entry=entry,
        values=typed.values if typed else editor_form.values_of(content),
        note=typed.note if typed else version.note,
        faults=typed.faults if typed else {},
        revision=began_from.get("revision", version.revision),
        base=began_from.get("base", "") if began_from else json.dumps(version.content, ensure_ascii=False),
        answer=answers.html(str(typed.values["answer"]) if typed else content.answer),
        files=shown,
        categories=catalogue.categories(session),
        units=_owners(session, content.owner_unit),
        areas=catalogue.areas(session),
        beside=beside.look(session, entry.id, content),
        people=people,
        limits={"question": QUESTION_CHARS, "answer": ANSWER_CHARS},
        today=runtime().today(),
    )


def _owners(session: Session, code: str) -> list[tuple[str, str]]:
    rows: list[tuple[str, Any]] = [(one.code, one.name) for one in units.active_units(session)]
    if code and code not in dict(rows):  # out of use meanwhile: the choice stays what it was
        rows.insert(0, (code, catalogue.names(session).units.get(code, code)))
    return [("", "热线中心自己维护"), *rows]


def _saved(version: Version, typed: Typed) -> ResponseReturnValue:
    if not _by_itself():
        pages.toast("已保存")
        return pages.go(url_for("knowledge.editor.opened", version_id=version.id))
    return jsonify(
        revision=version.revision,
        saved_at=version.written_at.isoformat(),
        base=version.content,
        faults=typed.faults,
    )


def _by_itself() -> bool:
    return request.accept_mimetypes.best == "application/json"
