"""Entries: the list, one entry with its history, writing, checking and publishing."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from hotline.knowledge_base.models import Entry
from hotline.web.access import roles
from hotline.web.context import transaction
from hotline.web.knowledge import EDITORS

bp = Blueprint("entries", __name__)


@bp.get("")
@roles(*EDITORS)
def listed() -> ResponseReturnValue:
    """Every entry, latest change first."""
    with transaction() as session:
        entries = session.scalars(select(Entry).order_by(Entry.updated_at.desc(), Entry.id.desc()).limit(50)).all()
        return render_template("knowledge/list.html", entries=entries)
