"""Photographs on their way in and out: limits said in words, nothing kept that is refused, nobody else's opened."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from hotline.accounts.service import Actor
from hotline.db import SessionFactory, session_scope
from hotline.work_orders import evidence, queries, service
from hotline.work_orders.models import OrderFile
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories.orders import order_at
from tests.factories.pictures import BLUE, GREEN, photo
from tests.factories.units import City
from tests.web.shared.browser import Browser
from tests.web.staff import Staff

JSON = {"Accept": "application/json"}


@pytest.fixture
def number(sessions: SessionFactory, here: City) -> str:
    with session_scope(sessions) as session:
        return order_at(session, here, Status.IN_HAND_TIER3, assisting=True).order_no


def sent(browser: Browser, number: str, *files: tuple[str, bytes], kind: str = "after") -> TestResponse:
    data: dict[str, Any] = {"kind": kind, "files": [(io.BytesIO(body), name) for name, body in files]}
    return browser.post(f"/order-files/{number}", data, **JSON)


def brought(sessions: SessionFactory, number: str, actor: Actor, kind: str, body: bytes) -> int:
    with session_scope(sessions) as session:
        order = queries.visible_to(session, actor, number)
        file = evidence.judged("a.jpg", body, kind)
        return evidence.add(session, order=order, actor=actor, now=NOON, kind=kind, file=file).id


def count(sessions: SessionFactory) -> int:
    with sessions() as session:
        return session.scalar(select(func.count(OrderFile.id))) or 0


def test_a_photograph_is_kept_and_shown_to_nobody_s_cache(here: City, staff: Staff, number: str) -> None:
    township = staff(here.township_clerk)
    answer = sent(township, number, ("现场 1.jpg", photo(3000, 2000, gps=True)))
    assert answer.status_code == 200
    [told] = answer.json["files"]
    for address, side in ((told["href"], 2048), (told["small"], 320)):
        shown = township.get(address)
        with Image.open(io.BytesIO(shown.data)) as picture:
            assert (max(picture.size), dict(picture.getexif())) == (side, {})
        assert shown.headers["Cache-Control"] == "no-store"
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        assert shown.headers["Content-Disposition"].startswith("inline; filename*=UTF-8''%E7%8E%B0%E5%9C%BA")
        assert "sandbox" in shown.headers["Content-Security-Policy"]


def test_a_paper_is_only_ever_kept_never_shown(here: City, staff: Staff, number: str) -> None:
    township = staff(here.township_clerk)
    [told] = sent(township, number, ("通话记录.pdf", b"%PDF-1.4\n%%EOF"), kind="contact").json["files"]
    assert township.get(told["href"]).headers["Content-Disposition"].startswith("attachment")
    assert told["small"] is None


def test_nobody_opens_the_files_of_an_order_of_others(
    here: City, staff: Staff, sessions: SessionFactory, number: str
) -> None:
    after = brought(sessions, number, here.township_clerk, "after", photo())
    identity = brought(sessions, number, here.reviewer, "identity", photo(colour=BLUE))
    cases = {
        here.township_clerk: (200, 404),
        here.county_clerk: (200, 404),
        here.reviewer: (200, 200),
        here.power_clerk: (404, 404),  # assists: what is not reported is not theirs to see
        here.other_township_clerk: (404, 404),
        here.far_township_clerk: (404, 404),
        here.other_county_clerk: (404, 404),
    }
    for actor, expected in cases.items():
        browser = staff(actor)
        found = tuple(browser.get(f"/order-files/{number}/{row}").status_code for row in (after, identity))
        assert found == expected, actor
        assert browser.get(f"/order-files/{number}/{identity}/small").status_code == expected[1]
    for actor in (here.far_township_clerk, here.other_county_clerk, here.other_township_clerk):
        assert sent(staff(actor), number, ("a.jpg", photo())).status_code == 404
        assert staff(actor).post(f"/order-files/{number}/{after}/remove", **JSON).status_code == 404
    with session_scope(sessions) as session:
        other = order_at(session, here, Status.IN_HAND_TIER3).order_no
    assert staff(here.township_clerk).get(f"/order-files/{other}/{after}").status_code == 404  # of another order


def test_one_bad_file_of_several_keeps_none(here: City, staff: Staff, sessions: SessionFactory, number: str) -> None:
    answer = sent(staff(here.township_clerk), number, ("a.jpg", photo()), ("b.jpg", b"MZ not a picture"))
    assert answer.status_code == 422
    assert "b.jpg：内容不是JPEG 图片" in answer.json["error"]["message"]
    assert count(sessions) == 0


def test_two_hundred_photographs_are_refused_in_words(
    here: City, staff: Staff, sessions: SessionFactory, number: str
) -> None:
    small = photo(20, 20)
    answer = sent(staff(here.township_clerk), number, *((f"{at}.jpg", small) for at in range(200)))
    assert answer.status_code == 422
    assert answer.json["error"]["message"] == "一次最多 30 个文件，您选了 200 个，请分几次上传"
    assert count(sessions) == 0


class Video(io.RawIOBase):
    """Three hundred megabytes, made as they are asked for; counts how many were."""

    def __init__(self, head: bytes, size: int = 300 << 20) -> None:
        self.size, self.was_read, self._at, self._head = size, 0, 0, head

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        return self._at

    def readinto(self, room: Any) -> int:
        got = self._head[self._at : self._at + len(room)] or bytes(min(len(room), self.size - self._at))
        room[: len(got)] = got
        self._at += len(got)
        self.was_read += len(got)
        return len(got)


@pytest.mark.parametrize("told", [True, False], ids=["length told", "length not told"])
def test_a_video_of_three_hundred_megabytes_is_refused_unread(
    app: Flask, here: City, staff: Staff, sessions: SessionFactory, number: str, told: bool
) -> None:
    browser = staff(here.township_clerk)
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="v.mp4"\r\n\r\n'
    video = Video(head)
    answer = browser.client.post(
        f"/order-files/{number}",
        input_stream=video,
        content_type="multipart/form-data; boundary=b",
        headers={"X-CSRFToken": browser.token, **JSON},
        environ_overrides={} if told else {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True},
    )
    assert answer.status_code == 413
    assert "视频请勿上传" in answer.json["error"]["message"]
    assert video.was_read <= (0 if told else 26 << 20)
    assert count(sessions) == 0


def test_without_script_photographs_go_with_the_report(
    here: City, staff: Staff, sessions: SessionFactory, number: str
) -> None:
    township = staff(here.township_clerk)
    township.get(f"/portal/orders/{number}/report")
    fields: dict[str, Any] = {"contacted": "no", "solved": "yes", "public_reply": "已修复。", "process": "更换"}

    def pictures() -> Iterator[tuple[str, list[Any]]]:
        yield "files_before", [(io.BytesIO(photo(colour=BLUE)), "前.jpg")]
        yield "files_after", [(io.BytesIO(photo(colour=GREEN)), "后.jpg")]
        yield "files_contact", [(io.BytesIO(b""), "")]

    answer = township.post(f"/portal/orders/{number}/report", fields | dict(pictures()))
    assert answer.status_code == 303
    page = township.get(f"/portal/orders/{number}").text
    assert page.count('class="shot"') == 2
    assert page.index('alt="办理前') < page.index('alt="办理后')


def test_a_refused_photograph_leaves_what_was_typed(here: City, staff: Staff, number: str) -> None:
    township = staff(here.township_clerk)
    township.get(f"/portal/orders/{number}/report")
    fields = {"contacted": "no", "solved": "yes", "public_reply": "我写了很久的答复"}
    answer = township.post(
        f"/portal/orders/{number}/report", {**fields, "files_after": [(io.BytesIO(b"GIF89a"), "a.gif")]}
    )
    assert answer.status_code == 422
    assert "只能上传照片" in answer.text
    assert "我写了很久的答复" in answer.text


def test_what_was_brought_stands_on_the_form_and_can_be_taken_back(
    here: City, staff: Staff, sessions: SessionFactory, number: str
) -> None:
    file_id = brought(sessions, number, here.township_clerk, "after", photo())
    township = staff(here.township_clerk)
    assert f"/order-files/{number}/{file_id}/small" in township.get(f"/portal/orders/{number}/report").text
    back = f"/portal/orders/{number}/report"
    answer = township.post(f"/order-files/{number}/{file_id}/remove", {"back": back})
    assert (answer.status_code, answer.headers["Location"]) == (303, back)
    assert count(sessions) == 0


def test_what_changed_meanwhile_is_shown_before_anything_is_sent(
    here: City, staff: Staff, sessions: SessionFactory, number: str
) -> None:
    township = staff(here.township_clerk)
    form = township.get(f"/portal/orders/{number}/report").text
    seen = form.partition('name="seen" value="')[2].partition('"')[0]
    with session_scope(sessions) as session:
        from_power = queries.visible_to(session, here.power_clerk, number)
        service.sign(session, order=from_power, actor=here.power_clerk, now=NOON + timedelta(hours=1))
    fields = {"contacted": "no", "solved": "yes", "public_reply": "我写了很久的答复", "seen": seen}
    answer = township.post(f"/portal/orders/{number}/report", fields)
    assert answer.status_code == 409
    assert "您填写期间" in answer.text
    assert here.power.name in answer.text
    assert "我写了很久的答复" in answer.text
    told = township.post(f"/portal/orders/{number}/report", fields, **JSON)
    assert (told.status_code, told.json["error"]["details"]["seen"]) == (409, int(seen) + 1)
    assert township.post(f"/portal/orders/{number}/report", fields | {"seen": int(seen) + 1}).status_code == 303
