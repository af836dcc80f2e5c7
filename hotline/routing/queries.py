"""The model in use, what it proposes, and how often that was chosen. No personal data is in any of it."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.errors import Invalid
from hotline.routing.model import Model, Proposal, Question
from hotline.routing.models import RoutingModel, RoutingProposal

log = logging.getLogger(__name__)


class ModelInUse:
    """The newest model in use, kept in the memory of one process. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: int | None = None  # the newest model looked at, readable or not
        self._kept: tuple[int, Model] | None = None

    def current(self, session: Session) -> tuple[int, Model] | None:
        """Return the model in use with its id, read anew only when it is another than before; None when there is none.

        Costs one look at an index. One that cannot be read (damaged, or of another version) is told to the log once
        and counts as none until the next training: proposals are missed for a day, and nobody's page fails.
        """
        newest = session.scalar(
            select(RoutingModel.id).where(RoutingModel.active).order_by(RoutingModel.id.desc()).limit(1)
        )
        with self._lock:
            if newest != self._seen:
                self._kept = self._read(session, newest) if newest is not None else None
                self._seen = newest
            return self._kept

    def _read(self, session: Session, model_id: int) -> tuple[int, Model] | None:
        data = session.scalar(select(RoutingModel.data).where(RoutingModel.id == model_id))
        try:
            return model_id, Model.load(data or b"")
        except Invalid as fault:
            log.error("routing model %d cannot be read: %s", model_id, fault.message)
            return None

    def propose(self, session: Session, question: Question, *, title: str, text: str) -> Proposal | None:
        """Return what the model in use proposes for a message or a transcript; None without one, or without a clue."""
        kept = self.current(session)
        return kept[1].propose(question, title=title, text=text) if kept else None


def trained(session: Session, *, limit: int = 30) -> Sequence[RoutingModel]:
    """Return the latest models with their figures, the newest first, those that were not taken into use among them."""
    return session.scalars(select(RoutingModel).order_by(RoutingModel.id.desc()).limit(limit)).all()


# ---- how often it was right


@dataclass(slots=True)
class Line:
    """The orders that were sent under one label. A share without orders is None, never 0 or 100 %."""

    label: str
    orders: int = 0
    first: int = 0  # it was proposed first …
    among: int = 0  # … or at all
    returned: int = 0  # of a unit: orders that it gave back; of a category: orders that any unit gave back

    @property
    def first_share(self) -> float | None:
        """Share of the orders for which it was proposed first, 0 to 1."""
        return self.first / self.orders if self.orders else None

    @property
    def among_share(self) -> float | None:
        """Share of the orders for which it was proposed at all."""
        return self.among / self.orders if self.orders else None


@dataclass(frozen=True)
class Accuracy:
    """What was chosen against what was proposed. Lines with most orders first; ``confusions``: (proposed first,
    chosen) categories with how often, most frequent first."""

    categories: list[Line]
    units: list[Line]
    confusions: list[tuple[str, str, int]] = field(default_factory=list)

    def total(self, lines: Iterable[Line]) -> Line:
        """Return the sum of ``categories`` or of ``units``."""
        whole = Line("")
        for line in lines:
            whole.orders += line.orders
            whole.first += line.first
            whole.among += line.among
            whole.returned += line.returned
        return whole


def accuracy(session: Session, *, since: datetime, until: datetime) -> Accuracy:
    """Return how often the choice of the dispatcher was what had been proposed, for orders chosen in the period
    (``until`` not included). What nothing was proposed for does not count."""
    rows = session.scalars(
        select(RoutingProposal).where(RoutingProposal.chosen_at >= since, RoutingProposal.chosen_at < until)
    )
    categories: dict[str, Line] = {}
    units: dict[str, Line] = {}
    confused: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        if row.chosen_category and row.categories:
            proposed = [one["label"] for one in row.categories]
            line = _count(categories, row.chosen_category, proposed)
            line.returned += bool(row.returned_by)
            if proposed[0] != row.chosen_category:
                confused[proposed[0], row.chosen_category] += 1
        if row.chosen_unit and row.units:
            _count(units, row.chosen_unit, [one["label"] for one in row.units])
        for unit in set(row.returned_by):
            units.setdefault(unit, Line(unit)).returned += 1
    return Accuracy(
        categories=_most_first(categories),
        units=_most_first(units),
        confusions=sorted(((*pair, times) for pair, times in confused.items()), key=lambda one: (-one[2], one[:2])),
    )


def _count(lines: dict[str, Line], label: str, proposed: Sequence[str]) -> Line:
    line = lines.setdefault(label, Line(label))
    line.orders += 1
    line.first += proposed[0] == label
    line.among += label in proposed
    return line


def _most_first(lines: dict[str, Line]) -> list[Line]:
    return sorted(lines.values(), key=lambda line: (-line.orders, -line.returned, line.label))
