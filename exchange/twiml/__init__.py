"""TwiML: checked here without any call, run by `run.Session` with the table in `verbs`."""

from .errors import TwimlError
from .parse import Verb, check, check_message

__all__ = ["TwimlError", "Verb", "check", "check_message"]
