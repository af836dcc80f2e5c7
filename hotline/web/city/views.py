"""The pages every kind of the city's data has: list, form, history, sheet; out of use with a way back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial, update_wrapper
from typing import Any, Final, NoReturn

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline import audit
from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.imports.parts import shown
from hotline.imports.removal import references
from hotline.web import pages
from hotline.web.access import roles, the_actor, when
from hotline.web.city.changes import Step, steps_of
from hotline.web.city.kinds import PER_PAGE, Kind
from hotline.web.context import runtime, transaction
from hotline.web.errors import CHANGED
from hotline.web.formats import mask_phone
from hotline.web.idempotency import once
from hotline.web.sheets import sheet_answer

KEEPERS: Final = ("ADM",)
HISTORY: Final = 100
REASON_AT_LEAST: Final = 4
REASON_AT_MOST: Final = 200


def add_pages(bp: Blueprint, kind: Kind[Any]) -> None:
    """Add the pages of one kind under ``/<key>``; endpoints are ``<key>_<view>``."""
    bare, one = f"/{kind.key}", f"/{kind.key}/<{kind.converter}:row_id>"
    routes: list[tuple[str, str, Callable[..., ResponseReturnValue]]] = [
        ("GET", bare, listed),
        ("GET", f"{bare}.<form>", sheet),
        ("GET", f"{bare}/new", blank),
        ("POST", f"{bare}/new", create),
        ("GET", f"{bare}/history", history_of_all),
        ("GET", one, opened),
        ("POST", one, save),
        ("POST", f"{one}/remove", remove),
        ("GET", f"{one}/history", history),
    ]
    if kind.secret:
        routes += [("GET", f"{bare}/take-away", why_take_away), ("POST", f"{bare}/take-away", take_away)]
        routes += [("POST", f"{one}/reveal/<any({','.join(kind.secret)}):field>", reveal)]
    if kind.can_switch:
        routes += [("POST", f"{one}/switch/<any(on,off):to>", switch)]
    for method, rule, view in routes:
        bound = update_wrapper(partial(view, kind), view)
        bp.add_url_rule(rule, f"{kind.key}_{view.__name__}", roles(*KEEPERS)(bound), methods=[method])


def today() -> date:
    """Return the day it is in the city."""
    return runtime().today()


def address(kind: Kind[Any], view: str, **values: Any) -> str:
    """Return the address of a page of the kind."""
    return url_for(f"office.city.{kind.key}_{view}", **values)


# ---- list


def listed(kind: Kind[Any]) -> ResponseReturnValue:
    """Every row that holds the words asked for, by filter, a page at a time."""
    text, show = request.args.get("q", "").strip(), request.args.get("show", "")
    page = min(max(1, request.args.get("page", 1, type=int)), 1_000_000)
    with transaction() as session:
        total = kind.count(session)
        found = kind.count(session, text, show)
        return render_template(
            kind.list_template,
            kind=kind,
            rows=kind.page(session, text, show, page),
            total=total,
            found=found,
            text=text,
            show=show,
            chips=_chips(session, kind, text, show),
            newer=address(kind, "listed", q=text or None, show=show or None, page=page - 1) if page > 1 else None,
            older=address(kind, "listed", q=text or None, show=show or None, page=page + 1)
            if page * PER_PAGE < found
            else None,
            page=page,
            address=partial(address, kind),
            **kind.about(session, None),
        )


def _chips(session: Session, kind: Kind[Any], text: str, show: str) -> list[dict[str, Any]]:
    filters = kind.chips(session)
    known = {one.key for one in filters}
    chips = [("", "全部"), *((one.key, one.word) for one in filters)]
    return [
        {
            "href": address(kind, "listed", q=text or None, show=key or None),
            "word": word,
            "count": kind.count(session, text, key),
            "on": key == (show if show in known else ""),
        }
        for key, word in chips
    ]


def sheet(kind: Kind[Any], form: str) -> ResponseReturnValue:
    """Take the list away as a sheet that can be imported again; personal data are masked."""
    with transaction() as session:
        rows = kind.cells(session, _asked_for(session, kind))
    return sheet_answer(kind.word, form, kind.heads(), rows)


def _asked_for(session: Session, kind: Kind[Any]) -> Sequence[Any]:
    text, show = request.args.get("q", "").strip(), request.args.get("show", "")
    return session.scalars(kind.select(text, show).order_by(*kind.order)).all()


def why_take_away(kind: Kind[Any]) -> ResponseReturnValue:
    """Ask why the list is to be taken away with its personal data."""
    return _why_page(kind, "", None)


def _why_page(kind: Kind[Any], typed: str, error: str | None) -> str:
    back = address(kind, "listed")
    return render_template("city/take_away.html", kind=kind, typed=typed, error=error, back=back)


def take_away(kind: Kind[Any]) -> ResponseReturnValue:
    """Take the list away with its personal data, for a reason that leaves a row in the log."""
    reason = request.form.get("reason", "").strip()
    if len(reason) < REASON_AT_LEAST:
        return _why_page(kind, reason, f"请写明理由，至少 {REASON_AT_LEAST} 个字"), 422
    with transaction() as session:
        rows = kind.cells(session, _asked_for(session, kind), plain=True)
        audit.record(
            session,
            at=runtime().now(),
            user_id=the_actor().user_id,
            act="take_away",
            subject=kind.subject,
            subject_id=kind.key,
            reason=reason[:REASON_AT_MOST],
            rows=len(rows),
        )
    return sheet_answer(kind.word, "xlsx", kind.heads(), rows)


# ---- form


def blank(kind: Kind[Any]) -> ResponseReturnValue:
    """The form of a new row."""
    with transaction() as session:
        return _form(session, kind, None, kind.start(session, request.args), {})


def opened(kind: Kind[Any], row_id: Any) -> ResponseReturnValue:
    """The form of a row."""
    with transaction() as session:
        return _form(session, kind, _row(session, kind, row_id), None, {})


def create(kind: Kind[Any]) -> ResponseReturnValue:
    """Add a row."""
    return _save(kind, None)


def save(kind: Kind[Any], row_id: Any) -> ResponseReturnValue:
    """Change a row."""
    return _save(kind, row_id)


def _save(kind: Kind[Any], row_id: Any | None) -> ResponseReturnValue:
    typed = _typed()
    try:
        with transaction() as session:

            def act() -> ResponseReturnValue:
                if row_id is None:
                    writing = kind.write(session, None, typed, **when())
                    row = kind.find(session, typed)
                    answer = kind.after_new(row, writing)
                else:
                    row, answer = _row(session, kind, row_id), None
                    before = kind.values(session, row)
                    if typed.get("seen") != seen(kind.form_values(before)):
                        raise NotAllowedNow(CHANGED)
                    kind.write(session, before, typed, **when())
                pages.toast(f"{kind.title(row)} 已保存")
                return answer or pages.go(address(kind, "listed"))

            return once(session, act)
    except Invalid as fault:
        with transaction() as session:
            row = _row(session, kind, row_id) if row_id is not None else None
            return _form(session, kind, row, typed, fault.details or {"row": fault.message}), 422


def _typed() -> dict[str, Any]:
    return {name: values if len(values) > 1 else values[0] for name, values in request.form.lists()}


def seen(values: Mapping[str, Any]) -> str:
    """Return a mark of what a form showed, to notice that somebody else changed it meanwhile."""
    return hashlib.sha256(json.dumps(values, ensure_ascii=False, default=str).encode()).hexdigest()[:16]


def _form(
    session: Session, kind: Kind[Any], row: Any | None, typed: Mapping[str, Any] | None, faults: Mapping[str, object]
) -> str:
    fields = kind.fields(session, row)
    known = {one.name for one in fields}
    held = kind.values(session, row) if row is not None else {}
    kept = kind.form_values(held)
    return render_template(
        kind.form_template,
        kind=kind,
        row=row,
        fields=fields,
        masked={name: mask_phone(held.get(name)) for name in kind.secret if held.get(name)},
        values=kept | dict(typed or {}),
        seen=(typed or {}).get("seen") or seen(kept),
        faults=faults,
        other_faults=[text for name, text in faults.items() if name not in known],
        uses=kind.uses(session, row) if row is not None else (),
        references=references(session, row) if row is not None else (),
        kept_because=kind.kept_because(session, row) if row is not None else "",
        changes=audit.of(session, kind.subject, kind.subject_id(row), limit=1) if row is not None else [],
        title=kind.title(row) if row is not None else f"新增{kind.word}",
        address=partial(address, kind),
        **kind.about(session, row),
    )


# ---- out of use, and back


def switch(kind: Kind[Any], row_id: Any, to: str) -> ResponseReturnValue:
    """Put a row into use or out of it, and offer the way back; one in use stays, and the page says where it is used."""
    with transaction() as session:

        def act() -> ResponseReturnValue:
            row = _row(session, kind, row_id)
            here = address(kind, "opened", row_id=row_id)
            try:
                kind.switch(session, row, to == "on", **when())
            except NotAllowedNow as fault:
                pages.toast(fault.message, tone="late")
                return pages.go(f"{here}#uses")
            undo = address(kind, "switch", row_id=row_id, to="off" if to == "on" else "on")
            pages.toast(f"{kind.title(row)} 已{'启用' if to == 'on' else '停用'}", undo=undo)
            return pages.go(here)

        return once(session, act)


def remove(kind: Kind[Any], row_id: Any) -> ResponseReturnValue:
    """Delete a row that was never used; another stays, and the page says what refers to it."""
    with transaction() as session:

        def act() -> ResponseReturnValue:
            row = _row(session, kind, row_id)
            title = kind.title(row)
            try:
                kind.remove(session, row, **when())
            except NotAllowedNow as fault:
                pages.toast(fault.message, tone="late")
                return pages.go(f"{address(kind, 'opened', row_id=row_id)}#uses")
            pages.toast(f"{title} 已删除，变更记录里还能查到")
            return pages.go(address(kind, "listed"))

        return once(session, act)


# ---- personal data


def reveal(kind: Kind[Any], row_id: Any, field: str) -> ResponseReturnValue:
    """Show personal data of a row for a reason that leaves a row in the log; asks for the reason first."""
    reason = request.form.get("reason", "").strip()
    template = "ui/reveal.html" if pages.is_htmx() else "ui/reveal_page.html"
    shown_here = {"action": request.path, "back": address(kind, "opened", row_id=row_id)}
    if len(reason) < REASON_AT_LEAST:
        error = f"请写明理由，至少 {REASON_AT_LEAST} 个字" if "reason" in request.form else None
        return render_template(template, typed=reason, error=error, **shown_here), 422 if error else 200
    with transaction() as session:
        row = _row(session, kind, row_id)
        audit.record(
            session,
            at=runtime().now(),
            user_id=the_actor().user_id,
            act="reveal",
            subject=kind.subject,
            subject_id=kind.subject_id(row),
            reason=reason[:REASON_AT_MOST],
            field=field,
        )
        phone = shown(kind.values(session, row)[field])
    return render_template(template, phone=phone, **shown_here)


# ---- history


def history(kind: Kind[Any], row_id: Any) -> ResponseReturnValue:
    """Who changed a row, when, from what to what."""
    with transaction() as session:
        row = _row(session, kind, row_id)
        steps, title = _steps(session, kind, kind.subject_id(row)), kind.title(row)
    back = address(kind, "opened", row_id=row_id)
    return render_template("city/history.html", steps=steps, title=title, one=True, back=back)


def history_of_all(kind: Kind[Any]) -> ResponseReturnValue:
    """The newest changes of every row of the kind, those removed included."""
    with transaction() as session:
        steps = _steps(session, kind, None)
    back = address(kind, "listed")
    return render_template("city/history.html", steps=steps, title=kind.word, one=False, back=back)


def _steps(session: Session, kind: Kind[Any], subject_id: str | None) -> list[Step]:
    rows = audit.of(session, kind.subject, subject_id, limit=HISTORY)
    steps = steps_of(session, rows, kind.acts, kind.words, kind.choices(session))
    titles = kind.titles(session, [step.title for step in steps])
    return [replace(step, title=titles.get(step.title, step.title)) for step in steps]


def _row(session: Session, kind: Kind[Any], row_id: Any) -> Any:
    return session.get(kind.model, row_id) or _missing(kind)


def _missing(kind: Kind[Any]) -> NoReturn:
    raise NotFound(f"没有这个{kind.word}，可能已删除")
