"""One order for many households (批量): a list of them, each done for itself, and one report for all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.errors import Invalid
from hotline.work_orders.models import BatchItem, WorkOrder
from hotline.work_orders.queries import Page
from hotline.work_orders.states import Action, Solved
from hotline.work_orders.steps import note, note_rule_for

MOST: Final = 20_000
PER_PAGE: Final = 200
FAULTS_TOLD: Final = 20
NOTE_AT_MOST: Final = 200
# what a list holds: the headings people give it, and how long it may be
HEADINGS: Final[dict[str, tuple[tuple[str, ...], int]]] = {
    "name": (("姓名", "户主", "户主姓名", "name"), 60),
    "contact": (("联系方式", "电话", "联系电话", "手机", "contact"), 60),
    "place": (("地址", "住址", "位置", "place"), 200),
    "note": (("备注", "说明", "note"), NOTE_AT_MOST),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How many households an order is for and how many are done."""

    total: int
    done: int

    @property
    def left(self) -> int:
        """How many are still to be done."""
        return self.total - self.done


def progress(session: Session, order: WorkOrder) -> Progress:
    """Return how far a batch order is; nothing of nothing for any other."""
    if not order.households:
        return Progress(0, 0)
    done = select(func.count(BatchItem.id)).where(BatchItem.order_id == order.id, BatchItem.done_at.is_not(None))
    return Progress(order.households, session.scalar(done) or 0)


def items(session: Session, order: WorkOrder) -> list[BatchItem]:
    """Return the households of an order in the order of the list. Whoever asks may see the order."""
    return list(session.scalars(select(BatchItem).where(BatchItem.order_id == order.id).order_by(BatchItem.no)))


def page_of(session: Session, order: WorkOrder, page: int) -> Page[BatchItem]:
    """Return one page of that list, the last one for a page beyond it. Whoever asks may see the order."""
    page = max(1, min(page, -(-order.households // PER_PAGE)))
    query = select(BatchItem).where(BatchItem.order_id == order.id).order_by(BatchItem.no)
    found = session.scalars(query.limit(PER_PAGE).offset((page - 1) * PER_PAGE)).all()
    return Page(found, order.households, page, PER_PAGE)


def list_households(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    rows: Iterable[tuple[int, Mapping[str, Any]]],
) -> int:
    """Write the list of households (line number, cells by heading) after those there are; returns how many came.

    The hub does it, or a unit that holds the order. All or nothing: raises ``Invalid`` whose ``lines`` say what is
    wrong with which line, or naming the ``file`` when it has no column that tells a household from another.
    """
    note_rule_for(order, Action.LIST_HOUSEHOLDS, actor, now)
    there = items(session, order)
    read = list(_read(rows, known={_who(one.name, one.contact, one.place) for one in there}))
    faults = [f"第 {line} 行：{fault}" for line, _, fault in read if fault]
    if not read:
        raise Invalid("名单里没有一户", file="名单里没有一户")
    if faults:
        more = f"……共 {len(faults)} 行有误" if len(faults) > FAULTS_TOLD else ""
        raise Invalid("名单没有写入，请改好后再传", file=f"{len(faults)} 行有误", lines=[*faults[:FAULTS_TOLD], more])
    if len(there) + len(read) > MOST:
        raise Invalid(f"一张工单最多 {MOST} 户", file=f"最多 {MOST} 户")
    session.add_all(
        BatchItem(order_id=order.id, no=no, **cells) for no, (_, cells, _) in enumerate(read, start=len(there) + 1)
    )
    order.households = len(there) + len(read)
    data = {"households": order.households, "added": len(read)}
    note(session, order, Action.LIST_HOUSEHOLDS, actor=actor, now=now, data=data)
    return len(read)


def settle_households(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    numbers: Collection[int] | None = None,
    text: str = "",
) -> Progress:
    """Say that these households are done (``None``: all that are left), by a unit that holds the order.

    ``text`` is kept beside each of them. One done before stays as it was. Raises ``Invalid`` for a number that is not
    in the list, or when nothing would be left to do.
    """
    note_rule_for(order, Action.SETTLE_HOUSEHOLDS, actor, now)
    if len(text.strip()) > NOTE_AT_MOST:
        raise Invalid(f"说明最多 {NOTE_AT_MOST} 字", text=f"最多 {NOTE_AT_MOST} 字")
    there = {one.no: one for one in items(session, order)}
    if unknown := sorted(set(numbers or ()) - there.keys()):
        raise Invalid(f"名单里没有第 {unknown[0]} 户", numbers=f"名单里没有第 {unknown[0]} 户")
    wanted = [there[no] for no in (there if numbers is None else numbers)]
    left = [one for one in wanted if one.done_at is None]
    if not left:
        raise Invalid("请选择还没有办完的户", numbers="请选择还没有办完的户")
    for one in left:
        one.done_at, one.done_by = now, actor.user_id
        one.note = text.strip() or one.note
    session.flush()
    told = progress(session, order)
    data = {"households": told.total, "households_done": told.done, "settled": len(left)}
    note(session, order, Action.SETTLE_HOUSEHOLDS, actor=actor, now=now, data=data, private={"text": text.strip()})
    return told


def of_report(session: Session, order: WorkOrder, solved: str) -> dict[str, int]:
    """Return what a report of a batch order says besides; ``Invalid`` where it calls solved what is not done yet."""
    told = progress(session, order)
    if not told.total:
        return {}
    if solved == Solved.YES and told.left:
        fault = f"还有 {told.left} 户没有办完（共 {told.total} 户），不能填“已解决”"
        raise Invalid(fault, solved=fault)
    return {"households": told.total, "households_done": told.done}


def _read(
    rows: Iterable[tuple[int, Mapping[str, Any]]], *, known: set[tuple[str, ...]]
) -> Iterator[tuple[int, dict[str, str], str]]:
    """Yield (line, cells by field, what is wrong or "")."""
    seen = set(known)
    for line, raw in rows:
        named = {str(heading).strip(): str(cell or "").strip() for heading, cell in raw.items()}
        cells = {
            field: next((named[word] for word in words if word in named), "") for field, (words, _) in HEADINGS.items()
        }
        if not any(cells.values()):
            continue
        who = _who(cells["name"], cells["contact"], cells["place"])
        long = (field for field, cell in cells.items() if len(cell) > HEADINGS[field][1])
        fault = next((f"{HEADINGS[field][0][0]}最多 {HEADINGS[field][1]} 字" for field in long), "")
        if not (cells["name"] or cells["place"]):
            fault = "请填写姓名或地址"
        elif who in seen:
            fault = "与前面的一户相同"
        seen.add(who)
        yield line, cells, fault


def _who(name: str | None, contact: str | None, place: str | None) -> tuple[str, ...]:
    return name or "", contact or "", place or ""
