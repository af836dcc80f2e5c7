"""Every page in a real browser: readable and usable for all, wide and narrow, light and dark, and no complaint."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, ViewportSize
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from hotline.accounts.models import User
from hotline.accounts.service import Actor, actor_of
from hotline.app import create_app
from hotline.bootstrap import Runtime
from hotline.calls import assignment, service
from hotline.calls.events import leg_on
from hotline.calls.models import Call
from hotline.calls.states import Track
from hotline.db import KeyRing, make_engine, session_scope
from hotline.errors import Unavailable
from hotline.gazetteer.service import put_place
from hotline.knowledge_base import attachments, editing, synonyms
from hotline.knowledge_base.content import Content
from hotline.outbox import OutboxMessage
from hotline.units import queries as units
from hotline.web.access import PUBLIC, roles
from hotline.work_orders import clock, evidence
from hotline.work_orders import queries as orders
from hotline.work_orders.rules import put_profile
from tests.architecture.conftest import House, build_house
from tests.conftest import NOON
from tests.databases import MakeDatabase
from tests.factories import calls as make
from tests.factories.pictures import photo
from tests.web.shared.browser import Browser as FormBrowser
from tests.web.shared.styleguide import add_page, serving
from workers import imports, process

pytestmark = pytest.mark.browser

AXE: Final = next((Path(__file__).parents[1] / "vendor").glob("axe-core-*/axe.min.js"))
WIDE: Final[ViewportSize] = {"width": 1440, "height": 900}
NARROW: Final[ViewportSize] = {"width": 390, "height": 844}
# everything once; then what another width or scheme could spoil. The telephone comes last: thumbs are measured there
LOOKS: Final[tuple[tuple[ViewportSize, Literal["light", "dark"], list[str]], ...]] = (
    (WIDE, "light", []),
    (WIDE, "dark", ["color-contrast"]),
    (NARROW, "dark", ["color-contrast"]),
    (NARROW, "light", ["scrollable-region-focusable", "target-size", "aria-hidden-focus", "meta-viewport", "region"]),
)
DESK: Final = "desk-1"  # what the factories call the browser an operator works in
SAID: Final = (
    ("caller", "我们小区停水两天了，在桃城区永兴路五洲国际"),
    ("operator", "请问是几号楼"),
    ("caller", "五号楼三单元，家里有老人，请尽快处理"),
)

THUMB: Final = 44  # px
REFUSED: Final = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.refused.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
# what is pressed and not read: a link within a sentence may be as high as its line
TOO_SMALL: Final = """(least) => [...document.querySelectorAll(
    "button, summary, .btn, .chip, .back, .pick, .toggle, .card-row, select, textarea, " +
    "input:not([type=checkbox], [type=radio])")]
  .filter((node) => node.checkVisibility({visibilityProperty: true, contentVisibilityAuto: true}))
  .map((node) => [node, node.getBoundingClientRect()])
  .filter(([, at]) => at.width > 1 && (at.width < least - 0.5 || at.height < least - 0.5))
  .map(([node, at]) => `${node.tagName.toLowerCase()}.${node.className} ${node.textContent.trim().slice(0, 12)} ` +
    `(${Math.round(at.width)}x${Math.round(at.height)})`)"""

# GET routes that are no pages of their own; a fragment is examined inside the page it stands in
FILES: Final = (".csv", ".xlsx", ".<form>", ":form>")
NOT_PAGES: Final = {
    "/": "leads each person to where they work",
    "/static/<path:filename>": "files",
    "/healthz": "JSON",
    "/readyz": "JSON",
    "/metrics": "figures for Prometheus",
    "/live/stream": "a stream",
    "/media/stream": "a socket",
    "/api/v1/openapi.json": "JSON",
    "/api/v1/calls": "JSON",
    "/api/v1/knowledge/search": "JSON",
    "/api/v1/work-orders/<number>": "JSON",
    "/api/v1/work-orders/<number>/events": "JSON",
    "/api/unit/v1/openapi.json": "JSON",
    "/api/unit/v1/orders": "JSON",
    "/api/unit/v1/orders/<number>": "JSON",
    "/api/unit/v1/orders/<number>/events": "JSON",
    "/api/unit/v1/orders/<number>/households": "JSON",
    "/api/unit/v1/orders/<number>/files/<int:file_id>": "files",
    "/api/public/v1/openapi.json": "JSON",
    "/api/public/v1/categories": "JSON",
    "/api/public/v1/entries": "JSON",
    "/api/public/v1/entries/<path:code>": "JSON",
    "/api/public/v1/search": "JSON",
    "/answers/feed.atom": "a feed",
    "/answers/files/<int:file_id>/<path:code>": "files",
    "/answers/sitemap.xml": "a list for search engines",
    "/order-files/<number>/<int:file_id>": "files",
    "/order-files/<number>/<int:file_id>/small": "files",
    "/portal/orders/<number>/ask/lines": "a fragment of a form",
    "/portal/sw.js": "a script",
    "/portal/token": "JSON",
    "/robots.txt": "words for search engines",
    "/desk/ring": "a fragment of the desk",
    "/desk/calls/<int:call_id>/head": "a fragment of the desk",
    "/desk/calls/<int:call_id>/conversation": "a fragment of the desk",
    "/desk/calls/<int:call_id>/suggestions": "a fragment of the desk",
    "/desk/calls/<int:call_id>/filling": "a fragment of the desk",
    "/desk/calls/<int:call_id>/hold": "a fragment of the desk",
    "/desk/headset": "JSON",
    "/duty/<int:callback_id>/line": "a fragment of the duty desk",
    "/office/city": "leads to /office/city/setup",
    "/knowledge/drafts/<int:version_id>/beside": "a fragment of the editor",
    "/knowledge/entries/<int:entry_id>/files/<int:file_id>": "files",
}


@dataclass(frozen=True)
class Visit:
    """Somebody opens an address. ``who``: a key of ``Town.cookies``; ``seen``: what must be on the page."""

    who: str
    address: str
    seen: str = "main"
    status: int = 200
    kinds: frozenset[str] = frozenset()  # of things on the page


# pages that look different from case to case, or that only one person can open; {names} are those of ``Town.names``
CASES: Final = {
    "/answers/search": (
        Visit("", "/answers/search?q=路灯不亮", ".item"),
        Visit("", "/answers/search?q=🙂", ".none"),
    ),
    "/answers/category": (Visit("", "/answers/category?name=市政设施", ".item"),),
    "/answers/entry/<path:code>": (Visit("", "/answers/entry/K001", ".entry"),),
    "/desk": (
        Visit("away", "/desk", ".idle"),
        Visit("ready", "/desk", ".idle"),
        Visit("rung", "/desk", "#accept"),
        Visit("elsewhere", "/desk", status=409),
    ),
    "/desk/calls/<int:call_id>": (
        Visit("talking", "/desk/calls/{talking}", "[data-phase=talking]"),
        Visit("wrapping_up", "/desk/calls/{wrapping_up}", "[data-phase=wrap_up]"),
    ),
    "/desk/calls/<int:call_id>/earlier/<int:earlier_id>": (
        Visit("wrapping_up", "/desk/calls/{wrapping_up}/earlier/{earlier}"),
    ),
    "/desk/calls/<int:call_id>/search": (Visit("talking", "/desk/calls/{talking}/search?q=停水"),),
    "/desk/calls/<int:call_id>/resolve": (Visit("talking", "/desk/calls/{talking}/resolve"),),
    "/desk/calls/<int:call_id>/refuse": (Visit("talking", "/desk/calls/{talking}/refuse"),),
    "/desk/calls/<int:call_id>/orders/<number>": (
        Visit("talking", "/desk/calls/{talking}/orders/{number}"),
        Visit("talking", "/desk/calls/{talking}/orders/{number}?same=1"),
    ),
    "/login": (Visit("", "/login"),),
    "/knowledge": (Visit("KBE", "/knowledge", ".kb-rows"), Visit("KBE", "/knowledge?show=ended", ".empty")),
    "/knowledge/drafts/<int:version_id>": (Visit("KBE", "/knowledge/drafts/{draft}", "#editor"),),
    "/knowledge/files/<token>": (Visit("KBE", "/knowledge/files/{answers}", "text=不能导入的行"),),
    "/knowledge/words/<int:synonym_id>": (Visit("KBE", "/knowledge/words/{synonym}", "form.form"),),
    "/knowledge/check": (Visit("SUP", "/knowledge/check", "[data-bulk]"),),
    "/knowledge/check/<int:version_id>": (
        Visit("SUP", "/knowledge/check/{checked}", ".diff ins"),
        Visit("KBE", "/knowledge/check/{checked}", "text=要由另一位同事发布"),
    ),
    "/knowledge/entries/<int:entry_id>/versions/<int:number>": (
        Visit("KBE", "/knowledge/entries/{revised}/versions/2", ".diff del"),
    ),
    "/office/orders/<number>/act/<name>": (
        Visit("SUP", "/office/orders/{number}/act/supervise", "form.form"),
        Visit("REV", "/office/orders/{number}/act/ask_info", "form.form"),
        Visit("OPR", "/office/orders/{number}/act/withdraw", "form.form"),
    ),
    "/office/accuracy": (
        Visit("SUP", "/office/accuracy", "text=派单模型"),
        Visit("REV", "/office/accuracy?days=90", ".chips"),
    ),
    "/office/alarms": (Visit("SUP", "/office/alarms", ".alarm-tries"),),
    "/office/roster": (Visit("SUP", "/office/roster", ".roster-week"),),
    "/office/phones": (
        Visit("ADM", "/office/phones?q=冀州镇", "text=开通电话办理"),
        Visit("ADM", "/office/phones"),
    ),
    "/portal": (
        Visit("U2", "/portal", ".with-board"),
        Visit("U3", "/portal?show=in_hand&filter=1&urgent=1", ".filters"),
        Visit("U3", "/portal?q=五洲国际", ".search-row"),
    ),
    "/portal/orders/<number>/ask/<kind>": (
        Visit("U3", "/portal/orders/{in_hand}/ask/return", ".line-pick"),
        *(Visit("U3", f"/portal/orders/{{in_hand}}/ask/{kind}", "form.form") for kind in ("extension", "progress")),
        Visit("U2", "/portal/orders/{in_hand}/ask/recall", "form.form"),
    ),
    "/portal/orders/<number>/report": (Visit("U3", "/portal/orders/{in_hand}/report", ".steps"),),
    "/portal/print": (Visit("U3", "/portal/print?number={in_hand}", ".sheet-of-paper"),),
    "/portal/phones": (Visit("U3L", "/portal/phones", "text=开通电话办理"),),
    "/portal/roster": (Visit("U3L", "/portal/roster", "#shift"), Visit("U2", "/portal/roster", ".roster-week")),
    "/office/requests/<int:request_id>": (Visit("REV", "/office/requests/{request_id}", "form.form"),),
    "/office/city/calendar/<day>": (Visit("ADM", "/office/city/calendar/2026-11-18"),),
    "/office/city/assets/<int:row_id>": (Visit("ADM", "/office/city/assets/1", "form"),),
    "/office/city/assets/<int:row_id>/history": (Visit("ADM", "/office/city/assets/1/history", ".story"),),
    "/office/city/gazetteer/<int:row_id>": (Visit("ADM", "/office/city/gazetteer/{place}", "form"),),
    "/office/city/gazetteer/<int:row_id>/history": (Visit("ADM", "/office/city/gazetteer/{place}/history", ".story"),),
    "/office/city/profiles/<string:row_id>": (Visit("ADM", "/office/city/profiles/hengshui", "form"),),
    "/office/city/profiles/<string:row_id>/history": (
        Visit("ADM", "/office/city/profiles/hengshui/history", ".story"),
    ),
    "/office/city/import/<name>": (Visit("ADM", "/office/city/import/units"),),
    "/office/city/import/<name>/<token>": (
        Visit("ADM", "/office/city/import/categories/{preview}", "text=没有编号为 ZZ 的分类"),
        Visit("ADM", "/office/city/import/numbers/{unreadable}", ".notice"),
    ),
    "/office/city/texts/<name>": (Visit("ADM", "/office/city/texts/accepted"),),
    "/office/city/texts/<name>/history": (Visit("ADM", "/office/city/texts/accepted/history"),),
}
CATEGORIES: Final = "分类编号,分类名称,上级分类编号\nYZ,邮政,\nYZ-KD,快递,YZ\nYZ-XX,,YZ\nYY,环,ZZ\n"
ANSWERS: Final = "问题,答案\n养犬证怎么办,带犬只免疫证明到派出所。\n没有答案的问题,\n"
ERRORS: Final = (
    Visit("", "/nowhere", status=404),
    Visit("", "/answers/nowhere", status=404),
    Visit("SUP", "/portal", status=403),
    Visit("SUP", "/unavailable", status=503),
    Visit("SUP", "/broken", status=500),
)
OURS: Final = {"unavailable", "broken"}  # routes of this test that fail on purpose


@dataclass
class Town:
    """The application over a seeded city: cookies of who visits, ids of what is there."""

    app: Flask
    house: House
    cookies: dict[str, str] = field(default_factory=dict)
    names: dict[str, object] = field(default_factory=dict)

    def let_in(self, key: str, user_id: int, desk: str = "") -> None:
        """Keep the cookie of a browser in which this user is logged in, perhaps at a desk already."""
        client = self.app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = f"{user_id}.1", True
            if desk:
                cookie["desk"] = desk
        found = client.get_cookie("hotline")
        assert found is not None
        self.cookies[key] = found.value

    def plain_visits(self, rule: Rule) -> list[Visit]:
        """Visits to a page that shows itself to some role: at its one address, or for every order. [] if to nobody."""
        access = self.house.access(rule.endpoint)
        numbers = self.house.numbers[::-1] if "<number>" in rule.rule else [""]
        for role in sorted(access if access != PUBLIC else [""]):
            client = self.app.test_client()
            if role:
                client.set_cookie("hotline", self.cookies[role])
            found = []
            for number in numbers:
                address = rule.rule.replace("<number>", number)
                address = re.sub(r"<int:(\w+)>", lambda name: str(self.house.ids.get(name[1], 1)), address)
                answer = client.get(address, headers={"Accept": "text/html"})
                if answer.status_code == 200 and answer.mimetype == "text/html" and "<html" in answer.text:
                    kinds = frozenset(re.findall(r'<\w+[^>]* class="([^"]*)"', answer.text))
                    found.append(Visit(role, address, kinds=kinds))
            if found:
                return found
        return []


def open_desks(session: Session, runtime: Runtime, town: Town) -> None:
    """Let one operator talk, one be in wrap-up, one be rung, one wait, one be away, one sit in another browser."""
    names = ("李敏", "王芳", "张静", "刘洋", "陈晨")
    away, talks, wraps, rung, waits = (make.operator(session, f"seat {name}", name=name) for name in names)

    def conversation(who: Actor) -> Call:
        call, *_ = make.talking(session, make.ready(session, who))
        for number, (track, text) in enumerate(SAID):
            leg = leg_on(session, call.id, Track(track))
            assert leg is not None
            at = 1000 + 4000 * number
            service.record_utterance(session, leg_id=leg.id, text=text, start_ms=at, end_ms=at + 3000, now=NOON)
        make.suggested(session, runtime.knowledge, call.id, SAID[0][1], NOON)
        return call

    talking = conversation(talks)
    over = conversation(wraps)
    service.end_call(session, call_id=over.id, actor=wraps, now=NOON + timedelta(minutes=3))
    make.ready(session, rung)
    ringing = make.waiting(session, phone="+8619900001236")
    assignment.run(session, now=NOON)
    make.ready(session, waits)
    town.names["number"] = town.house.numbers[2]  # in a unit's hands
    town.names |= {"talking": talking.id, "wrapping_up": over.id, "ringing": ringing.id}
    for key, who in {"away": away, "talking": talks, "wrapping_up": wraps, "rung": rung, "ready": waits}.items():
        town.let_in(key, who.user_id or 0, DESK)
    town.let_in("elsewhere", talks.user_id or 0, "another browser")


def keep_city(session: Session, town: Town) -> None:
    """Let the administrator add a place and limits of the city's own: their rows have pages."""
    actor = actor_of(session.get_one(User, town.house.staff["ADM"]))
    county = units.by_code(session, "HS-TC")
    place = put_place(
        session, actor=actor, now=NOON, name="五洲国际小区", kind="estate", county=county, aliases=["五洲"]
    )
    shipped = json.loads((Path(clock.__file__).parent / "profiles" / "hebei-default.json").read_text("utf-8"))
    put_profile(
        session,
        actor=actor,
        now=NOON,
        name="hengshui",
        title="衡水市办理时限",
        active_from=NOON.date(),
        rules={name: shipped[name] for name in ("handle", "steps", "redo")},
    )
    town.names["place"] = place.id


def write_knowledge(session: Session, town: Town) -> None:
    """Let an editor write one entry with everything in it, and hand in a new text of another."""
    actor = actor_of(session.get_one(User, town.house.staff["KBE"]))
    told = {"actor": actor, "now": NOON}
    full = Content(
        question="社保卡丢了怎么补办",
        answer="**先挂失**\n\n| 情形 | 材料 |\n| --- | --- |\n| 本人 | 身份证 |",
        similar=("社保卡掉了",),
        spoken="先挂失。",
        areas=("131102001",),
    )
    draft = editing.start(session, content=full, **told)
    file = attachments.add(session, entry_id=draft.entry_id, name="表.pdf", body=b"%PDF-1.7\n%%EOF", **told)
    full = replace(full, attachments=(file.id,))
    editing.save(session, version_id=draft.id, revision=draft.revision, content=full, **told)
    new = editing.revise(session, code="K001", **told)
    content = replace(Content.of(new.content), answer="请说明路灯在哪条路，一般 24 小时内修复。")
    new = editing.save(session, version_id=new.id, revision=new.revision, content=content, note="写明时限", **told)
    editing.submit(session, version_id=new.id, revision=new.revision, **told)
    row = synonyms.put(session, term="社保本", means="社保卡", **told)
    town.names |= {"draft": draft.id, "checked": new.id, "revised": new.entry_id, "synonym": row.id}


def bring_photos(session: Session, town: Town) -> None:
    """Let a township bring photographs of before and after."""
    number = town.names["in_hand"] = town.house.numbers[3]
    actor = actor_of(session.get_one(User, town.house.staff["U3"]))
    order = orders.visible_to(session, actor, number)
    for kind, width in (("before", 400), ("after", 401)):
        file = evidence.judged("现场.jpg", photo(width), kind)
        evidence.add(session, order=order, actor=actor, now=NOON, kind=kind, file=file)


def bring_files(runtime: Runtime, town: Town) -> None:
    """Let the administrator bring two files that were looked at and wait, one in part good and one that is no table,
    and an editor one of answers."""
    process.use(runtime)
    client = town.app.test_client()
    client.set_cookie("hotline", town.cookies["ADM"])
    admin = FormBrowser(client)
    for kind, name, body in (("categories", "preview", CATEGORIES), ("numbers", "unreadable", "不是表格")):
        admin.get(f"/office/city/import/{kind}")
        answer = admin.post(f"/office/city/import/{kind}", {"file": (io.BytesIO(body.encode()), "rows.csv")})
        assert answer.status_code == HTTPStatus.SEE_OTHER, answer.text
        town.names[name] = answer.headers["Location"].rpartition("/")[2]
    client = town.app.test_client()
    client.set_cookie("hotline", town.cookies["KBE"])
    editor = FormBrowser(client)
    editor.get("/knowledge/files")
    answer = editor.post("/knowledge/files", {"file": (io.BytesIO(ANSWERS.encode()), "answers.csv")})
    assert answer.status_code == HTTPStatus.SEE_OTHER, answer.text
    town.names["answers"] = answer.headers["Location"].rpartition("/")[2]
    with runtime.sessions() as session:
        rows = session.scalars(select(OutboxMessage.id).where(OutboxMessage.topic == "import.check")).all()
    for row in rows:
        imports.check_file(row)


@pytest.fixture(scope="module")
def town(keys: KeyRing, make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A city of this test's own: somebody in every role, orders at every stage, desks in every state."""
    engine = make_engine(make_database())
    house = build_house(engine)
    folder = tmp_path_factory.mktemp("town")
    settings = replace(house.runtime.settings, public_url="http://localhost", data_dir=folder)
    runtime = replace(house.runtime, settings=settings)
    app = create_app(runtime)
    app.extensions["hotline_lines"].heartbeat_s = 0.5  # a page that was left gives its line back soon

    def unavailable() -> str:
        raise Unavailable("话务平台暂时不可用，请稍后再试。")

    def broken() -> str:
        raise RuntimeError("a fault of ours")

    app.add_url_rule("/unavailable", "unavailable", roles()(unavailable))
    app.add_url_rule("/broken", "broken", roles()(broken))
    add_page(app)
    town = Town(
        app, replace(house, app=app), {"": ""}, {"earlier": house.ids["call_id"], "request_id": house.ids["request_id"]}
    )
    for role, user_id in house.staff.items():
        town.let_in(role, user_id)
    with session_scope(runtime.sessions) as session:
        open_desks(session, runtime, town)
        keep_city(session, town)
        write_knowledge(session, town)
        bring_photos(session, town)
    bring_files(runtime, town)
    yield town
    engine.dispose()


@pytest.fixture(scope="module")
def pages(town: Town) -> dict[str, list[Visit]]:
    """Every page there is with its visits."""
    rules = [rule for rule in town.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    return {
        rule.rule: list(CASES.get(rule.rule) or town.plain_visits(rule))
        for rule in sorted(rules, key=lambda rule: rule.rule)
        if rule.rule not in NOT_PAGES and rule.endpoint not in OURS and not rule.rule.endswith(FILES)
    }


def telling(pages: dict[str, list[Visit]]) -> Iterator[Visit]:
    """Leave out what shows no other kind of thing than pages of its shape before: another order, another city list."""
    known: dict[str, set[str]] = {}
    for rule, found in pages.items():
        shape = known.setdefault(re.sub(r"^/office/city/\w+", "/office/city", rule), set())
        for visit in found:
            if not visit.kinds or not visit.kinds <= shape:
                shape |= visit.kinds
                yield visit


class Visitor:
    """One Chromium, a page for each who visits; what it finds wrong is kept with where it found it."""

    def __init__(self, chrome: Browser, address: str, town: Town) -> None:
        self._address = address
        self._town = town
        self._chrome = chrome
        self._pages: dict[str, Page] = {}
        self._axe = AXE.read_text(encoding="utf-8")
        self._visit = Visit("", "")
        self.faults: list[str] = []

    def _page(self, who: str) -> Page:
        if who not in self._pages:
            # still, so that no colour is measured on its way to another
            context = self._chrome.new_context(viewport=WIDE, locale="zh-CN", reduced_motion="reduce")
            if who:
                context.add_cookies([{"name": "hotline", "value": self._town.cookies[who], "url": self._address}])
            page = self._pages[who] = context.new_page()
            page.add_init_script(REFUSED)
            page.add_init_script(self._axe)
            page.clock.set_fixed_time(NOON)  # the city's moment: "还剩 2小时" stays what the server said
            page.on("console", self._complained)
            page.on("response", self._came)
            page.on("pageerror", lambda fault: self.faults.append(f"{self._where}: script: {fault}"))
        return self._pages[who]

    @property
    def _where(self) -> str:
        return f"{self._visit.who or 'nobody'} {self._visit.address}"

    def _at(self, visit: Visit) -> str:
        return self._address + visit.address.format_map(self._town.names)

    def _complained(self, said: ConsoleMessage) -> None:
        expected = self._visit.status >= 400 and said.location.get("url") == self._at(self._visit)
        if said.type == "error" and not expected:
            self.faults.append(f"{self._where}: console: {said.text}")

    def _came(self, answer: Response) -> None:
        if answer.status >= 400 and answer.url != self._at(self._visit):
            self.faults.append(f"{self._where}: {answer.status} for {answer.url}")

    def open(self, visit: Visit) -> None:
        """Open the page, look at it wide and narrow, light and dark, with its dialogs."""
        page, self._visit = self._page(visit.who), visit
        where = self._where
        answer = page.goto(self._at(visit))
        assert answer is not None
        if answer.status != visit.status or page.locator(visit.seen).count() == 0:
            self.faults.append(f"{where}: {answer.status}, {visit.seen} not seen")
        for size, scheme, rules in LOOKS:
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            width = size["width"]
            self._examine(page, f"{where} at {width}, {scheme}", rules)
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if over > 0:
                self.faults.append(f"{where} at {width}: {over} px too wide")
        if visit.address.startswith(("/portal", "/answers")):
            self.faults += [f"{where}: {small} is too small for a thumb" for small in page.evaluate(TOO_SMALL, THUMB)]
        self.faults += [f"{where}: the policy refused {what}" for what in page.evaluate("window.refused")]
        for dialog in page.query_selector_all("dialog:not([open])"):
            dialog.evaluate("it => it.showModal()")
            self._examine(page, f"{where} dialog #{dialog.get_attribute('id')}", [], "dialog:modal")
            dialog.evaluate("it => it.close()")

    def _examine(self, page: Page, where: str, rules: list[str], part: str = "html") -> None:
        options: dict[str, Any] = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
        found = page.evaluate(
            """async ([part, options]) => (await axe.run(part, options)).violations
                .filter((one) => ["serious", "critical"].includes(one.impact))
                .map((one) => [one.id, one.nodes.map((node) => [node.target.join(" "), node.failureSummary])])""",
            [part, options],
        )
        for kind, nodes in found:
            self.faults += [f"{where}: {kind}: {target}: {' '.join(why.split())}" for target, why in nodes]


def test_every_page_has_a_visitor(town: Town, pages: dict[str, list[Visit]]) -> None:
    nobody_goes = [rule for rule, found in pages.items() if not found]
    assert nobody_goes == [], "give them a visit in CASES, or a word in NOT_PAGES"
    there = {rule.rule for rule in town.app.url_map.iter_rules()}
    assert {*NOT_PAGES, *CASES} - there == set()


def test_every_page_is_readable_usable_and_quiet_wide_and_narrow_light_and_dark(
    town: Town, pages: dict[str, list[Visit]], chrome: Browser
) -> None:
    with serving(town.app) as address:
        visitor = Visitor(chrome, address, town)
        for visit in (*telling(pages), *ERRORS):
            visitor.open(visit)
    assert not visitor.faults, "\n".join(["", *visitor.faults])
