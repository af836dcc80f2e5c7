"""The outside world in a box: a small telephone exchange on loopback that behaves toward an application as Twilio does.

It imports nothing of the application, and the application cannot tell it from the real service. See README.md.
"""

from .server import Exchange
from .settings import Number, Settings
from .twiml import TwimlError

__all__ = ["Exchange", "Number", "Settings", "TwimlError"]
