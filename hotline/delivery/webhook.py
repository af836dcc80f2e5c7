"""Pushes to a unit's own system: a signed POST to an address of the list, and nowhere it may lead to.

The receiver checks ``X-Hotline-Signature``: hex HMAC-SHA256 of ``X-Hotline-Time``, a full stop and the body, with the
secret of the unit. The same ``Idempotency-Key`` twice is the same push. The body holds no personal data: what the unit
may see of the order it asks for through ``/api/unit/v1``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from time import monotonic
from typing import Any, Final

from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError

from hotline import __version__
from hotline.delivery.allowed import Allowed, NotAllowed, Target, parse
from hotline.delivery.base import Parcel, PermanentFailure, TemporaryFailure
from hotline.delivery.models import NO_RECEIPT

CHANNEL: Final = "webhook"
CONNECT_S: Final = 3.0
WHOLE_S: Final = 10.0
MOST_ADDRESSES: Final = 2  # of one name: each may cost the time to connect
MOST_READ: Final = 64 << 10
LONGEST_RECEIPT: Final = 100
LONGEST_WAIT_S: Final = 24 * 3600
TRY_LATER: Final = frozenset({408, 425, 429})


def signature(secret: str, time: str, body: bytes) -> str:
    """Return the signature of a push made at ``time`` (seconds since 1970)."""
    return hmac.new(secret.encode(), time.encode() + b"." + body, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """Every address a name stands for is checked, and the connection goes to one of those: asking again would let a
    name server answer differently."""

    allowed: Allowed
    now: Callable[[], datetime]
    connect_s: float = CONNECT_S
    whole_s: float = WHOLE_S
    channel: str = CHANNEL

    def send(self, parcel: Parcel) -> str:
        """Post the parcel's facts. Returns the receiver's own receipt, else ``NO_RECEIPT`` with a digest."""
        if not parcel.secret:
            raise PermanentFailure("单位没有推送签名密钥，请在单位页面生成并交给对方")
        body = json.dumps({"id": parcel.token, **parcel.facts}, ensure_ascii=False).encode()
        time = str(int(self.now().timestamp()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": f"hotline-12345/{__version__}",
            "Idempotency-Key": parcel.token,
            "X-Hotline-Time": time,
            "X-Hotline-Signature": signature(parcel.secret, time, body),
        }
        try:
            target = parse(parcel.address)
            addresses = _addresses(target)
            self.allowed.check(target, addresses)
        except NotAllowed as fault:
            raise PermanentFailure(str(fault)) from fault
        started = monotonic()
        try:
            with _Limit(self.whole_s) as limit, closing(self._connected(target, addresses, limit)) as line:
                line.request(
                    "POST",
                    target.path,
                    body,
                    headers | {"Host": target.netloc},
                    preload_content=False,
                    decode_content=False,
                )
                return _receipt(line.getresponse(), self.now())
        except ssl.SSLCertVerificationError as fault:
            raise PermanentFailure(f"{target.host} 的证书不可信：{fault.verify_message}") from fault
        except (OSError, HTTPException, HTTPError) as fault:
            late = monotonic() - started >= self.whole_s
            why = f"{self.whole_s:g} 秒内没有答完" if late else _words(fault)
            raise TemporaryFailure(f"{target.host} {why}") from fault

    def _connected(self, target: Target, addresses: list[str], limit: _Limit) -> HTTPConnection:
        """Return a connection to the first of the addresses that answers."""
        addresses = addresses[:MOST_ADDRESSES]
        for address in addresses:
            line = (
                _Secure(address, target, self.connect_s) if target.secure else _Plain(address, target, self.connect_s)
            )
            line.limit = limit
            try:
                line.connect()
            except (OSError, HTTPError):
                line.close()
                if address == addresses[-1]:
                    raise
            else:
                break
        line.sock.settimeout(self.whole_s)
        return line


class _Limit:
    """Cuts connections off when their whole time is over: a receiver that says a byte now and then would outlive the
    time-out of every single read."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end)
        self._held: list[socket.socket] = []

    def __enter__(self) -> _Limit:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        for held in self._held:
            held.close()

    def hold(self, line: socket.socket) -> None:
        """Watch over one more connection."""
        self._held.append(line.dup())  # TLS takes the socket itself away

    def _end(self) -> None:
        for held in self._held:
            with suppress(OSError):  # it has ended by itself
                held.shutdown(socket.SHUT_RDWR)


class _Held:
    """A connection whose socket is held by a limit from the first moment, the greetings of TLS included."""

    limit: _Limit

    def _new_conn(self) -> socket.socket:
        line: socket.socket = super()._new_conn()  # type: ignore[misc]
        self.limit.hold(line)
        return line


class _Plain(_Held, HTTPConnection):
    def __init__(self, address: str, target: Target, timeout: float) -> None:
        super().__init__(address, target.port, timeout=timeout)


class _Secure(_Held, HTTPSConnection):
    """TLS to a checked address: the certificate must be that of the name."""

    def __init__(self, address: str, target: Target, timeout: float) -> None:
        context = ssl.create_default_context()
        super().__init__(address, target.port, timeout=timeout, server_hostname=target.host, ssl_context=context)


def _addresses(target: Target) -> list[str]:
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as fault:
        raise TemporaryFailure(f"{target.host} 的域名无法解析") from fault
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _receipt(answer: BaseHTTPResponse, now: datetime) -> str:
    """Return what is kept of an answer, or raise what its status means."""
    status = answer.status
    if status >= 500 or status in TRY_LATER:
        raise TemporaryFailure(
            f"对方暂时不可用：HTTP {status}", after=_asked_wait(answer.headers.get("Retry-After"), now)
        )
    if 300 <= status < 400:
        raise PermanentFailure(f"对方要求转到别处（HTTP {status}），推送不跟随；请核对推送地址")
    if not 200 <= status < 300:
        raise PermanentFailure(f"对方拒收：HTTP {status}")
    body = answer.read(MOST_READ)
    told = _told(body)
    return told or f"{NO_RECEIPT}{hashlib.sha256(body).hexdigest()}"


def _told(body: bytes) -> str:
    """Return the receipt of a well-formed answer, else an empty text."""
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    receipt = answer.get("receipt") if isinstance(answer, dict) else None
    if not isinstance(receipt, str) or not receipt.isprintable() or len(receipt) > LONGEST_RECEIPT:
        return ""
    return "" if receipt.startswith(NO_RECEIPT) else receipt


def _asked_wait(header: str | None, now: datetime) -> timedelta | None:
    """Return how long ``Retry-After`` asks to wait: seconds, or a date."""
    if header is None:
        return None
    if header.isascii() and header.isdigit():
        return timedelta(seconds=min(int(header[:9]), LONGEST_WAIT_S))
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(at.replace(tzinfo=at.tzinfo or UTC) - now, timedelta())


def _words(fault: Exception) -> str:
    """Return why no answer came, in words."""
    causes = (fault, fault.__cause__, fault.__context__)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "拒绝连接"
    if any(isinstance(cause, TimeoutError | ConnectTimeoutError) for cause in causes):
        return "连接超时"
    return f"没有答复就断开了连接（{type(fault).__name__}）"
