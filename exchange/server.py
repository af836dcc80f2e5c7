"""The exchange as a process on loopback: HTTP on one port, everything else in threads behind it."""

from __future__ import annotations

import threading
from types import TracebackType

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from . import lab, line, phone, rest
from .leg import API_VERSION
from .rest.errors import RestError, not_found
from .settings import LOOPBACK_HOSTS, Settings
from .switchboard import Switchboard

HOST = "127.0.0.1"
LARGEST_REQUEST = 1024 * 1024
STOP_WITHIN_S = 0.05


class _Quiet(WSGIRequestHandler):
    """Request lines hold telephone numbers; they are not for a log."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def create_app(board: Switchboard) -> Flask:
    """The faces: the provider's REST API, the lab, the telephone page and its line."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    app.json.ensure_ascii = False  # type: ignore[attr-defined]

    @app.before_request
    def only_from_here() -> Response | None:
        # A name that merely resolves to loopback belongs to a stranger's page.
        if request.host.rpartition(":")[0].strip("[]") not in LOOPBACK_HOSTS:
            return Response("this exchange answers on loopback only\n", 403, mimetype="text/plain")
        origin = request.headers.get("Origin")
        let_in = board.settings.origins if request.path == "/line" else frozenset()
        if origin is not None and origin != f"{request.scheme}://{request.host}" and origin not in let_in:
            return Response("not from another page\n", 403, mimetype="text/plain")
        return None

    @app.errorhandler(HTTPException)
    def refuse(fault: HTTPException) -> Response:
        if request.path.startswith(f"/{API_VERSION}/"):
            if fault.code == 405:
                return RestError(405, 20004, "Method not allowed").response()
            return not_found(request.path).response()
        answer = jsonify(error=fault.description)
        answer.status_code = fault.code or 500
        return answer

    for face in (rest, lab, line, phone):
        app.register_blueprint(face.routes(board))
    return app


class Exchange:
    """One exchange: `with Exchange(settings) as exchange: …` or `start()` and `stop()`; once only."""

    def __init__(self, settings: Settings) -> None:
        """Takes its port at once (OSError if it is taken); answers after `start`."""
        self.settings = settings
        self.board = Switchboard(settings)
        self._server: BaseWSGIServer = make_server(
            HOST, settings.port, create_app(self.board), threaded=True, request_handler=_Quiet
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            args=(STOP_WITHIN_S,),
            name="exchange-http",
            daemon=True,
        )

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_port

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`: base of the telephone page, the lab and the REST API."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> Exchange:
        """Answer from here on."""
        self.board.start()
        self._thread.start()
        return self

    def stop(self) -> None:
        """Hang up every call, end every thread, free the port."""
        self.board.stop()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Exchange:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()
