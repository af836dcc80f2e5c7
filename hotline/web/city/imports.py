"""Bringing many rows at once: choose a file, look at what it would do, confirm, watch, take the refused ones back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.imports import KINDS, jobs
from hotline.imports.files import FORMATS
from hotline.imports.jobs import Job
from hotline.imports.parts import Kind
from hotline.web import pages
from hotline.web.access import roles, the_actor
from hotline.web.city.views import KEEPERS
from hotline.web.context import runtime, transaction
from hotline.web.formats import mask_phone
from hotline.web.idempotency import once
from hotline.web.sheets import attached, sheet_answer

bp = Blueprint("imports", __name__)
SECRET: Final = frozenset({"值班电话"})
STEPS: Final = ("选文件", "核对", "导入", "完成")
STEP_OF: Final = {
    jobs.TO_CHECK: 1,
    jobs.CHECKING: 1,
    jobs.CHECKED: 1,
    jobs.TO_WRITE: 2,
    jobs.WRITING: 2,
    jobs.DONE: 3,
    jobs.FAILED: 1,
}


@bp.get("/import/<name>")
@roles(*KEEPERS)
def start(name: str) -> ResponseReturnValue:
    """What the file must look like, and where to put it."""
    return _start(_kind(name), None)


def _start(kind: Kind, fault: str | None) -> str:
    return render_template("city/import_start.html", told=kind, fault=fault, formats=FORMATS, steps=STEPS)


@bp.get("/import/<name>/example.<form>")
@roles(*KEEPERS)
def example(name: str, form: str) -> ResponseReturnValue:
    """A file of one row that would be taken."""
    kind = _kind(name)
    cells = [kind.example.get(column.key, kind.example.get(column.title, "")) for column in kind.columns]
    return sheet_answer(f"{kind.title}-示例", form, list(kind.titles.values()), [cells])


@bp.post("/import/<name>")
@roles(*KEEPERS)
def upload(name: str) -> ResponseReturnValue:
    """Take a file and ask for it to be looked at."""
    kind = _kind(name)
    file = request.files.get("file")
    if file is None or not file.filename:
        return _start(kind, "请选择一个文件"), 422
    try:
        with transaction() as session:

            def act() -> ResponseReturnValue:
                job = Job.start(
                    session,
                    _folder(),
                    kind=kind,
                    name=(file.filename or "")[-120:],
                    body=file.read(),
                    actor=the_actor(),
                    now=runtime().now(),
                )
                return _to(job, name)

            return once(session, act)
    except Invalid as fault:
        return _start(kind, fault.message), 422
    except NotAllowedNow as fault:
        return _start(kind, fault.message), 409


@bp.get("/import/<name>/<token>")
@roles(*KEEPERS)
def look(name: str, token: str) -> ResponseReturnValue:
    """What the file would do, how far it is, or what it did."""
    kind = _kind(name)
    job = Job.named(_folder(), token, the_actor())
    now = runtime().now()
    state = job.state()
    broken_off = jobs.is_broken_off(state, now)
    if broken_off and (told := jobs.written(runtime().sessions, KINDS, job)):
        job.put(**told)  # it was cut off between the commit and saying so
        state, broken_off = job.state(), False
    template = "city/_import.html" if pages.is_htmx() else "city/import.html"
    shown: dict[str, Any] = {
        "told": kind,
        "token": token,
        "job": state | {"samples": [_without_secrets(one) for one in state.get("samples", [])]},
        "codes": job.take_codes() if state["state"] == jobs.DONE else {},
        "refused": state.get("refused", []),
        "broken_off": broken_off,
        "waits_long": jobs.waits_long(state, now),
        "under_way": state["state"] in jobs.UNDER_WAY and not broken_off,
        "channel": f"import-{state['user_id']}",
        "steps": STEPS,
        "step": STEP_OF[state["state"]],
    }
    return render_template(template, **shown)


@bp.post("/import/<name>/<token>")
@roles(*KEEPERS)
def confirm(name: str, token: str) -> ResponseReturnValue:
    """Ask for the good rows to be written."""
    return _act(name, token, lambda session, job: job.confirm(session, now=runtime().now()))


@bp.post("/import/<name>/<token>/sheet")
@roles(*KEEPERS)
def choose_sheet(name: str, token: str) -> ResponseReturnValue:
    """Look at another sheet of the workbook."""
    sheet = request.form.get("sheet", "")
    return _act(name, token, lambda session, job: job.choose_sheet(session, sheet, now=runtime().now()))


@bp.post("/import/<name>/<token>/again")
@roles(*KEEPERS)
def go_on(name: str, token: str) -> ResponseReturnValue:
    """Ask again for what a worker was cut off from."""
    return _act(name, token, lambda session, job: job.go_on(session, now=runtime().now()))


def _act(name: str, token: str, do: Callable[[Session, Job], None]) -> ResponseReturnValue:
    _kind(name)
    actor = the_actor()
    with transaction() as session:

        def act() -> ResponseReturnValue:
            job = Job.named(_folder(), token, actor)
            do(session, job)
            return _to(job, name)

        return once(session, act)


@bp.get("/import/<name>/<token>/refused.csv")
@roles(*KEEPERS)
def refused_rows(name: str, token: str) -> ResponseReturnValue:
    """The rows that were not taken, with line and reason: to mend and bring again."""
    kind = _kind(name)
    body = Job.named(_folder(), token, the_actor()).refused()
    return attached(f"{kind.title}-未导入.csv", body, "text/csv; charset=utf-8")


def _to(job: Job, name: str) -> ResponseReturnValue:
    return pages.go(url_for("office.city.imports.look", name=name, token=job.token))


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise NotFound("没有这种数据")
    return KINDS[name]


def _folder() -> Path:
    return jobs.folder(runtime().settings.data_dir)


def _without_secrets(change: dict[str, Any]) -> dict[str, Any]:
    """Return a change of the preview with telephones masked: what stands in the database is personal data."""
    sides = {
        side: {name: mask_phone(value) if name in SECRET and value else value for name, value in change[side].items()}
        for side in ("before", "after")
        if change[side] is not None
    }
    return change | sides
