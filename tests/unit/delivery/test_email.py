"""Notices by mail, to a mail server that speaks TLS on loopback."""

from __future__ import annotations

import email
import email.policy
import ssl
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotline.delivery.base import Parcel, PermanentFailure, TemporaryFailure
from hotline.delivery.email import EmailSender
from tests import certificates
from tests.receivers import MailServer, mail_server

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
PARCEL = Parcel(
    token="t-1",
    address="duty@jz.example.gov.cn",
    subject="工单 2611-00042-7",
    body="【12345热线】您单位有新工单2611-00042-7。",
)


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    context, trusted = certificates.make(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    return context


def sender(here: MailServer, scheme: str = "smtps") -> EmailSender:
    url = f"{scheme}://hot%40line:pass%2Fword@127.0.0.1:{here.port}"
    return EmailSender(url, "12345热线 <hotline@example.gov.cn>", lambda: NOW, timeout_s=2.0)


@pytest.mark.parametrize(("scheme", "starttls"), [("smtps", False), ("smtp+starttls", True)])
def test_a_mail_travels_under_tls_and_is_known_by_its_token(tls: ssl.SSLContext, scheme: str, starttls: bool) -> None:
    with mail_server(tls, starttls=starttls) as here:
        first = sender(here, scheme).send(PARCEL)
        assert sender(here, scheme).send(PARCEL) == first == "<t-1@example.gov.cn>"
    one, again = (email.message_from_string(letter, policy=email.policy.default) for letter in here.letters)
    assert one["Message-ID"] == again["Message-ID"] == first
    assert (one["To"], one["Subject"]) == (PARCEL.address, PARCEL.subject)
    assert one.get_content().strip() == PARCEL.body
    assert b64decode(here.logins[0].split()[-1]) == b"\0hot@line\0pass/word"


def test_a_server_that_cannot_be_believed_gets_nothing(tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with mail_server(tls) as here:
        with pytest.raises(PermanentFailure, match="证书"):
            sender(here).send(PARCEL)
        assert here.letters == []


def test_a_server_without_tls_gets_neither_password_nor_mail(tls: ssl.SSLContext) -> None:
    with mail_server(tls, starttls=True) as here:
        here.replies["EHLO"] = "250 here"
        with pytest.raises(PermanentFailure, match="加密"):
            sender(here, "smtp+starttls").send(PARCEL)
        assert (here.logins, here.letters) == ([], [])


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "AUTH"])
@pytest.mark.parametrize(("code", "fault"), [(451, TemporaryFailure), (550, PermanentFailure)])
def test_4xx_passes_and_5xx_does_not(tls: ssl.SSLContext, verb: str, code: int, fault: type[Exception]) -> None:
    with mail_server(tls) as here:
        here.replies[verb] = f"{code} no such mailbox"
        with pytest.raises(fault, match=str(code)):
            sender(here).send(PARCEL)


def test_a_farewell_gone_wrong_does_not_make_a_taken_mail_a_failure(tls: ssl.SSLContext) -> None:
    with mail_server(tls) as here:
        here.replies["QUIT"] = "421 closing"
        assert sender(here).send(PARCEL) == "<t-1@example.gov.cn>"


def test_nobody_there_is_asked_again(tls: ssl.SSLContext) -> None:
    with mail_server(tls) as here:
        pass
    with pytest.raises(TemporaryFailure, match="无应答"):
        sender(here).send(PARCEL)


def test_without_a_mail_server_a_person_is_told_which_setting_is_missing() -> None:
    with pytest.raises(PermanentFailure, match="HOTLINE_SMTP_URL"):
        EmailSender("", "", lambda: NOW).send(PARCEL)
