"""The carrier: Twilio, or whatever speaks its REST API at ``HOTLINE_TWILIO_API_URL``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from requests.exceptions import RequestException
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant
from twilio.rest import Client
from twilio.rest.api.v2010.account.conference.participant import ParticipantContext

from hotline.config import Settings
from hotline.telephony.base import CarrierRefused, CarrierUnreachable, HeadsetPass

TIMEOUT_S: Final = 8.0
TOO_MANY_REQUESTS: Final = 429
NOT_FOUND: Final = 404
CALL_NOT_IN_PROGRESS: Final = 21220
STATUS_EVENTS: Final = ["initiated", "ringing", "answered", "completed"]
LOOK_BACK: Final = 50
HEADSET_TTL_S: Final = 3600


class _Http(TwilioHttpClient):
    """The library knows one base URL and no time-out; this one asks ``base_url`` (if set) and always gives up."""

    def __init__(self, base_url: str, timeout_s: float) -> None:
        super().__init__(timeout=timeout_s)
        self._base = urlsplit(base_url) if base_url else None
        if self._base is not None and self.session is not None:
            self.session.trust_env = False  # an exchange on this machine is not reached through a proxy

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        if self._base is not None:
            parts = urlsplit(url)
            path = self._base.path.rstrip("/") + parts.path
            url = urlunsplit((self._base.scheme, self._base.netloc, path, parts.query, parts.fragment))
        return super().request(method, url, *args, **kwargs)


class TwilioTelephony:
    """``hotline.telephony.base.Telephony`` over Twilio's REST API. Safe to share between threads."""

    def __init__(self, settings: Settings, *, timeout_s: float = TIMEOUT_S) -> None:
        self._settings = settings
        self._client = Client(
            settings.twilio_account_sid,
            settings.twilio_auth_token,
            http_client=_Http(settings.twilio_api_url, timeout_s),
            # what happens to lie in the environment must not send calls elsewhere
            environment={"TWILIO_REGION": "", "TWILIO_EDGE": ""},
        )

    def dial(self, *, to: str, caller_id: str, url: str, status_url: str, timeout_s: int = 20) -> str:
        """Ring ``to``; on answer the carrier asks ``url`` by POST. Returns the call's SID."""
        with _translated():
            call = self._client.calls.create(
                to=to,
                from_=caller_id,
                url=url,
                status_callback=status_url,
                status_callback_event=STATUS_EVENTS,
                timeout=timeout_s,
            )
        return str(call.sid)

    def redirect(self, provider_id: str, url: str) -> None:
        """Make a live call ask ``url`` now."""
        with _translated():
            self._client.calls(provider_id).update(url=url, method="POST")

    def hang_up(self, provider_id: str) -> None:
        """End a call, ringing or talking. One that has ended or was never known is no error."""
        try:
            with _translated():
                self._client.calls(provider_id).update(status="completed")
        except CarrierRefused as fault:
            cause = fault.__cause__
            over = isinstance(cause, TwilioRestException) and (
                cause.status == NOT_FOUND or cause.code == CALL_NOT_IN_PROGRESS
            )
            if not over:
                raise

    def hold(self, provider_id: str, room: str, *, on: bool) -> None:
        """Put a conference's participant on hold or take them off it."""
        with _translated():
            participant = self._participant(provider_id, room)
            if participant is not None:
                participant.update(hold=on)
                return
        raise CarrierRefused("no such conference is in progress")

    def is_held(self, provider_id: str, room: str) -> bool:
        """Whether the participant is on hold; False without such a conference or participant."""
        try:
            with _translated():
                participant = self._participant(provider_id, room)
                return participant is not None and bool(participant.fetch().hold)
        except CarrierRefused as fault:
            if isinstance(fault.__cause__, TwilioRestException) and fault.__cause__.status == NOT_FOUND:
                return False
            raise

    def _participant(self, provider_id: str, room: str) -> ParticipantContext | None:
        running = self._client.conferences.list(friendly_name=room, status="in-progress", limit=1)
        return self._client.conferences(running[0].sid).participants(provider_id) if running else None

    def headset_pass(self, name: str) -> HeadsetPass | None:
        """An access token that lets the browser be rung as ``client:NAME`` and nothing else; None without an API key.

        The same token opens a line at an exchange and registers the carrier's own browser library.
        """
        known = self._settings
        if not (known.twilio_api_key and known.twilio_api_secret):
            return None
        token = AccessToken(
            known.twilio_account_sid,
            known.twilio_api_key,
            known.twilio_api_secret,
            identity=name,
            ttl=HEADSET_TTL_S,
            grants=[VoiceGrant(incoming_allow=True)],
        )
        adapter = "exchange" if known.headset_url else "twilio"
        return HeadsetPass(adapter, token.to_jwt(), known.headset_url, HEADSET_TTL_S)

    def send_message(self, *, to: str, sender: str, body: str, status_url: str) -> str:
        """Send an SMS. Returns the message's SID."""
        with _translated():
            message = self._client.messages.create(to=to, from_=sender, body=body, status_callback=status_url)
        return str(message.sid)

    def find_message(self, *, to: str, body: str) -> str | None:
        """Return the SID of the newest message with exactly this body to ``to`` among the last 50, or None."""
        with _translated():
            for message in self._client.messages.list(to=to, limit=LOOK_BACK):  # newest first
                if message.body == body:
                    return str(message.sid)
        return None


@contextmanager
def _translated() -> Iterator[None]:
    """Tell refusals from faults. Messages keep numbers out: the carrier's own text repeats what was sent."""
    try:
        yield
    except TwilioRestException as fault:
        kind = CarrierRefused if 400 <= fault.status < 500 and fault.status != TOO_MANY_REQUESTS else CarrierUnreachable
        raise kind(f"carrier answered HTTP {fault.status}, code {fault.code}") from fault
    except (RequestException, TwilioException) as fault:
        raise CarrierUnreachable(f"carrier cannot be asked: {type(fault).__name__}") from fault
