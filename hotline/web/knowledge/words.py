"""Words people use: synonyms and local names, one by one or pasted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hotline.errors import Invalid
from hotline.knowledge_base import synonyms
from hotline.knowledge_base.models import Synonym
from hotline.web import pages
from hotline.web.access import roles, when
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import once, tell_once
from hotline.web.knowledge import EDITORS

bp = Blueprint("words", __name__, url_prefix="/words")

PER_PAGE: Final = 50
LAST_PAGE: Final = 100_000
LONGEST_SEARCH: Final = 100


@bp.get("")
@roles(*EDITORS)
def listed() -> ResponseReturnValue:
    """Every word that holds what is searched for, with how many entries it leads to."""
    return _list({}, {})


def _list(typed: Mapping[str, str], faults: Mapping[str, object]) -> str:
    text = request.args.get("q", "").strip()[:LONGEST_SEARCH].replace("\0", "")
    number = min(max(1, request.args.get("page", 1, type=int)), LAST_PAGE)
    with transaction() as session:
        found = synonyms.count(session, text)
        rows = synonyms.page(session, text, number=number, size=PER_PAGE)
        initials = runtime().initials
        initials.refresh(session)
        ends = synonyms.meanings(session)
        return render_template(
            "knowledge/words_list.html",
            rows=rows,
            reached=initials.entries_with(ends[synonyms.folded(row.term)] for row in rows),
            total=synonyms.count(session),
            ends=ends,
            folded=synonyms.folded,
            text=text,
            page=number,
            newer=url_for("knowledge.words.listed", q=text or None, page=number - 1) if number > 1 else None,
            older=url_for("knowledge.words.listed", q=text or None, page=number + 1)
            if number * PER_PAGE < found
            else None,
            typed=typed,
            faults=faults,
        )


@bp.post("")
@roles(*EDITORS)
def add() -> ResponseReturnValue:
    """Add one."""
    typed = _typed()
    try:
        with transaction() as session:

            def act() -> ResponseReturnValue:
                row = synonyms.put(session, **typed, **when())
                undo = url_for("knowledge.words.remove", synonym_id=row.id)
                pages.toast(f"已添加：{row.term} = {row.means}", undo=undo)
                return pages.go(url_for("knowledge.words.listed"))

            return once(session, act)
    except Invalid as fault:
        return _list(typed, fault.details), 422


@bp.get("/<int:synonym_id>")
@roles(*EDITORS)
def opened(synonym_id: int) -> ResponseReturnValue:
    """One to change."""
    with transaction() as session:
        row = synonyms.by_id(session, synonym_id)
        return _form(row, {"term": row.term, "means": row.means}, {})


@bp.post("/<int:synonym_id>")
@roles(*EDITORS)
def save(synonym_id: int) -> ResponseReturnValue:
    """Change one. The address may carry what to write (``?term= &means=``): so a change is taken back."""
    typed = _typed()
    try:
        with transaction() as session:

            def act() -> ResponseReturnValue:
                before = synonyms.by_id(session, synonym_id)
                was: dict[str, Any] = {"term": before.term, "means": before.means}
                row = synonyms.put(session, synonym_id=synonym_id, **typed, **when())
                if was != {"term": row.term, "means": row.means}:
                    undo = url_for("knowledge.words.save", synonym_id=synonym_id, **was)
                    pages.toast(f"已改为：{row.term} = {row.means}", undo=undo)
                return pages.go(url_for("knowledge.words.listed"))

            return once(session, act)
    except Invalid as fault:
        with transaction() as session:
            return _form(synonyms.by_id(session, synonym_id), typed, fault.details), 422


@bp.post("/<int:synonym_id>/remove")
@roles(*EDITORS)
def remove(synonym_id: int) -> ResponseReturnValue:
    """Take one away."""
    with transaction() as session:

        def act() -> ResponseReturnValue:
            term, means = synonyms.remove(session, synonym_id=synonym_id, **when())
            undo = url_for("knowledge.words.add", term=term, means=means)
            pages.toast(f"已删除：{term} = {means}", undo=undo)
            return pages.go(url_for("knowledge.words.listed"))

        return once(session, act)


@bp.get("/paste")
@roles(*EDITORS)
def paste_form() -> ResponseReturnValue:
    """Ask for lines."""
    return render_template("knowledge/words_paste.html", typed="", refused=[], error=None)


@bp.post("/paste")
@roles(*EDITORS)
def paste() -> ResponseReturnValue:
    """Take lines in, all or none."""
    text = request.form.get("lines", "")
    try:
        with transaction() as session:

            def act() -> str:
                done = synonyms.paste(session, text=text, **when())
                told = (("新增", done.added), ("改动", done.changed), ("没有变化", done.unchanged))
                return "，".join(f"{word} {number} 条" for word, number in told if number)

            return tell_once(session, act, then=url_for("knowledge.words.listed"))
    except Invalid as fault:
        refused = fault.details.get("refused", [])
        return render_template("knowledge/words_paste.html", typed=text, refused=refused, error=fault.message), 422


def _typed() -> dict[str, Any]:
    """What the form says; an address that takes something back says it itself."""
    return {name: request.form.get(name, request.args.get(name, "")) for name in ("term", "means")}


def _form(row: Synonym, typed: Mapping[str, str], faults: Mapping[str, Any]) -> str:
    return render_template("knowledge/words_form.html", row=row, typed=typed, faults=faults)
