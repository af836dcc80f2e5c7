"""Bringing many rows at once: choose a file, look at what it would do, confirm, watch, take the refused ones back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.imports import KINDS, engine
from hotline.imports.engine import Refused
from hotline.imports.files import FORMATS
from hotline.imports.parts import Kind
from hotline.web import pages
from hotline.web.access import roles, the_actor
from hotline.web.city import jobs
from hotline.web.city.jobs import Job
from hotline.web.city.views import FORMS, KEEPERS, sheet_answer
from hotline.web.context import runtime, transaction
from hotline.web.formats import mask_phone
from hotline.web.idempotency import once

bp = Blueprint("imports", __name__)
SECRET: Final = frozenset({"值班电话"})
STEPS: Final = ("选文件", "核对", "导入", "完成")
STEP_OF: Final = {jobs.CHECKING: 1, jobs.CHECKED: 1, jobs.WRITING: 2, jobs.DONE: 3, jobs.FAILED: 1}


@bp.get("/import/<name>")
@roles(*KEEPERS)
def start(name: str) -> ResponseReturnValue:
    """What the file must look like, and where to put it."""
    return _start(_kind(name), None)


def _start(kind: Kind, fault: str | None) -> str:
    return render_template("city/import_start.html", told=kind, fault=fault, formats=FORMATS, steps=STEPS)


@bp.get(f"/import/<name>/example.<{FORMS}:form>")
@roles(*KEEPERS)
def example(name: str, form: str) -> ResponseReturnValue:
    """A file of one row that would be taken."""
    kind = _kind(name)
    cells = [kind.example.get(column.key, kind.example.get(column.title, "")) for column in kind.columns]
    return sheet_answer(f"{kind.title}-示例", form, list(kind.titles.values()), [cells])


@bp.post("/import/<name>")
@roles(*KEEPERS)
def upload(name: str) -> ResponseReturnValue:
    """Take a file and begin to look at it."""
    kind = _kind(name)
    file = request.files.get("file")
    if file is None or not file.filename:
        return _start(kind, "请选择一个文件"), 422
    try:
        with transaction() as session:

            def act() -> ResponseReturnValue:
                job = Job.start(
                    _folder(),
                    kind=kind.name,
                    name=(file.filename or "")[-120:],
                    body=file.read(),
                    actor=the_actor(),
                    now=runtime().now(),
                )
                jobs.check(runtime(), job)
                return pages.go(url_for("office.city.imports.look", name=name, token=job.token))

            return once(session, act)
    except Invalid as fault:
        return _start(kind, fault.message), 422


@bp.get("/import/<name>/<token>")
@roles(*KEEPERS)
def look(name: str, token: str) -> ResponseReturnValue:
    """What the file would do, how far it is, or what it did."""
    kind = _kind(name)
    job, state = Job.named(_folder(), token, the_actor())
    if jobs.is_broken_off(state, runtime().now()):
        state |= {"state": jobs.FAILED, "reason": jobs.BROKEN_OFF}
    template = "city/_import.html" if pages.is_htmx() else "city/import.html"
    shown: dict[str, Any] = {
        "told": kind,
        "token": token,
        "job": state | {"samples": [_without_secrets(one) for one in state.get("samples", [])]},
        "codes": job.take_codes() if state["state"] == jobs.DONE else {},
        "refused": state.get("refused", [])[: jobs.REFUSED_SHOWN],
        "under_way": state["state"] in jobs.UNDER_WAY,
        "steps": STEPS,
        "step": STEP_OF[state["state"]],
    }
    return render_template(template, **shown)


@bp.post("/import/<name>/<token>")
@roles(*KEEPERS)
def confirm(name: str, token: str) -> ResponseReturnValue:
    """Write the good rows."""
    _kind(name)
    actor = the_actor()
    with transaction() as session:

        def act() -> ResponseReturnValue:
            job, state = Job.named(_folder(), token, actor)
            if state["state"] != jobs.CHECKED:
                raise NotAllowedNow("这个文件已经导入过，或者还没有核对完")
            job.put(state=jobs.WRITING, done=0, at=runtime().now().isoformat())
            jobs.write(runtime(), job, actor)
            return pages.go(url_for("office.city.imports.look", name=name, token=token))

        return once(session, act)


@bp.get("/import/<name>/<token>/refused.csv")
@roles(*KEEPERS)
def refused_rows(name: str, token: str) -> ResponseReturnValue:
    """The rows that were not taken, with line and reason: to mend and bring again."""
    kind = _kind(name)
    job, state = Job.named(_folder(), token, the_actor())
    refused = [Refused(**one) for one in state.get("refused", [])]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "refused.csv"
        engine.write_refused(kind, job.rows(state["name"]), refused, path)
        body = path.read_bytes()
    answer = Response(body, content_type="text/csv; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{kind.title}-未导入.csv")
    return answer


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise NotFound("没有这种数据")
    return KINDS[name]


def _folder() -> Path:
    return runtime().settings.data_dir / "imports"


def _without_secrets(change: dict[str, Any]) -> dict[str, Any]:
    """Return a change of the preview with telephones masked: what stands in the database is personal data."""
    sides = {
        side: {name: mask_phone(value) if name in SECRET and value else value for name, value in change[side].items()}
        for side in ("before", "after")
        if change[side] is not None
    }
    return change | sides
