"""Every verb of a call and what runs it; `grammar` says where each may stand."""

from __future__ import annotations

from . import basic
from .dial import dial
from .enqueue import enqueue
from .gather import gather
from .run import Action

VERBS: dict[str, Action] = {
    "Say": basic.say,
    "Play": basic.play,
    "Pause": basic.pause,
    "Redirect": basic.redirect,
    "Hangup": basic.hangup,
    "Reject": basic.reject,
    "Leave": basic.leave,
    "Start": basic.start,
    "Stop": basic.stop,
    "Gather": gather,
    "Enqueue": enqueue,
    "Dial": dial,
}
