"""Knowledge in and out by the file: sheets and policy documents brought in, a sheet or a handbook taken away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.imports import files, jobs, knowledge, workbook
from hotline.imports.jobs import Job
from hotline.imports.parts import Kind
from hotline.knowledge_base import answers, documents, handbook, rows, sheets, stock
from hotline.knowledge_base.content import Content
from hotline.units.models import Unit
from hotline.web import pages
from hotline.web.access import roles, the_actor
from hotline.web.city.imports import STEP_OF, STEPS
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import once
from hotline.web.knowledge import EDITORS
from hotline.web.sheets import WORKBOOK, attached, sheet_answer

bp = Blueprint("files", __name__, url_prefix="/files")
GIVEN: Final = ("category", "owner_unit", "source_url", "valid_from")
LATEST: Final = 5
MOST_ROWS: Final = 20_000  # of one export from the page: beyond that there is ``hotline kb export``
MOST_PRINTED: Final = 2_000
EVERY: Final = "*"  # every category
HANDBOOK: Final = "12345政务服务热线知识手册"
DOCUMENT: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
WORDS: Final = {
    jobs.TO_CHECK: ("等待核对", "plain"),
    jobs.CHECKING: ("正在核对", "act"),
    jobs.CHECKED: ("等您确认", "soon"),
    jobs.TO_WRITE: ("等待写入", "plain"),
    jobs.WRITING: ("正在写入", "act"),
    jobs.DONE: ("已完成", "done"),
    jobs.FAILED: ("没有导入", "late"),
}
ANSWER: Final = "答案"
HIDDEN: Final = frozenset({"编号", "文件", "条款", "所在位置"})  # of a change: the place, which does not change
HELP_HEAD: Final = ("列名", "必填", "怎么填", "也可以写成")


@bp.get("")
@roles(*EDITORS)
def start() -> ResponseReturnValue:
    """Where to put a file, what it may look like, and what to take away."""
    return _start(None, {})


def _start(fault: str | None, faults: dict[str, object], export_fault: str = "") -> str:
    with transaction() as session:
        categories = stock.categories(session)
        units = session.execute(select(Unit.code, Unit.name).where(Unit.active).order_by(Unit.code)).all()
    return render_template(
        "knowledge/files_start.html",
        fault=fault,
        faults=faults,
        typed=request.form,
        sheets=files.FORMATS,
        documents=documents.FORMATS,
        units=units,
        fields=sheets.FIELDS,
        required={"question", "answer"},
        categories=categories,
        category=request.args.get("category"),
        export_fault=export_fault,
        jobs=_latest(),
        job_words=WORDS,
    )


def _latest() -> list[dict[str, Any]]:
    """Return the files this person sent in within a day, the newest first: an import can be left and found again."""
    mine = [
        state | {"href": url_for("knowledge.files.look", token=job.token), "at": datetime.fromisoformat(state["at"])}
        for job, state in jobs.every(_folder())
        if state["kind"] in knowledge.KINDS and state["user_id"] == the_actor().user_id
    ]
    return sorted(mine, key=itemgetter("at"), reverse=True)[:LATEST]


@bp.get("/template.xlsx")
@roles(*EDITORS)
def template() -> ResponseReturnValue:
    """A sheet with its headings and a row that would be taken, and one that says what each column wants."""
    kind = knowledge.ENTRIES
    example = [sheets.EXAMPLE.get(field.key, "") for field in sheets.FIELDS]
    told = [
        [field.title, "是" if field.key in kind.required else "", field.help, "、".join(field.also)]
        for field in sheets.FIELDS
    ]
    pages_of = [
        (sheets.TITLE, [field.title for field in sheets.FIELDS], [example]),
        ("填写说明", HELP_HEAD, told),
    ]
    return attached("知识导入模板.xlsx", workbook.write_sheets(pages_of), WORKBOOK)


@bp.get("/export.<any(xlsx,csv,docx):form>")
@roles(*EDITORS)
def export(form: str) -> ResponseReturnValue:
    """What is published (of a category): a sheet that can be brought in again, or a handbook to print."""
    category = request.args.get("category", EVERY)
    try:
        with transaction() as session:
            entries = _wanted(session, category, MOST_PRINTED if form == "docx" else MOST_ROWS)
            names = stock.unit_names(session)
    except Invalid as fault:
        return _start(None, {}, fault.message), 422
    word = "知识" if category == EVERY else f"知识-{category or '未分类'}"
    if form == "docx":
        body = handbook.made(HANDBOOK, entries, units=names, printed_on=runtime().today())
        return attached(f"{word}手册.docx", body, DOCUMENT)
    head = [field.title for field in sheets.FIELDS]
    return sheet_answer(word, form, head, [sheets.cells(code, content) for code, content in entries])


def _wanted(session: Session, category: str, most: int) -> list[tuple[str, Content]]:
    counts = dict(stock.categories(session))
    count = sum(counts.values()) if category == EVERY else counts.get(category, 0)
    if not count:
        raise Invalid("这个分类里没有已发布的条目")
    if count > most:
        raise Invalid(f"共 {count} 条，一次最多导出 {most} 条，请选一个分类")
    return list(stock.published(session, category=None if category == EVERY else category))


@bp.post("")
@roles(*EDITORS)
def upload() -> ResponseReturnValue:
    """Take a file and ask for it to be looked at."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _start("请选择一个文件", {}), 422
    name = file.filename[-120:]
    try:
        given = _given()
        with transaction() as session:

            def act() -> ResponseReturnValue:
                job = Job.start(
                    session,
                    _folder(),
                    kind=knowledge.kind_of(name),
                    name=name,
                    body=file.read(),
                    actor=the_actor(),
                    now=runtime().now(),
                    given=given,
                )
                return _to(job)

            return once(session, act)
    except Invalid as fault:
        fields = {key: reason for key, reason in fault.details.items() if key in GIVEN}
        return _start(None if fields else fault.message, fields), 422
    except NotAllowedNow as fault:
        return _start(fault.message, {}), 409


def _given() -> dict[str, str]:
    """Return what the form says for every row. Raises ``Invalid`` by field."""
    given = {key: words for key in GIVEN if (words := request.form.get(key, "").strip())}
    rows.read_content(given, unfinished=True, questions_only=True)
    return given


@bp.get("/<token>")
@roles(*EDITORS)
def look(token: str) -> ResponseReturnValue:
    """What the file would do, how far it is, or what it did."""
    job, kind = _job(token)
    now = runtime().now()
    state = job.state()
    broken_off = jobs.is_broken_off(state, now)
    if broken_off and (told := jobs.written(runtime().sessions, knowledge.KINDS, job)):
        job.put(**told)  # it was cut off between the commit and saying so
        state, broken_off = job.state(), False
    return render_template(
        "knowledge/_import.html" if pages.is_htmx() else "knowledge/import.html",
        told=kind,
        splits=kind is knowledge.CLAUSES,
        token=token,
        job=state | {"samples": [_in_words(one) for one in state.get("samples", [])]},
        refused=state.get("refused", []),
        broken_off=broken_off,
        waits_long=jobs.waits_long(state, now),
        under_way=state["state"] in jobs.UNDER_WAY and not broken_off,
        channel=f"import-{state['user_id']}",
        steps=STEPS,
        step=STEP_OF[state["state"]],
        hidden=HIDDEN,
    )


def _in_words(change: dict[str, Any]) -> dict[str, Any]:
    """Return a change of the preview with answers as people read them, without the signs they are written with."""
    sides = {
        side: {word: answers.plain(value) if word == ANSWER else value for word, value in change[side].items()}
        for side in ("before", "after")
        if change[side] is not None
    }
    return change | sides


@bp.post("/<token>")
@roles(*EDITORS)
def confirm(token: str) -> ResponseReturnValue:
    """Ask for the good rows to be written."""
    return _act(token, lambda session, job: job.confirm(session, now=runtime().now()))


@bp.post("/<token>/sheet")
@roles(*EDITORS)
def choose_sheet(token: str) -> ResponseReturnValue:
    """Look at another sheet of the workbook."""
    sheet = request.form.get("sheet", "")
    return _act(token, lambda session, job: job.choose_sheet(session, sheet, now=runtime().now()))


@bp.post("/<token>/again")
@roles(*EDITORS)
def go_on(token: str) -> ResponseReturnValue:
    """Ask again for what a worker was cut off from."""
    return _act(token, lambda session, job: job.go_on(session, now=runtime().now()))


def _act(token: str, do: Callable[[Session, Job], None]) -> ResponseReturnValue:
    job, _ = _job(token)
    with transaction() as session:

        def act() -> ResponseReturnValue:
            do(session, job)
            return _to(job)

        return once(session, act)


@bp.get("/<token>/refused.csv")
@roles(*EDITORS)
def refused_rows(token: str) -> ResponseReturnValue:
    """The rows that were not taken, with line and reason: to mend and bring again."""
    job, kind = _job(token)
    return attached(f"{kind.title}-未导入.csv", job.refused(), "text/csv; charset=utf-8")


def _job(token: str) -> tuple[Job, Kind]:
    job = Job.named(_folder(), token, the_actor())
    kind = knowledge.KINDS.get(job.state()["kind"])
    if kind is None:
        raise NotFound(jobs.GONE)
    return job, kind


def _to(job: Job) -> ResponseReturnValue:
    return pages.go(url_for("knowledge.files.look", token=job.token))


def _folder() -> Path:
    return jobs.folder(runtime().settings.data_dir)
