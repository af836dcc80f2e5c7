"""A proxy on loopback between the provider's client and the exchange: what either says is held to the provider's own
description of its REST API, and passed on as it is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import requests

from .openapi import answer_faults, contract, operation, request_faults

FORM = "application/x-www-form-urlencoded"
PASSED_ON = ("Authorization", "Content-Type", "Accept")


@dataclass(frozen=True)
class Passed:
    """One request as the description knows it, and the status it was answered with."""

    method: str
    described: str
    status: int


@dataclass
class ContractProxy:
    """Where to send requests, what passed, and what was wrong with it."""

    url: str = ""
    passed: list[Passed] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def operations(self) -> set[tuple[str, str]]:
        """What was asked and done: methods and described paths."""
        return {(one.method, one.described) for one in self.passed if one.status < 400}


@contextmanager
def contract_proxy(upstream: str) -> Iterator[ContractProxy]:
    """Serve on a free port for as long as the block; skips the test without the description."""
    contract()
    proxy = ContractProxy()
    session = requests.Session()
    session.trust_env = False

    class Handler(BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            asked = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            form = parse_qs(body.decode(), keep_blank_values=True)
            wrong = request_faults(self.command, asked.path, parse_qs(asked.query, keep_blank_values=True), form)
            if body and self.headers.get("Content-Type") != FORM:
                wrong.append(f"a body of {self.headers.get('Content-Type')}")
            if not self.headers.get("Authorization", "").startswith("Basic "):
                wrong.append("no account and token")
            answer = session.request(
                self.command,
                upstream + self.path,
                data=body,
                headers={name: self.headers[name] for name in PASSED_ON if name in self.headers},
                timeout=10,
            )
            said = None
            if answer.content:
                if not answer.headers["Content-Type"].startswith("application/json"):
                    wrong.append(f"an answer of {answer.headers['Content-Type']}")
                said = json.loads(answer.content)
            wrong += answer_faults(self.command, asked.path, answer.status_code, said)
            what = f"{self.command} {operation(self.command, asked.path) or asked.path} {answer.status_code}"
            proxy.faults += [f"{what}: {fault}" for fault in wrong]
            described = operation(self.command, asked.path)
            if described is not None:
                proxy.passed.append(Passed(self.command, described, answer.status_code))
            self.send_response(answer.status_code)
            for name in ("Content-Type", "WWW-Authenticate"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_DELETE = pass_on

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        session.close()
