"""What every answer of the city's site leans on: the state of what is published, the day, the place, what is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TypeVar, cast
from urllib.parse import urljoin

from flask import Response, current_app, make_response, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline import __version__
from hotline.db import reading
from hotline.errors import Invalid, NotFound
from hotline.knowledge_base import answers, catalogue, editing, published
from hotline.knowledge_base.models import Attachment, Entry
from hotline.knowledge_base.published import State
from hotline.knowledge_base.search.finding import Found, find
from hotline.units import queries as units
from hotline.web import citizens
from hotline.web.context import runtime
from hotline.work_orders.clock import start_of_local_day
from hotline.work_orders.proposal import AREA_DIGITS, place_name

SHOWN: Final = 10
LONGEST: Final = 200  # characters of a search
LAST_PAGE: Final = 100_000
SUMMARY: Final = 120  # characters

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Places:
    """Names of the areas an entry may be limited to, and the counties to choose from."""

    names: Mapping[str, str]
    counties: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the state of what is shown, on which day, and where it shall hold (empty: anywhere)."""

    session: Session
    state: State
    today: date
    area: str
    places: Places

    def remembered(self, key: str, make: Callable[[], T]) -> T:
        """Return what ``make`` works out, once for each state, day and area. It must hold no rows of the session."""
        now = (self.state.seq, self.today)
        kept = current_app.extensions.get("public_answers")
        if kept is None or kept[0] != now:
            kept = current_app.extensions["public_answers"] = (now, {})
        known: dict[tuple[str, str], object] = kept[1]
        if (key, self.area) not in known:
            known[key, self.area] = make()
        return cast("T", known[key, self.area])


def answered(make: Callable[[Asked], ResponseReturnValue], *, hourly: bool = False) -> Response:
    """Answer by what was published at present. ``hourly``: it tells figures, which are counted up to the last hour."""
    run = runtime()
    today, hour = run.today(), this_hour()
    with reading(run.sessions) as session:
        state = published.state_of(session)
        # at midnight entries begin to hold and cease to
        changed_at = max(state.at, start_of_local_day(run.now(), run.settings.tz))
        tag = f"{state.seq}-{today:%Y%m%d}-{__version__}"
        if hourly:
            changed_at, tag = max(changed_at, hour), f"{tag}-{hour:%H}"

        def answer() -> Response:
            asked = Asked(session, state, today, "", Places({}, ()))
            places = asked.remembered("places", lambda: _places(session))
            return make_response(make(Asked(session, state, today, _area(places), places)))

        return citizens.kept_until_changed(answer, state=tag, changed_at=changed_at)


def this_hour() -> datetime:
    """Return the beginning of the present hour."""
    return runtime().now().replace(minute=0, second=0, microsecond=0)


def _places(session: Session) -> Places:
    found = [unit for unit in units.active_units(session) if unit.area_code]
    names = {unit.area_code: place_name(unit) for unit in found}
    return Places(names, tuple((code, names[code]) for code in sorted(names) if len(code) == AREA_DIGITS))


def _area(places: Places) -> str:
    area = request.args.get("area", "")
    if area and area not in places.names:
        raise Invalid("没有这个区划", area="没有这个区划")
    return area


def number_asked(name: str, default: int, most: int) -> int:
    """Return a whole number of the address; raises ``Invalid`` unless it is 1 to ``most``."""
    typed = request.args.get(name) or str(default)
    if typed.isascii() and typed.isdigit() and len(typed) < 7 and 1 <= int(typed) <= most:
        return int(typed)
    raise Invalid(f"{name} 应在 1 到 {most} 之间", **{name: f"1 到 {most}"})


def words_asked() -> str:
    """Return what is searched for; of anything too long its beginning."""
    return " ".join(request.args.get("q", "")[:LONGEST].split())


def hits_for(asked: Asked, words: str, limit: int) -> list[Found]:
    """Return what fits these words, best first; nothing for none."""
    if not words:
        return []
    run = runtime()
    return find(
        asked.session,
        words,
        index=run.knowledge,
        initials=run.initials,
        limit=limit,
        on=asked.today,
        area=asked.area,
        for_site=True,
    )


def categories(asked: Asked) -> list[tuple[str, int]]:
    """Return the categories with the number of their entries that hold there."""
    return asked.remembered("categories", lambda: published.categories(asked.session, on=asked.today, area=asked.area))


def entry_of(asked: Asked, code: str) -> Entry:
    """Return an entry of the site; raises ``NotFound``."""
    found = published.by_code(asked.session, code, on=asked.today) if "\0" not in code else None
    if found is None:
        raise NotFound("没有这条问答，或者它已经停用")
    return found


def owner_of(asked: Asked, found: Entry) -> str:
    """Return the name of the unit that answers for an entry; empty when that is the hub."""
    names = asked.remembered("units", lambda: {one.id: one.name for one in units.active_units(asked.session)})
    return names.get(found.owner_unit_id or 0, "")


def files_of(asked: Asked, found: Entry) -> list[Attachment]:
    """Return the files that go with an answer, without their bytes."""
    return catalogue.attachments(asked.session, editing.content_of(asked.session, found).attachments)


def absolute(endpoint: str, **values: Any) -> str:
    """Return a whole address, as people see it."""
    return urljoin(runtime().settings.public_url, url_for(endpoint, **values))


def summary(one: Entry) -> str:
    """Return the short form of an answer, or the beginning of the long one."""
    text = one.spoken or answers.plain(one.answer).replace("\n", " ")
    return text if len(text) <= SUMMARY else f"{text[:SUMMARY]}…"
