"""Staff at their browsers in a small city."""

from tests.web.staff import app, clock, here, runtime, staff

__all__ = ["app", "clock", "here", "runtime", "staff"]
