"""Signed requests to the application: the budget, the one retry, and callbacks that nobody waits for."""

from __future__ import annotations

import logging
import queue
import threading
import uuid
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from urllib.parse import urlencode, urljoin

import requests
from requests.exceptions import ConnectionError as Unreachable
from requests.exceptions import RequestException, Timeout
from twilio.request_validator import RequestValidator

from .timeline import Timeline
from .twiml.errors import CONNECTION_FAILED, INVALID_URL, RETRIEVAL_FAILED, TOO_LARGE, TOO_MANY_REDIRECTS, TwimlError

log = logging.getLogger(__name__)

IDEMPOTENCY_HEADER = "I-Twilio-Idempotency-Token"
BODY_LIMIT = 16 * 1024 * 1024
REDIRECT_LIMIT = 5
LANES = 4
DRAIN_S = 5.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Answer:
    """A 2xx answer; `url` is where it finally came from, so that addresses in it can be relative."""

    url: str
    content_type: str
    body: bytes


class Webhooks:
    """Requests in the provider's way. `send` waits for the answer, `notify` does not."""

    def __init__(self, auth_token: str, budget_s: float) -> None:
        """`budget_s` is for everything one `send` does, retry and redirects included."""
        self._validator = RequestValidator(auth_token)
        self._budget_s = budget_s
        self._local = threading.local()
        self._lanes = [_Lane(f"exchange-callbacks-{at}") for at in range(LANES)]

    def start(self) -> None:
        """Let callbacks flow."""
        for lane in self._lanes:
            lane.start()

    def stop(self) -> None:
        """Send what is waiting, as far as it goes within a few seconds."""
        deadline = monotonic() + DRAIN_S
        for lane in self._lanes:
            lane.close()
        for lane in self._lanes:
            lane.join(max(0.0, deadline - monotonic()))

    def signature(self, url: str, params: Mapping[str, str]) -> str:
        """`X-Twilio-Signature` for a request; also for a socket's handshake (no parameters)."""
        return self._validator.compute_signature(url, dict(params))

    def send(self, method: str, url: str, params: Mapping[str, str], timeline: Timeline) -> Answer:
        """Ask the application. Raises TwimlError with the provider's number when no 2xx answer comes in time."""
        deadline = monotonic() + self._budget_s
        token = str(uuid.uuid4())
        for _ in range(REDIRECT_LIMIT):
            reply = self._with_retry(method, url, params, token=token, deadline=deadline, timeline=timeline)
            where = reply.headers.get("Location", "")
            if reply.status_code in _REDIRECTS and where:
                reply.close()
                method, url = "GET", urljoin(url, where)
                continue
            body = self._read(reply, url, deadline)
            timeline.add("webhook", f"{method} {url}", status=reply.status_code, params=dict(params), token=token)
            if not 200 <= reply.status_code < 300:
                raise TwimlError(RETRIEVAL_FAILED, f"{url} answered HTTP {reply.status_code}")
            return Answer(url, reply.headers.get("Content-Type", "").partition(";")[0].strip().lower(), body)
        raise TwimlError(TOO_MANY_REDIRECTS, f"{url} redirects too often")

    def notify(self, key: str, method: str, url: str, params: Mapping[str, str], timeline: Timeline) -> None:
        """Send when the lane is free; those of one `key` go out in order. A failure is only noted."""

        def deliver() -> None:
            try:
                self.send(method, url, params, timeline)
            except TwimlError as fault:
                timeline.add("error", str(fault), code=fault.code, url=url)

        self.put(key, deliver)

    def put(self, key: str, work: Callable[[], None]) -> None:
        """Do this in the lane of `key`, after what was put there before."""
        self._lanes[zlib.crc32(key.encode()) % LANES].put(work)

    def _with_retry(
        self, method: str, url: str, params: Mapping[str, str], *, token: str, deadline: float, timeline: Timeline
    ) -> requests.Response:
        try:
            return self._once(method, url, params, token, deadline)
        except Unreachable as first:
            timeline.add(
                "webhook", f"{method} {url}", status=None, fault=_words(first), params=dict(params), token=token
            )
        except RequestException as fault:
            raise _failure(fault, url) from fault
        if deadline - monotonic() <= 0:
            raise TwimlError(CONNECTION_FAILED, f"{url} cannot be reached")
        try:
            return self._once(method, url, params, token, deadline)
        except RequestException as fault:
            raise _failure(fault, url) from fault

    def _once(self, method: str, url: str, params: Mapping[str, str], token: str, deadline: float) -> requests.Response:
        form = dict(params) if method == "POST" else {}
        if method == "GET" and params:
            url += ("&" if "?" in url else "?") + urlencode(params)
        request = requests.Request(
            method, url, data=form or None, headers={"User-Agent": "TwilioProxy/1.1", "Accept": "*/*"}
        )
        prepared = self._session().prepare_request(request)
        # Signed as it will be seen, after percent-encoding.
        prepared.headers["X-Twilio-Signature"] = self.signature(str(prepared.url), form)
        prepared.headers[IDEMPOTENCY_HEADER] = token
        if method == "POST":
            prepared.headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        left = max(0.01, deadline - monotonic())
        return self._session().send(prepared, stream=True, timeout=left, allow_redirects=False)

    def _session(self) -> requests.Session:
        session = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.trust_env = False  # a proxy of this machine has no part in a call
        return session

    @staticmethod
    def _read(reply: requests.Response, url: str, deadline: float) -> bytes:
        """The body, within the budget: a time-out of the library starts anew with every byte."""
        body = bytearray()
        try:
            for chunk in reply.iter_content(16 * 1024):
                body += chunk
                if len(body) > BODY_LIMIT:
                    raise TwimlError(TOO_LARGE, f"{url} answers with more than {BODY_LIMIT} bytes")
                if monotonic() > deadline:
                    raise TwimlError(RETRIEVAL_FAILED, f"{url} did not finish its answer in time")
        except RequestException as fault:
            raise TwimlError(RETRIEVAL_FAILED, f"{url} broke off: {_words(fault)}") from fault
        finally:
            reply.close()
        return bytes(body)


def _words(fault: Exception) -> str:
    return type(fault).__name__


def _failure(fault: RequestException, url: str) -> TwimlError:
    if isinstance(fault, Unreachable):
        return TwimlError(CONNECTION_FAILED, f"{url} cannot be reached ({_words(fault)})")
    if isinstance(fault, Timeout):
        return TwimlError(RETRIEVAL_FAILED, f"{url} did not answer in time")
    return TwimlError(INVALID_URL, f"{url!r} cannot be asked ({_words(fault)})")


class _Lane(threading.Thread):
    """One after another, so that the callbacks of one call keep their order."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def put(self, work: Callable[[], None]) -> None:
        self._work.put(work)

    def close(self) -> None:
        self._work.put(None)

    def run(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            except Exception:
                log.exception("a callback failed")  # the lane carries other calls too
