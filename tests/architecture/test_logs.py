"""What a person says or writes stays out of the logs."""

from __future__ import annotations

import pytest

from tests.architecture.conftest import House
from tests.factories import calls as make
from tests.web.ivr.conftest import Carrier

NUMBER = "+8619900005678"
WORDS = "我叫王小明，住在永兴路5号楼，请回电"


def test_a_call_and_a_text_leave_no_number_and_no_word_in_the_log(
    house: House, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    carrier, sid = Carrier(house.app.test_client()), make.sid()
    heard = carrier.ask("/ivr/voice", sid, From=NUMBER)
    carrier.ask(carrier.follow(heard, "Enqueue", "waitUrl"), sid, From=NUMBER)
    ended = {"CallSid": sid, "From": NUMBER, "To": "12345", "CallStatus": "completed"}
    assert carrier.post("/ivr/status", ended).status_code == 200
    text = {"MessageSid": "SM" + "0" * 32, "From": NUMBER, "To": "12345", "Body": WORDS}
    assert carrier.post("/ivr/message", text).status_code == 200
    assert carrier.post("/ivr/message", text | {"MessageSid": ""}).status_code == 400
    logged = caplog.text + "".join(capsys.readouterr())
    assert "/ivr/message" in logged
    for secret in (NUMBER, NUMBER[3:], WORDS, "王小明"):
        assert secret not in logged


def test_a_page_asked_with_personal_words_leaves_none_in_the_log(
    house: House, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    client = house.visitor("REV")
    client.get("/office/orders", query_string={"q": "王小明"})
    client.get("/office/orders/王小明")
    client.get("/19900005678")
    logged = caplog.text + "".join(capsys.readouterr())
    assert "/office/orders" in logged
    assert "王小明" not in logged and NUMBER[3:] not in logged
