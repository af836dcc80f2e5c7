"""Notices by mail, through the site's own mail server. A mail names the order and never what it is about."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Final
from urllib.parse import unquote, urlsplit

from hotline.delivery.base import Parcel, PermanentFailure, TemporaryFailure

CHANNEL: Final = "email"
TIMEOUT_S: Final = 10.0
SMTPS: Final = "smtps"
STARTTLS: Final = "smtp+starttls"
SCHEMES: Final = (SMTPS, STARTTLS)


@dataclass(frozen=True, slots=True)
class EmailSender:
    """``url``: ``smtps://user:password@host:465`` or ``smtp+starttls://…:587``; a letter never travels in the clear.

    A repeated try carries the same Message-ID, by which a mailbox knows it.
    """

    url: str = field(repr=False)
    sender: str
    now: Callable[[], datetime]
    timeout_s: float = TIMEOUT_S
    channel: str = CHANNEL

    def send(self, parcel: Parcel) -> str:
        """Mail the body. Returns the Message-ID."""
        if not self.url or not self.sender:
            raise PermanentFailure("没有设置邮件服务器（HOTLINE_SMTP_URL、HOTLINE_MAIL_FROM）")
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self.sender, parcel.address, parcel.subject
        mail["Date"] = format_datetime(self.now())
        mail["Message-ID"] = f"<{parcel.token}@{parseaddr(self.sender)[1].partition('@')[2]}>"
        mail.set_content(parcel.body, cte="base64")  # a relay may know seven bits only
        try:
            with self._server() as server:
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as fault:
            code, told = next(iter(fault.recipients.values()))
            raise _failure(code, told) from fault
        except smtplib.SMTPResponseException as fault:
            raise _failure(fault.smtp_code, fault.smtp_error) from fault
        except ssl.SSLCertVerificationError as fault:
            raise PermanentFailure(f"邮件服务器的证书不可信：{fault.verify_message}") from fault
        except smtplib.SMTPNotSupportedError as fault:
            raise PermanentFailure("邮件服务器不支持加密或所需的登录方式") from fault
        except (OSError, smtplib.SMTPException) as fault:
            raise TemporaryFailure(f"邮件服务器无应答：{type(fault).__name__}") from fault
        return str(mail["Message-ID"])

    @contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        parts = urlsplit(self.url)
        host, context = parts.hostname or "", ssl.create_default_context()
        server: smtplib.SMTP
        if parts.scheme == SMTPS:
            server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=self.timeout_s, context=context)
        else:
            server = smtplib.SMTP(host, parts.port or 587, timeout=self.timeout_s)
        try:
            if parts.scheme != SMTPS:
                server.starttls(context=context)
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            yield server
            with suppress(OSError, smtplib.SMTPException):  # the letter is taken: a farewell gone wrong changes nothing
                server.quit()
        finally:
            server.close()


def _failure(code: int, told: bytes | str) -> Exception:
    """Return what an SMTP reply means: 4xx passes, 5xx does not."""
    words = told.decode("utf-8", "replace") if isinstance(told, bytes) else told
    if 400 <= code < 500:
        return TemporaryFailure(f"邮件服务器暂时不收：{code} {words}")
    return PermanentFailure(f"邮件服务器拒收：{code} {words}")
