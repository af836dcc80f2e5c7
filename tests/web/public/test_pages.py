"""The city's site: what was published may be read by anyone and kept by anyone, and nothing else is ever told."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from hotline.accounts.roles import Role
from hotline.bootstrap import Runtime
from hotline.db import SessionFactory, session_scope
from hotline.knowledge_base import attachments, editing, service
from hotline.knowledge_base.content import Content
from hotline.knowledge_base.floor import suggestions
from hotline.knowledge_base.models import Entry
from hotline.knowledge_base.search.finding import Found
from tests.factories import calls as make
from tests.factories import people
from tests.factories.units import City
from tests.web.public.conftest import Change
from tests.web.staff import Clock, Staff

ATOM = {"a": "http://www.w3.org/2005/Atom", "at": "http://purl.org/atompub/tombstones/1.0"}
PAGES = ("/answers", "/answers/search?q=路灯", "/answers/category?name=市政设施", "/answers/entry/K1")
FILES = ("/answers/feed.atom", "/answers/sitemap.xml")
SECRETS = ("内部", "投诉座席", "K4", "取暖补贴", "K5", "停车办法", "K6")


def see(citizen: FlaskClient, path: str, **headers: str) -> TestResponse:
    return citizen.get(path, headers={"Accept": "text/html"} | headers)


def test_the_first_page_counts_what_everybody_may_read(citizen: FlaskClient) -> None:
    page = see(citizen, "/answers").text
    assert "<span>市政设施</span> <b>2</b>" in page and "<span>社会保障</span> <b>1</b>" in page


def test_nothing_internal_too_early_or_too_late_is_told_anywhere(citizen: FlaskClient) -> None:
    api = [f"/api/public/v1/{path}" for path in ("entries?size=100", "categories", "search?q=内部投诉座席怎么登记")]
    pages = [*PAGES, *FILES, *api, "/answers/search?q=停车办法取暖补贴", "/answers/category?name=市政设施"]
    for path in pages:
        answer = see(citizen, path, **{"HX-Request": "true"})
        assert answer.status_code == 200
        told = answer.text.replace("停车办法取暖补贴", "")
        assert not [word for word in SECRETS if word in told], path
    for code in ("K4", "K5", "K6", "K99", "K1/x", "%00"):
        assert see(citizen, f"/answers/entry/{code}").status_code == 404
        assert citizen.get(f"/api/public/v1/entries/{code}").status_code == 404
    assert see(citizen, "/answers/category?name=内部").status_code == 404


def test_one_entry_tells_its_answer_its_source_until_when_and_where_it_holds(citizen: FlaskClient) -> None:
    page = see(citizen, "/answers/entry/K1").text
    assert "<strong>任一</strong>" in page and "<li>带身份证</li>" in page
    assert "<script>alert" not in page and "&lt;script&gt;" in page
    assert 'href="https://www.example.gov.cn/card?a=1&amp;b=2"' in page
    assert "2026年1月1日起，至2027年12月31日" in page
    assert "冀州区政府" in page and "全市" in page


def test_files_of_an_answer_are_there_to_keep_and_no_others(
    citizen: FlaskClient, sessions: SessionFactory, here: City, runtime: Runtime, change: Change
) -> None:
    told = {"actor": here.supervisor, "now": runtime.now()}
    with session_scope(sessions) as session:
        draft = editing.revise(session, code="K1", **told)
        form, loose = (
            attachments.add(session, entry_id=draft.entry_id, name=name, body=b"%PDF-1.7\n%%EOF", **told)
            for name in ("补卡申请表.pdf", "内部.pdf")
        )
        content = replace(Content.of(draft.content), attachments=(form.id,))
        draft = editing.save(session, version_id=draft.id, revision=draft.revision, content=content, **told)
        editing.submit(session, version_id=draft.id, revision=draft.revision, **told)
        numbers, version, revision = (form.id, loose.id), draft.id, draft.revision
    assert "补卡申请表" not in see(citizen, "/answers/entry/K1").text  # not published yet
    with session_scope(sessions) as session:
        checker = told | {"actor": people.actor(session, Role.KBE), "today": runtime.today()}
        editing.publish(session, version_id=version, revision=revision, **checker)
    assert "补卡申请表.pdf" in see(citizen, "/answers/entry/K1").text
    [told_of] = citizen.get("/api/public/v1/entries/K1").json["files"]
    answer = see(citizen, told_of["url"].removeprefix("http://localhost"))
    assert (answer.status_code, answer.data[:4], answer.mimetype) == (200, b"%PDF", "application/pdf")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    for number, code in ((numbers[1], "K1"), (numbers[0], "K3"), (999, "K1")):
        assert see(citizen, f"/answers/files/{number}/{code}").status_code == 404
    with session_scope(sessions) as session:
        service.withdraw(session, code="K1", actor_id=None, now=runtime.now())
    assert see(citizen, f"/answers/files/{numbers[0]}/K1").status_code == 404


def test_where_somebody_lives_decides_what_they_find(citizen: FlaskClient) -> None:
    assert "路灯" in see(citizen, "/answers/category?name=市政设施").text
    assert "路灯" in see(citizen, "/answers/category?name=市政设施&area=131103").text
    there = see(citizen, "/answers/category?name=市政设施&area=131102").text
    assert "路灯" not in there and "井盖" in there
    part = {"HX-Request": "true"}
    assert "entry/K2" in see(citizen, "/answers/search?q=路灯不亮找谁修&area=131103", **part).text
    assert "entry/K2" not in see(citizen, "/answers/search?q=路灯不亮找谁修&area=131102", **part).text
    assert see(citizen, "/answers?area=990000").status_code == 422


def test_nobody_gets_a_cookie_not_even_who_brings_one(
    app: Flask, citizen: FlaskClient, staff: Staff, here: City
) -> None:
    member = staff(here.supervisor)
    with member.client.session_transaction() as cookie:
        cookie.permanent = True  # renewed with every answer everywhere else
    assert "Set-Cookie" in member.get("/office").headers
    for path in (*PAGES, *FILES, "/answers/nowhere", "/robots.txt", "/api/public/v1/entries"):
        for browser in (citizen, member.client):
            answer = see(browser, path)
            assert "Set-Cookie" not in answer.headers and "Cookie" not in answer.headers.get("Vary", ""), path
            assert "csrf" not in answer.text and here.supervisor.name not in answer.text, path


def test_what_did_not_change_is_not_sent_again_and_what_did_is(
    citizen: FlaskClient, change: Change, clock: Clock
) -> None:
    for path in (*PAGES, *FILES):
        clock.on(minutes=1)
        first = see(citizen, path)
        assert first.headers["Cache-Control"] == "public, max-age=60"
        again = see(citizen, path, **{"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert see(citizen, path, **{"If-Modified-Since": first.headers["Last-Modified"]}).status_code == 304
        change("K3", answer=f"请先远离，{path}")
        fresh = see(citizen, path, **{"If-None-Match": first.headers["ETag"]})
        assert fresh.status_code == 200 and fresh.headers["ETag"] != first.headers["ETag"]


def test_at_midnight_what_ceases_to_hold_is_gone_without_any_change(
    citizen: FlaskClient, change: Change, clock: Clock, runtime: Runtime
) -> None:
    change("K3", valid_to=runtime.today().isoformat())
    first = see(citizen, "/answers/category?name=市政设施")
    assert "井盖" in first.text
    clock.on(days=1)
    fresh = see(citizen, "/answers/category?name=市政设施", **{"If-None-Match": first.headers["ETag"]})
    assert fresh.status_code == 200 and "井盖" not in fresh.text


def test_a_part_for_htmx_is_kept_apart_from_the_page(citizen: FlaskClient) -> None:
    page = see(citizen, "/answers/search?q=路灯")
    part = see(citizen, "/answers/search?q=路灯", **{"HX-Request": "true", "If-None-Match": page.headers["ETag"]})
    assert part.status_code == 200 and "<html" not in part.text and "<mark>路灯</mark>" in part.text
    assert part.headers["Vary"] == "HX-Request"


def test_what_operators_answered_most_stands_first_after_the_hour(
    citizen: FlaskClient, here: City, sessions: SessionFactory, runtime: Runtime, clock: Clock
) -> None:
    with session_scope(sessions) as session:
        call, *_ = make.talking(session, make.ready(session, here.operator))
        found = Found(session.scalars(select(Entry).where(Entry.code == "K3")).one(), 0.9)
        row = suggestions.show(session, call_id=call.id, hits=[found], now=runtime.now())[0]
        suggestions.mark_used(session, suggestion_id=row.id, call_id=call.id, actor_id=None, now=runtime.now())
    assert "问得最多" not in see(citizen, "/answers").text
    clock.on(hours=1)
    page = see(citizen, "/answers").text
    assert "问得最多" in page and page.index("井盖丢失") < page.index("按分类看")


def test_the_feed_tells_what_changed_last_and_what_was_withdrawn(
    citizen: FlaskClient, change: Change, clock: Clock, sessions: SessionFactory, runtime: Runtime
) -> None:
    clock.on(minutes=5)
    change("K1", answer="改了<b>\ufffe")
    with session_scope(sessions) as session:
        service.withdraw(session, code="K3", actor_id=None, now=runtime.now() + timedelta(minutes=1))
        service.withdraw(session, code="K4", actor_id=None, now=runtime.now())
    answer = see(citizen, "/answers/feed.atom")
    assert answer.mimetype == "application/atom+xml"
    feed = ET.fromstring(answer.data)
    titles = [node.text for node in feed.findall("a:entry/a:title", ATOM)]
    assert titles == ["社保卡丢了怎么补办", "路灯不亮找谁修"]
    assert "&lt;b&gt;" in (feed.findtext("a:entry/a:content", "", ATOM))
    assert [node.get("ref") for node in feed.findall("at:deleted-entry", ATOM)] == ["http://localhost/answers/entry/K3"]


def test_search_engines_are_let_in_here_only(citizen: FlaskClient) -> None:
    rules = citizen.get("/robots.txt").text.splitlines()
    assert rules[1:4] == ["Allow: /answers", "Allow: /static/", "Disallow: /"]
    places = ET.fromstring(see(citizen, "/answers/sitemap.xml").data)
    assert len(places) == 4  # the first page and three entries


@pytest.mark.parametrize(
    "words",
    ["", "   ", "？！…。", "😀🙂", "\x00\x01\x1b[31m", "\ud800", "%", "'; DROP TABLE kb_entries", "x" * 5_000_000],
)
def test_whatever_is_searched_for_gets_a_page(citizen: FlaskClient, words: str) -> None:
    query = {"q": words.encode("utf-8", "surrogatepass")}
    for path in ("/answers/search", "/api/public/v1/search"):
        answer = citizen.get(path, query_string=query, headers={"Accept": "text/html"})
        assert answer.status_code == 200, answer.text[:300]


def test_a_wrong_address_leads_to_the_answers_and_not_to_the_log_in(citizen: FlaskClient) -> None:
    for answer in (see(citizen, "/answers/nowhere"), citizen.post("/answers", headers={"Accept": "text/html"})):
        assert answer.status_code in (404, 405)
        assert "看全部问答" in answer.text and "工作台" not in answer.text


def test_who_asks_too_often_waits(citizen: FlaskClient) -> None:
    for path in ("/answers/feed.atom", "/api/public/v1/categories"):
        tag = see(citizen, path).headers["ETag"]
        codes = {see(citizen, path, **{"If-None-Match": tag}).status_code for _ in range(1250)}
        assert codes == {304, 429}
