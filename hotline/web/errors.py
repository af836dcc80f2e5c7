"""Every failure becomes an answer here, once: a page, a toast for htmx, or JSON. Never a traceback."""

from __future__ import annotations

import secrets
from time import time
from typing import Any, Final

import structlog
from flask import Flask, Response, current_app, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from hotline.errors import HotlineError, Invalid, NotAllowedNow, NotFound, NotPermitted, Unavailable
from hotline.web import citizens, pages
from hotline.web.auth import limiter
from hotline.web.formats import duration

log = structlog.get_logger(__name__)

STATUS: Final[dict[type[HotlineError], int]] = {
    NotFound: 404,
    NotPermitted: 403,
    NotAllowedNow: 409,
    Invalid: 400,
    Unavailable: 503,
}
TITLES: Final = {
    400: "请求有误",
    401: "请先登录",
    403: "没有权限",
    404: "没有找到",
    405: "不能这样访问",
    409: "现在不能这样办",
    413: "内容太大",
    415: "格式不对",
    422: "填写有误",
    429: "操作太频繁",
    500: "系统出错了",
    503: "暂时不可用",
}
SENTENCES: Final = {
    400: "请求不完整或格式不对，请返回检查后重试。",
    401: "登录已结束，请重新登录。",
    403: "您的岗位不能打开这里。",
    404: "这里没有内容，或者您不能查看。",
    405: "这个地址不支持这样的操作。",
    413: "上传的内容超过了允许的大小：一次最多 24 MB，照片每张最多 20 MB。请缩小或分几次上传，视频请勿上传。",
    415: "不支持这种格式。",
    503: "服务暂时不可用，请稍后再试。",
}
CHANGED: Final = "刚刚有人改过，请刷新后在新内容上操作。"
CSRF_STALE: Final = "页面已过期，请刷新后再提交一次。"
RETRY_S: Final = 5
# what our forms take in a textarea; named one by one, so that no password, PIN or number of a person is ever among them
WRITTEN: Final = (
    *("text", "reason", "words", "comment", "explained", "remark", "content", "desired_result"),
    *("advice", "plan", "waits_for", "evidence", "process", "public_reply", "unsolved_reason", "attendants"),
    *("question", "similar", "answer", "spoken", "lines"),
    *("merged_question", "merged_similar", "merged_answer", "merged_spoken"),
)


def init_app(app: Flask, *, with_pages: bool) -> None:
    """Register the handlers. A process without pages (``with_pages``) answers in JSON to everyone."""
    app.config["HOTLINE_PAGES"] = with_pages
    app.register_error_handler(HotlineError, on_expected)
    app.register_error_handler(StaleDataError, on_stale)
    app.register_error_handler(DataError, on_unkeepable)
    app.register_error_handler(OverflowError, on_unkeepable)
    app.register_error_handler(CSRFError, on_csrf)
    app.register_error_handler(RateLimitExceeded, on_limit)
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(Exception, on_unexpected)


def on_expected(fault: HotlineError) -> ResponseReturnValue:
    """A sentence of the trade, with the status of its kind; 422 when fields are at fault."""
    status = next(code for kind, code in STATUS.items() if isinstance(fault, kind))
    if isinstance(fault, Invalid) and fault.details:
        status = 422
    answer = reply(status, fault.message, details=fault.details)
    if status == 503:
        answer.headers["Retry-After"] = str(RETRY_S)
    return answer


def on_stale(_fault: StaleDataError) -> ResponseReturnValue:
    """Two wrote the same row; the second is told."""
    return reply(409, CHANGED)


def on_unkeepable(fault: Exception) -> ResponseReturnValue:
    """A value that no row can hold: the character 0, a number of thirty digits, the year 0."""
    log.warning("unkeepable", endpoint=request.endpoint, kind=type(fault).__name__)
    return reply(400, SENTENCES[400])


def on_csrf(_fault: CSRFError) -> ResponseReturnValue:
    """A form without this session's token."""
    return reply(400, CSRF_STALE)


def on_limit(_fault: RateLimitExceeded) -> ResponseReturnValue:
    """Say how long to wait."""
    breached = limiter.current_limit
    wait = max(1, round(breached.reset_at - time())) if breached else 60
    answer = reply(429, f"尝试次数太多，请等 {duration(wait)}后再试。")
    answer.headers["Retry-After"] = str(wait)
    return answer


def on_http(fault: HTTPException) -> ResponseReturnValue:
    """What the framework refuses: wrong address, wrong method, too large, nobody logged in."""
    status = fault.code or 500
    if status < 400:
        return fault.get_response()  # a redirect raised as an exception
    if status == 401:
        return to_the_door()
    answer = reply(status, SENTENCES.get(status, SENTENCES[400] if status < 500 else SENTENCES[503]))
    if fault.code == 405:
        answer.headers["Allow"] = ", ".join(sorted(getattr(fault, "valid_methods", None) or ()))
    return answer


def on_unexpected(fault: Exception) -> ResponseReturnValue:
    """A fault of ours: an id for the person, the whole of it for the log."""
    fault_id = secrets.token_hex(4)
    log.error("unexpected", fault_id=fault_id, endpoint=request.endpoint, exc_info=fault)
    return reply(500, f"不是您的问题。请把编号 {fault_id} 告诉管理员，我们据此查找原因。", fault_id=fault_id)


def to_the_door() -> Response:
    """Nobody is logged in: a page goes to the log-in and afterwards back here; a program is told."""
    if wants_fragment():
        answer = make_response("", 401)
        answer.headers["HX-Redirect"] = url_for("auth.door")
        return answer
    if wants_page() and request.method == "GET":
        here = request.full_path.rstrip("?")
        return make_response(redirect(url_for("auth.door", next=here if here != "/" else None), 303))
    return reply(401, SENTENCES[401])


def wants_fragment() -> bool:
    """Whether htmx asks for a part of a page."""
    return current_app.config["HOTLINE_PAGES"] and pages.is_htmx()


def wants_page() -> bool:
    """Whether a browser asks for a whole page. Whoever names nothing is a program."""
    if not current_app.config["HOTLINE_PAGES"]:
        return False
    best = request.accept_mimetypes.best_match(("application/json", "text/html"))
    return best == "text/html" and not request.is_json and not request.path.startswith("/api/")


def written() -> list[str]:
    """Return what somebody wrote in the form that is refused.

    It stands on the answer and nowhere else: pages are not kept, so the form they go back to is empty.
    """
    if request.method != "POST":
        return []
    try:
        form = request.form
    except HTTPException:  # too large to be read, or cut off
        return []
    return [text for name, texts in form.lists() if name in WRITTEN for text in texts if text.strip()]


def reply(status: int, sentence: str, *, details: dict[str, object] | None = None, **more: Any) -> Response:
    """Build the answer of a failure in the shape the client takes."""
    title = TITLES.get(status, TITLES[400] if status < 500 else TITLES[503])
    if wants_fragment():
        answer = make_response(render_template("web/error_toast.html", text=sentence), status)
        # into the toast region, whatever part of the page was to be replaced
        answer.headers["HX-Retarget"] = "#toasts"
        answer.headers["HX-Reswap"] = "beforeend"
        # and whatever part of the answer was to be taken
        answer.headers["HX-Reselect"] = "[data-toast]"
        return answer
    if wants_page():
        values: dict[str, Any] = {"status": status, "title": title, "sentence": sentence, "details": details or {}}
        values["written"] = written()
        template = "public/error.html" if citizens.is_open(request.path) else "web/error.html"
        return make_response(render_template(template, **values, **more), status)
    body = {"error": {"status": status, "title": title, "message": sentence, "details": details or {}, **more}}
    return make_response(jsonify(body), status)
