"""What every route of the desk shares: who asks at which desk, and the page of a call with its parts."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from flask import current_app, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.assets import queries as assets
from hotline.calls import queries
from hotline.calls import service as calls
from hotline.calls.models import Call
from hotline.calls.states import PresenceState
from hotline.db import key_ring
from hotline.errors import NotFound
from hotline.knowledge_base.queries import missing_in
from hotline.reports import queries as reports
from hotline.web import desk, draft_form, pages
from hotline.web.access import the_actor, when
from hotline.web.context import runtime, transaction
from hotline.web.draft_form import City, DraftForm
from hotline.work_orders import duplicates
from hotline.work_orders import queries as orders
from hotline.work_orders.clock import start_of_local_day
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.proposal import AREA_DIGITS, unsure
from hotline.work_orders.refusing import CHANNELS
from hotline.work_orders.words import REFUSE_WORDS, SENSITIVE_WORDS

OPERATOR: Final = "OPR"
AWAY_REASONS: Final = ("小休", "用餐", "培训", "整理工单", "其他")
FIGURE_HOLDS: Final = timedelta(seconds=15)


def at_desk() -> dict[str, Any]:
    """Who acts, when, and at which desk: a browser's own token, so that two tabs of one browser are one desk."""
    if "desk" not in cookie:
        cookie["desk"] = secrets.token_urlsafe(16)
    return {**when(), "desk": cookie["desk"]}


def city(session: Session) -> City:
    """Units, kinds of matter and responsibility list of today, and the routing model in use."""
    run = runtime()
    return draft_form.city(session, now=run.now(), tz=run.settings.tz, routing=run.routing)


def talk(session: Session, call: Call) -> desk.Talk:
    """How a call stands for whoever asks."""
    return desk.talk(session, call, the_actor(), model=runtime().settings.speech_model, now=runtime().now())


def start_of_today() -> datetime:
    """The last midnight of the city."""
    return start_of_local_day(runtime().now(), runtime().settings.tz)


def bar(session: Session) -> dict[str, Any]:
    """What the bar shows."""
    seen = desk.bar(session, the_actor(), since=start_of_today(), now=runtime().now(), k1=_k1(session))
    return {"bar": seen, "away_reasons": AWAY_REASONS}


def _k1(session: Session) -> float | None:
    """The line's 15 s figure of today. Recounting a busy day for every desk at every hint would cost a core."""
    now = runtime().now()
    counted_at, share = current_app.extensions.get("desk_k1", (None, None))
    if counted_at is None or not timedelta() <= now - counted_at < FIGURE_HOLDS:
        share = reports.queue_figures(session, start_of_today(), now).k1
        current_app.extensions["desk_k1"] = (now, share)
    return share


def ringing(session: Session) -> desk.CallerCard | None:
    """Who is offered to whoever asks; None when nobody is."""
    held = queries.in_hand(session, the_actor())
    state = queries.presence_of(session, the_actor().user_id or 0)
    if held is None or state is None or state.state != PresenceState.OFFERED:
        return None
    return desk.caller_card(session, held, city(session))


def call_page(session: Session, found: Call, *, sent: dict[str, Any] | None = None, **more: Any) -> str:
    """The page of one own call. ``sent``: draft fields as they came, to show again; ``more``: ``faults sentence``."""
    here = city(session)
    form = draft_form.draft_form(session, found, here)
    settled = draft_form.orders_of(session, found)[1]
    drafting = not settled or form.order is not None or "more" in request.args or "faults" in more
    about = about_draft(session, form, here, sent)
    if not drafting:  # what is alike is then asked of the order itself
        about["alike"] = [
            one for one in _alike(session, settled[-1].category_code, settled[-1].area_code) if one not in settled
        ]
        about["likely"] = []
    return render_template(
        "desk/call.html",
        **{
            "call": found,
            "ringing": ringing(session),
            "talk": talk(session, found),
            "card": desk.caller_card(session, found, here),
            "said": queries.utterances(session, found.id),
            "answers": desk.answers(session, found),
            "missing": missing_in(session, found.id),
            "settled": settled,
            "drafting": drafting,
            "categories": desk.category_choices(here.categories),
            "areas": desk.area_choices(here.units),
            "sensitive": [("", "无"), *((kind.value, word) for kind, word in SENSITIVE_WORDS.items())],
            "grounds": [(ground.value, word, CHANNELS[ground]) for ground, word in REFUSE_WORDS.items()],
            "faults": {},
            **about,
            **bar(session),
            **more,
        },
    )


def about_draft(session: Session, form: DraftForm, here: City, sent: dict[str, Any] | None = None) -> dict[str, Any]:
    """What is said about a draft: form, proposed units, alike orders of today, when it was saved."""
    values = form.values | (sent or {})
    return {
        "form": form,
        "values": values,
        "proposed": (proposed := draft_form.proposed(session, values, here)),
        "asks": bool(proposed) and unsure(proposed),
        "alike": _alike(session, values["category_code"], values["area_code"]),
        "likely": _likely(session, values, form),
        "saved_at": form.order.updated_at if form.order is not None else None,
    }


def _likely(session: Session, values: Mapping[str, Any], form: DraftForm) -> list[duplicates.Likely]:
    """Earlier orders that may tell of the same matter as what is being written."""
    if not (values["content"] or values["asset_code"]):
        return []
    asset = assets.find(session, values["asset_code"])
    caller = form.order.caller if form.order is not None else None
    demand = duplicates.Demand(
        text=f"{values['title']}。{values['content']}",
        address=values["address"],
        area_code=values["area_code"],
        category_code=values["category_code"],
        asset_id=asset.id if asset else None,
        phone_indexes=tuple(key_ring().indexes(caller.phone)) if caller is not None and caller.phone else (),
        order_ids=form.own,
    )
    return duplicates.find(session, demand, now=runtime().now())


def _alike(session: Session, category_code: str, area_code: str) -> list[WorkOrder]:
    county_code = area_code[:AREA_DIGITS]
    found = orders.alike(session, category_code=category_code, county_code=county_code, since=start_of_today())
    return list(found)


def part(call_id: int, template: str, build: Callable[[Session, Call], dict[str, Any]]) -> ResponseReturnValue:
    """Answer with one part of a call's page; a call that is the operator's no more leads back to the desk."""
    with transaction() as session:
        try:
            found = desk.own_call(session, the_actor(), call_id)
        except NotFound:
            if not pages.is_htmx():
                raise
            pages.toast("这通电话已不在您手中", tone="soon")
            return pages.go(url_for("desk.page"))
        values = {"call": found, **build(session, found)}
        # a part fetched without htmx has nowhere to put toasts: they wait for the next page
        return pages.fragment(template, **values) if pages.is_htmx() else render_template(template, **values)


def settle(session: Session, found: Call, outcome: str) -> None:
    """Say what became of a call; one that went on to a colleague gets its outcome from them."""
    if found.operator_id == the_actor().user_id:
        calls.resolve(session, call_id=found.id, outcome=outcome, **when())


def beside(template: str, **values: Any) -> ResponseReturnValue:
    """Answer with something to read beside the call; a page of its own without script."""
    return render_template(template if pages.is_htmx() else "desk/peek.html", inner=template, **values)
