"""An order and its life as programs read them, as far as the asker may see."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.callers.numbers import mask_contact
from hotline.units.models import Unit
from hotline.web.order_acts import allowed
from hotline.work_orders import batches, evidence, queries
from hotline.work_orders.models import BatchItem, OrderFile, SubOrder, WorkOrder
from hotline.work_orders.releasing import words_for
from hotline.work_orders.story import story


def whole(session: Session, order: WorkOrder, actor: Actor) -> dict[str, Any]:
    """Return one order, with what this actor may do to it now."""
    who, said = queries.caller_view(order, actor), words_for(order, actor)
    lead = session.get(Unit, order.lead_unit_id) if order.lead_unit_id else None
    return {
        "order_no": order.order_no,
        "status": order.status,
        "demand_type": order.demand_type,
        "category_code": order.category_code,
        "urgency": order.urgency,
        "confidential": order.confidential,
        "title": said.title,
        "content": said.content,
        "desired_result": said.desired_result,
        "area_code": order.area_code,
        "address": order.address,
        "event_time": said.event_time,
        "caller": {"name": who.name, "phone": who.phone, "kind": who.kind} if who else None,
        "lead_unit": lead.code if lead else None,
        "sub_orders": [
            {
                "unit": sub.unit.code,
                "unit_name": sub.unit.name,
                "tier": sub.tier,
                "part": sub.part,
                "state": sub.state,
                "deadline_at": sub.deadline_at.isoformat() if sub.deadline_at else None,
            }
            for sub in order.sub_orders
        ],
        "files": [file(row) for row in evidence.files_of(session, order, actor)],
        "submitted_at": order.submitted_at.isoformat() if order.submitted_at else None,
        "deadline_at": order.deadline_at.isoformat() if order.deadline_at else None,
        "deadline_provisional": order.deadline_provisional,
        "satisfaction": order.final_satisfaction or None,
        "solved": order.final_solved or None,
        "close_kind": order.close_kind or None,
        "closed_at": order.closed_at.isoformat() if order.closed_at else None,
        "households": _households(session, order),
        "actions": allowed(order, actor),
    }


def file(row: OrderFile) -> dict[str, Any]:
    """Return what a program learns of a photograph or paper."""
    return {"id": row.id, "kind": row.kind, "name": row.name, "type": row.mime, "size": row.size, "sha256": row.sha256}


def _households(session: Session, order: WorkOrder) -> dict[str, int] | None:
    told = batches.progress(session, order)
    return {"total": told.total, "done": told.done} if told.total else None


def household(one: BatchItem) -> dict[str, Any]:
    """Return what a program learns of one household of a batch order; its number masked."""
    return {
        "no": one.no,
        "name": one.name or "",
        "contact": mask_contact(one.contact),
        "place": one.place or "",
        "note": one.note or "",
        "done_at": one.done_at.isoformat() if one.done_at else None,
    }


def brief(sub: SubOrder) -> dict[str, Any]:
    """Return one line of a unit's list: its part of an order."""
    order = sub.order
    return {
        "order_no": order.order_no,
        "status": order.status,
        "title": words_for(order, None).title,
        "urgency": order.urgency,
        "part": sub.part,
        "state": sub.state,
        "assigned_at": sub.assigned_at.isoformat(),
        "sign_due_at": sub.sign_due_at.isoformat() if sub.sign_due_at else None,
        "deadline_at": sub.deadline_at.isoformat() if sub.deadline_at else None,
        "updated_at": order.updated_at.isoformat(),
    }


def events(session: Session, order: WorkOrder, actor: Actor) -> list[dict[str, Any]]:
    """Return the steps of an order, the first first."""
    return [
        {
            "seq": item.seq,
            "at": item.at.isoformat(),
            "action": item.action,
            "word": item.word,
            "who": item.who,
            "status": item.status,
            "facts": dict(item.facts),
            "notes": dict(item.notes),
        }
        for item in story(session, order, actor)
    ]
