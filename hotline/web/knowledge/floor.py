"""From the floor: what operators miss and find wrong, and the words callers use for what is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.errors import Invalid
from hotline.knowledge_base import editing, tasks
from hotline.knowledge_base.floor import learning, offers
from hotline.knowledge_base.floor import lists as floor
from hotline.knowledge_base.floor.lists import PER_PAGE, Opened, Sort
from hotline.knowledge_base.models import Task, Version
from hotline.knowledge_base.search.hits import Hit
from hotline.knowledge_base.states import SignalKind, TaskState
from hotline.web import pages
from hotline.web.access import roles, when
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import once
from hotline.web.knowledge import EDITORS
from hotline.web.words import N_

bp = Blueprint("floor", __name__, url_prefix="/floor")

LAST_PAGE: Final = 1_000_000
NEAR: Final = 5  # entries proposed to answer a task
LONGEST_SEARCH: Final = 200
KINDS: Final = {
    SignalKind.NO_ENTRY: N_("没有条目"),
    SignalKind.NO_RESULT: N_("搜不到"),
    SignalKind.WRONG: N_("答案有误"),
    SignalKind.REVIEW: N_("单位要求修改"),
}
STATES: Final = {
    TaskState.OPEN: N_("待处理"),
    TaskState.STARTED: N_("处理中"),
    TaskState.DONE: N_("已完成"),
    TaskState.DROPPED: N_("不处理"),
}
SORTS: Final = {Sort.OFTEN: N_("次数多的在前"), Sort.RECENT: N_("最近的在前")}


# ---- tasks


@bp.get("")
@roles(*EDITORS)
def listed() -> ResponseReturnValue:
    """Tasks by state and kind, a page at a time."""
    state = TaskState(_chosen("state", STATES) or TaskState.OPEN)
    kind = _chosen("kind", KINDS)
    sort = Sort(_chosen("sort", SORTS) or Sort.OFTEN)
    page = min(max(1, request.args.get("page", 1, type=int)), LAST_PAGE)

    def address(**other: Any) -> str:
        asked = {"state": state.value, "kind": kind, "sort": sort.value} | other
        return url_for("knowledge.floor.listed", **{name: value or None for name, value in asked.items()})

    with transaction() as session:
        counts = floor.counts(session)
        in_state = {one: sum(counts.get((one, of), 0) for of in KINDS) for one in STATES}
        count = counts.get((state, kind), 0) if kind else in_state[state]
        return render_template(
            "knowledge/floor_tasks.html",
            lines=floor.lines(session, state=state, kind=kind, sort=sort, page=page),
            count=count,
            nothing=not counts,
            offers=floor.count_offers(session),
            state_chips=[
                {"href": address(state=one.value), "word": word, "count": in_state[one], "on": one == state}
                for one, word in STATES.items()
            ],
            kind_chips=[
                {"href": address(kind=""), "word": "全部", "count": in_state[state], "on": not kind},
                *(
                    {
                        "href": address(kind=one.value),
                        "word": word,
                        "count": counts.get((state, one), 0),
                        "on": one == kind,
                    }
                    for one, word in KINDS.items()
                ),
            ],
            other_sort=[
                {"href": address(sort=one.value), "word": word, "on": one == sort} for one, word in SORTS.items()
            ],
            kinds=KINDS,
            state=state,
            page=page,
            newer=address(page=page - 1) if page > 1 else None,
            older=address(page=page + 1) if page * PER_PAGE < count else None,
        )


@bp.get("/tasks/<int:task_id>")
@roles(*EDITORS)
def opened(task_id: int) -> ResponseReturnValue:
    """What was asked, how often, what operators told instead, and which entries might answer it (``q``: others)."""
    with transaction() as session:
        return _task_page(session, floor.opened(session, task_id))


@bp.post("/tasks/<int:task_id>/draft")
@roles(*EDITORS)
def draft(task_id: int) -> ResponseReturnValue:
    """Write the text that does it, and go to the editor."""
    return _written(lambda session: learning.draft(session, task_id=task_id, **when()))


@bp.post("/tasks/<int:task_id>/merge")
@roles(*EDITORS)
def merge(task_id: int) -> ResponseReturnValue:
    """Let an entry answer it (``code``): its sentences stand as similar questions in the editor."""
    code = request.form.get("code", "")
    return _written(lambda session: learning.merge(session, task_id=task_id, code=code, **when()))


@bp.post("/tasks/<int:task_id>/finish")
@roles(*EDITORS)
def finish(task_id: int) -> ResponseReturnValue:
    """It is done without a text."""
    return _done(lambda session: tasks.finish(session, task_id=task_id, **when()), "已标为完成")


@bp.post("/tasks/<int:task_id>/reopen")
@roles(*EDITORS)
def reopen(task_id: int) -> ResponseReturnValue:
    """Something is to be done about it after all."""
    return _done(lambda session: tasks.reopen(session, task_id=task_id, **when()), "已重新列为待处理")


@bp.get("/tasks/<int:task_id>/drop")
@roles(*EDITORS)
def why_drop(task_id: int) -> ResponseReturnValue:
    """Ask for the reason, without script."""
    with transaction() as session:
        return _task_page(session, floor.opened(session, task_id), asked=True)


@bp.post("/tasks/<int:task_id>/drop")
@roles(*EDITORS)
def drop(task_id: int) -> ResponseReturnValue:
    """Nothing is done about it, for a reason."""
    reason = request.form.get("reason", "")
    undo = url_for("knowledge.floor.reopen", task_id=task_id)
    try:
        return _done(
            lambda session: tasks.drop(session, task_id=task_id, reason=reason, **when()), "已列为不处理", undo=undo
        )
    except Invalid as fault:
        with transaction() as session:
            page = _task_page(
                session,
                floor.opened(session, task_id),
                asked=True,
                typed=reason,
                error=str(fault.details.get("reason", "")),
            )
            return page, 422


# ---- offers


@bp.get("/offers")
@roles(*EDITORS)
def offered() -> ResponseReturnValue:
    """The words callers used for what an entry answered, by entry."""
    page = min(max(1, request.args.get("page", 1, type=int)), LAST_PAGE)
    with transaction() as session:
        found = floor.offered(session, page=page)
        more = page * PER_PAGE < floor.count_offered_entries(session)
        href = url_for("knowledge.floor.offered")
        return render_template(
            "knowledge/floor_offers.html",
            offered=found,
            count=floor.count_offers(session),
            page=page,
            newer=f"{href}?page={page - 1}" if page > 1 else None,
            older=f"{href}?page={page + 1}" if more else None,
        )


@bp.post("/offers")
@roles(*EDITORS)
def decide() -> ResponseReturnValue:
    """Take the chosen words as similar questions (``do`` = take), or say that they ask for something else."""
    chosen = [int(one) for one in request.form.getlist("offer") if one.isdecimal() and one.isascii()]
    taking = request.form.get("do") == "take"
    with transaction() as session:

        def act() -> ResponseReturnValue:
            if not chosen:
                raise Invalid("请先勾选市民的说法", offer="请先勾选")
            if not taking:
                offers.refuse(session, offer_ids=chosen, **when())
                undo = url_for("knowledge.floor.reconsider", offer=chosen)
                pages.toast(f"{len(chosen)} 句已记为不合适", undo=undo)
                return pages.go(url_for("knowledge.floor.offered"))
            versions = offers.take(session, offer_ids=chosen, **when())
            pages.toast(f"{len(chosen)} 句已加入修订稿，请提交审核")
            if len(versions) == 1:
                return pages.go(url_for("knowledge.editor.opened", version_id=versions[0].id))
            return pages.go(url_for("knowledge.entries.listed", show="mine"))

        return once(session, act)


@bp.post("/offers/reconsider")
@roles(*EDITORS)
def reconsider() -> ResponseReturnValue:
    """Take a refusal back (``offer`` in the address)."""
    chosen = request.args.getlist("offer", type=int)
    with transaction() as session:
        offers.reopen(session, offer_ids=chosen, **when())
        return pages.go(url_for("knowledge.floor.offered"))


# ---- what several routes share


def _chosen(name: str, known: dict[Any, str]) -> str:
    asked = request.args.get(name, "")
    return asked if asked in known else ""


def _task_page(session: Session, task: Opened, *, asked: bool = False, typed: str = "", error: str = "") -> str:
    text = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    entry = task.line.task.entry
    return render_template(
        "knowledge/floor_task.html",
        shown=task,
        line=task.line,
        task=task.line.task,
        kinds=KINDS,
        states=STATES,
        text=text,
        near=_near(session, task.line.task, text or task.line.typical),
        open_text=editing.open_version(session, entry) if entry is not None else None,
        asked=asked,
        typed=typed,
        error=error,
    )


def _near(session: Session, task: Task, text: str) -> list[Hit]:
    """Return the entries that might answer a task nobody has begun."""
    if task.state != TaskState.OPEN or task.entry_id is not None or not text:
        return []
    run = runtime()
    run.knowledge.refresh(session)
    return run.knowledge.search(text, limit=NEAR, on=run.today())


def _written(write: Callable[[Session], Version]) -> ResponseReturnValue:
    with transaction() as session:
        return once(session, lambda: pages.go(url_for("knowledge.editor.opened", version_id=write(session).id)))


def _done(act: Callable[[Session], object], said: str, *, undo: str | None = None) -> ResponseReturnValue:
    with transaction() as session:

        def answer() -> ResponseReturnValue:
            act(session)
            pages.toast(said, undo=undo)
            return pages.go(url_for("knowledge.floor.listed"))

        return once(session, answer)
