"""A carrier's message endpoint on loopback, which may take a message and never answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Carrier:
    """``taken`` are the texts it accepted. While ``silent`` is set it takes them and does not answer."""

    def __init__(self) -> None:
        self.taken: list[dict[str, str]] = []
        self.silent = threading.Event()
        self.closing = threading.Event()
        self.url = ""

    def take(self, form: dict[str, str]) -> dict[str, str]:
        text = {"sid": f"SM{len(self.taken):032x}", "to": form["To"], "body": form["Body"], "status": "queued"}
        self.taken.append(text)
        return text


@contextmanager
def carrier_server() -> Iterator[Carrier]:
    """Serve until the block ends."""
    carrier = Carrier()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            text = carrier.take({name: values[0] for name, values in form.items()})
            if carrier.silent.is_set():
                carrier.closing.wait()
                return
            self._answer(201, text)

        def do_GET(self) -> None:
            to = parse_qs(urlsplit(self.path).query)["To"][0]
            found = [text for text in reversed(carrier.taken) if text["to"] == to]
            self._answer(200, {"messages": found, "next_page_uri": None, "page": 0, "page_size": 50})

        def _answer(self, status: int, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    carrier.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield carrier
    finally:
        carrier.closing.set()
        server.shutdown()
        server.server_close()
