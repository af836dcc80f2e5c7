"""Which channels there are, made from the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.delivery import email, portal, sms, webhook
from hotline.delivery import queries as deliveries
from hotline.delivery.allowed import Allowed
from hotline.delivery.base import PermanentFailure, Sender


def sender(runtime: Runtime, channel: str) -> Sender:
    """Return the sender of a channel. Raises ``PermanentFailure`` for one we do not have."""
    if channel not in SENDERS:
        raise PermanentFailure(f"没有推送渠道：{channel}")
    return SENDERS[channel](runtime)


def _portal(_runtime: Runtime) -> Sender:
    return portal.PortalSender()


def _sms(runtime: Runtime) -> Sender:
    def is_known(receipt: str, token: str) -> bool:
        with session_scope(runtime.sessions) as session:
            return deliveries.is_spoken_for(session, receipt, token=token)

    return sms.SmsSender(
        carrier=runtime.telephony,
        sender=runtime.settings.numbers[0],
        status_url=f"{runtime.settings.public_url}/ivr/status",
        is_known=is_known,
    )


def _webhook(runtime: Runtime) -> Sender:
    return webhook.WebhookSender(Allowed.of(runtime.settings.webhook_allow), runtime.now)


def _email(runtime: Runtime) -> Sender:
    return email.EmailSender(runtime.settings.smtp_url, runtime.settings.mail_from, runtime.now)


SENDERS: Final[dict[str, Callable[[Runtime], Sender]]] = {
    portal.CHANNEL: _portal,
    sms.CHANNEL: _sms,
    webhook.CHANNEL: _webhook,
    email.CHANNEL: _email,
}
