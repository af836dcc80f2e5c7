"""Every page, asked by everyone, for what is there, what is not, and nonsense: an answer, never a fault of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator

from werkzeug.routing import Rule

from hotline.accounts.roles import Role
from hotline.web.access import PUBLIC
from hotline.work_orders.drafting import DRAFT_FIELDS
from tests.architecture.conftest import House
from tests.web.shared.browser import Browser

PAGE = {"Accept": "text/html"}
HTMX = {"Accept": "text/html", "HX-Request": "true"}
FINE = {200, 204, 303, 400, 401, 403, 404, 422}

ODD = ("-1", "0", "1.5", "9" * 22, "zzz", "工单😀", "\x00", "' OR 1=1 --")
NAMES = (
    "page",
    "q",
    "before",
    "who",
    "act",
    "all",
    "after",
    "next",
    "name",
    "area",
    "category",
    "days",
    "sort",
    "kind",
    "since",
)
LISTS = {"/portal": ("to_sign", "in_hand", "done"), "/office/orders": ("",)}
FIELDS = (
    *DRAFT_FIELDS,
    *("lead", "other", "assisting", "advice", "unit", "due_at", "number", "note", "reason", "back", "field", "outcome"),
    *("contacted", "contacted_at", "contact_way", "solved", "unsolved_kind", "unsolved_reason", "public_reply"),
    *(
        "question",
        "answer",
        "similar",
        "spoken",
        "category",
        "owner_unit",
        "areas",
        "valid_from",
        "review_on",
        "revision",
    ),
    *("version", "words", "said", "next_on", "term", "means", "remark", "code", "offer", "sheet"),
    *("phone", "position", "username", "starts_at", "ends_at", "week", "shift"),
    *("process", "satisfaction", "reasons", "suggestion_id", "no_entry_reason", "name", "contact"),
    *("question", "similar", "answer", "spoken", "category", "owner_unit", "source", "source_url", "areas", "public"),
    *("files", "seen", "since", "kind"),
    *("verdict", "words", "correction", "missing", "ground", "channel", "into", "spoke_to", "result", "level"),
    *("unit_id", "reply_due", "leader", "text", "fact", "read_back_ok"),
    *("title", "held_at", "place", "attendants", "question", "lead_unit", "off", "cancel"),
    *("attachments", "valid_from", "valid_to", "review_on", "revision", "base", "remark", "version", "like"),
)
STAFF = ("/desk", "/duty", "/knowledge", "/office", "/portal", "/order-files")
BUSY = {"OPR", "REV", "CBK", "U2"}  # whose pages have most on them


def pages(house: House) -> list[Rule]:
    """Return every GET route people open in a browser; an open live line and files have tests of their own."""
    own = ("/static/", "/live/", "/media/", "/api/")
    rules = [rule for rule in house.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    return [rule for rule in rules if not rule.rule.startswith(own)]


def addresses(house: House, rule: Rule) -> list[str]:
    """Return the addresses of a route for everything there is to name."""
    if "<number>" in rule.rule:
        of_order = re.sub(r"<int:(\w+)>", lambda name: str(house.ids.get(name[1], 1)), rule.rule)
        return [of_order.replace("<number>", number) for number in house.numbers]
    if rule.rule == "/answers/category":
        return [f"{rule.rule}?name={house.answer.category}"]
    if "<path:code>" in rule.rule:
        return [rule.rule.replace("<path:code>", house.answer.code)]
    return [re.sub(r"<int:(\w+)>", lambda name: str(house.ids.get(name[1], 1)), rule.rule)]


def strange_addresses(rule: Rule) -> Iterator[str]:
    """Return addresses of a route for what is not there."""
    for odd in ("0", "9" * 22, "9" * 5000, "2611-99999-0", "%00", "%E5%B7%A5", "%FF"):
        if "<" in rule.rule:
            yield re.sub(r"<[^>]*>", odd, rule.rule)


def test_every_page_answers_every_role_and_nobody(house: House) -> None:
    faults = []
    for role in (None, *Role):
        client = house.visitor(role)
        for rule in pages(house):
            access = house.access(rule.endpoint)
            may = access == PUBLIC or role in access
            for address in addresses(house, rule) if may else addresses(house, rule)[:1]:
                status = client.get(address, headers=PAGE).status_code
                if access == PUBLIC:
                    right = {200, 303, *([404] if "file_id" in rule.rule else [])}  # no entry of the demo has files
                elif may:
                    right = {200, 204, 303, 404}  # 404: another one's, or none
                else:
                    right = {303 if role is None else 403}  # nobody is led to the door
                if status not in right:
                    faults.append((role, address, status))
    assert faults == []


def test_no_page_breaks_on_nonsense(house: House) -> None:
    faults = []
    for rule in pages(house):
        access = house.access(rule.endpoint)
        client = house.visitor(None if access == PUBLIC else min(access & BUSY or access))
        good = addresses(house, rule)[0].partition("?")[0]
        asked = [(good, query) for odd in ODD for query in (dict.fromkeys(NAMES, odd), {"show": odd})]
        if rule.rule in LISTS:
            asked += [(good, {"show": show, "page": page}) for show in LISTS[rule.rule] for page in ("-1", "9" * 22)]
        asked += [(address, {}) for address in strange_addresses(rule)]
        for address, query in asked:
            status = client.get(address, query_string=query, headers=PAGE).status_code
            if status not in FINE:
                faults.append((rule.rule, address[:40], str(query)[:60], status))
    assert faults == []


def test_a_large_address_and_fragments_break_nothing(house: House) -> None:
    for rule in pages(house):
        access = house.access(rule.endpoint)
        client = house.visitor(None if access == PUBLIC else min(access & BUSY or access))
        for query in ({"q": "😀" * 2_500}, {"page": "9" * 5_000}, {}):
            address = addresses(house, rule)[0].partition("?")[0]
            status = client.get(address, query_string=query, headers=HTMX).status_code
            assert status in FINE, (rule.rule, status)


def test_no_form_breaks_on_nonsense(house: House) -> None:
    faults = []
    for rule in house.app.url_map.iter_rules():
        if "POST" not in (rule.methods or ()) or not rule.rule.startswith(STAFF):
            continue
        browser = Browser(house.visitor(min(house.access(rule.endpoint) & BUSY or house.access(rule.endpoint))))
        browser.get("/password")  # a page with the form's token
        address = re.sub(r"<any\((\w+)[^>]*>", r"\1", addresses(house, rule)[-1])
        for odd in ("9" * 22, "工单😀" * 300, "\x00", "0001-01-01T00:00"):
            answer = browser.post(address, dict.fromkeys(FIELDS, odd))
            if answer.status_code not in FINE | {409, 503}:  # 503: the carrier refused the absurd
                faults.append((rule.rule, odd[:12], answer.status_code))
    assert faults == []
