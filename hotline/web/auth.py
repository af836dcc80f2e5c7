"""Log-in of staff: a signed cookie that a changed password or a disabled account makes worthless."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from flask import Blueprint, Flask, Response, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, login_user, logout_user

from hotline import audit
from hotline.accounts.models import User
from hotline.accounts.service import actor_of, authenticate, end_log_ins, set_password
from hotline.config import Settings
from hotline.db import key_ring
from hotline.errors import Invalid, NotPermitted
from hotline.web import pages
from hotline.web.access import Visitor, bearer_token, public, roles, the_actor, visitor
from hotline.web.context import runtime, transaction

bp = Blueprint("auth", __name__)
login_manager = LoginManager()

SHIFT: Final = timedelta(hours=12)
OPEN_BEFORE: Final = frozenset({"static", "auth.password", "auth.change_password", "auth.log_out"})


def _by_name() -> str:
    # neither a name nor an address in Redis
    return key_ring().index("name " + request.form.get("username", "").strip().lower())


def _by_address() -> str:
    return key_ring().index("address " + get_remote_address())


def _was_wrong(response: Response) -> bool:
    return response.status_code == 401


limiter = Limiter(key_func=_by_address, in_memory_fallback_enabled=True)


@bp.get("/login")
@public
def door() -> ResponseReturnValue:
    """The log-in page."""
    someone = visitor()
    if someone:
        return pages.go(pages.home_of(someone.actor.role))
    return render_template("web/login.html", next=pages.local_path(request.args.get("next")))


# only wrong passwords count: a name is not tried out, and an address does not try out names
@bp.post("/login")
@public
@limiter.limit("5 per 5 minutes", key_func=_by_name, deduct_when=_was_wrong)
@limiter.limit("30 per 5 minutes", key_func=_by_address, deduct_when=_was_wrong)
def log_in() -> ResponseReturnValue:
    """Check name and password; each role lands where it works, or where it was going."""
    username = request.form.get("username", "").strip()
    target = pages.local_path(request.form.get("next"))
    try:
        with transaction() as session:
            user = authenticate(
                session, username=username, password=request.form.get("password", ""), now=runtime().now()
            )
            someone = _visitor_of(user)
    except NotPermitted as fault:
        return render_template("web/login.html", username=username, next=target, error=fault.message), 401
    cookie.clear()  # nothing of who used this browser before
    cookie.permanent = True
    login_user(someone)
    return pages.go(target or pages.home_of(someone.actor.role))


@bp.post("/logout")
@roles()
def log_out() -> ResponseReturnValue:
    """End this user's log-ins, here and everywhere: a copied cookie would outlive this browser's own."""
    someone = visitor()
    if someone is not None and someone.actor.user_id is not None:
        with transaction() as session:
            end_log_ins(session, user_id=someone.actor.user_id)
    logout_user()
    cookie.clear()
    pages.toast("已退出登录")
    return pages.go("/login")


@bp.get("/password")
@roles()
def password() -> ResponseReturnValue:
    """The page of one's own account."""
    return _password_page({})


@bp.post("/password")
@roles()
@limiter.limit("10 per 5 minutes", key_func=lambda: key_ring().index(f"user {the_actor().user_id}"))
def change_password() -> ResponseReturnValue:
    """Set a new password after asking for the old one; every other log-in of this user ends."""
    someone = visitor()
    if someone is None:
        raise NotPermitted("请登录后再修改密码")
    new = request.form.get("new", "")
    try:
        if new != request.form.get("again", ""):
            raise Invalid("两次输入的新密码不一样", again="两次输入的新密码不一样")
        with transaction() as session:
            now = runtime().now()
            user = authenticate(session, username=someone.username, password=request.form.get("old", ""), now=now)
            set_password(session, user=user, password=new)
            audit.record(session, at=now, user_id=user.id, act="set_password", subject="user", subject_id=user.id)
            renewed = _visitor_of(user)
    except NotPermitted:
        return _password_page({"old": "登录码不正确" if someone.must_set_password else "当前密码不正确"}), 422
    except Invalid as fault:
        return _password_page(fault.details), 422
    login_user(renewed)
    pages.toast("密码已修改，其他地方的登录已全部退出")
    return pages.go(pages.home_of(renewed.actor.role))


def _password_page(faults: Mapping[str, object]) -> str:
    someone = visitor()
    return render_template("web/password.html", faults=faults, first=someone is not None and someone.must_set_password)


@login_manager.user_loader
def load_visitor(cookie_id: str) -> Visitor | None:
    """Return who the cookie names, if still active and not logged out everywhere since."""
    user_id, _, version = cookie_id.partition(".")
    if not (user_id.isdigit() and version.isdigit()):
        return None
    with transaction() as session:
        user = session.get(User, int(user_id))
        if user is None or not user.active or user.session_version != int(version):
            return None
        return _visitor_of(user)


def _visitor_of(user: User) -> Visitor:
    return Visitor(
        actor=actor_of(user),
        session_version=user.session_version,
        username=user.username,
        seat=user.seat,
        must_set_password=user.must_set_password,
    )


def first_a_password() -> ResponseReturnValue | None:
    """Lead whoever logged in with a code given once to the page where they set a password, and nowhere else."""
    if request.endpoint in OPEN_BEFORE or bearer_token() is not None:
        return None
    someone = visitor()
    return pages.go(url_for("auth.password")) if someone and someone.must_set_password else None


def init_app(app: Flask, settings: Settings) -> None:
    """Set the cookie's terms, log-in and its limits."""
    app.config.update(
        SESSION_COOKIE_NAME="hotline",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        PERMANENT_SESSION_LIFETIME=SHIFT,
        RATELIMIT_STORAGE_URI=_limit_storage(settings.redis_url),
    )
    login_manager.init_app(app)
    limiter.init_app(app)
    app.before_request(first_a_password)
    app.register_blueprint(bp)


def _limit_storage(redis_url: str) -> str:
    """The counter of several processes is Redis, of one its memory."""
    if redis_url.startswith("unix:"):
        return "redis+" + redis_url
    return redis_url or "memory://"
