"""REST faults in the provider's form."""

from __future__ import annotations

from flask import Response, jsonify


class RestError(Exception):
    """A refusal: HTTP status, the provider's error number, and words."""

    def __init__(self, status: int, code: int, message: str) -> None:
        """Kept apart for the JSON."""
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self) -> Response:
        """`{"code", "message", "more_info", "status"}`."""
        answer = jsonify(
            code=self.code,
            message=self.message,
            more_info=f"https://www.twilio.com/docs/errors/{self.code}",
            status=self.status,
        )
        answer.status_code = self.status
        if self.status == 401:
            answer.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
        return answer


def not_found(path: str) -> RestError:
    """20404."""
    return RestError(404, 20404, f"The requested resource {path} was not found")


def invalid(name: str, value: str) -> RestError:
    """20001 for a parameter no more special number fits."""
    return RestError(400, 20001, f"Invalid parameter {name}: {value!r}")
