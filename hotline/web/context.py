"""What a request may lean on: the runtime of the process, one transaction, and who is asking."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from flask import Request, current_app, request
from sqlalchemy.orm import Session
from werkzeug.local import LocalProxy

from hotline.db import session_scope

if TYPE_CHECKING:  # bootstrap names every adapter; a page needs only the shape of what it built
    from hotline.bootstrap import Runtime


def runtime() -> Runtime:
    """Return the runtime this app was made with."""
    return cast("Runtime", current_app.extensions["hotline"])


def the_request() -> Request:
    """Return the request itself: each look through Flask's stand-in costs as much as what it finds."""
    return cast("LocalProxy[Request]", request)._get_current_object()


@contextmanager
def transaction() -> Iterator[Session]:
    """One transaction of the request: committed at the end, rolled back on any exception."""
    with session_scope(runtime().sessions) as session:
        yield session
