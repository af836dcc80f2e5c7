"""What still stands between this city and its first call: the list of ``hotline doctor``, looked at anew."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from hotline import doctor
from hotline.doctor import State
from hotline.web.access import roles
from hotline.web.city.views import KEEPERS
from hotline.web.context import runtime

bp = Blueprint("setup", __name__, url_prefix="/setup")

# who sees the page need not ask whether pages are served
CHECKS: Final = tuple(check for check in doctor.CHECKS if check.key != "web")
PARTS: Final = ((State.MISSING, "还差"), (State.WARN, "可以以后做"), (State.OK, "已完成"))


@bp.get("")
@roles(*KEEPERS)
def checks() -> ResponseReturnValue:
    """Every check with a tick or with what to do, what is missing first."""
    findings = doctor.examine(runtime(), CHECKS)
    parts = [(state, word, [found for found in findings if found.state is state]) for state, word in PARTS]
    return render_template("city/setup.html", parts=parts, missing=parts[0][2])
