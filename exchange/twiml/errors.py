"""What can be wrong with an application's answer, by the provider's number."""

from __future__ import annotations


class TwimlError(Exception):
    """A document the exchange refuses. `code` is the provider's error number, `message` names the fault."""

    def __init__(self, code: int, message: str) -> None:
        """Keep both apart: webhooks carry the number, people read the text."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


INVALID_URL = 11100
RETRIEVAL_FAILED = 11200
CONNECTION_FAILED = 11205
TOO_MANY_REDIRECTS = 11215
TOO_LARGE = 11750
NOT_XML = 12100
WRONG_ROOT = 12102
SCHEMA = 12200
WRONG_CONTENT_TYPE = 12300
CONFERENCE_WAIT = 13238
STREAM_HANDSHAKE = 31920
STREAM_CLOSED = 31921
STREAM_UNREACHABLE = 31902
