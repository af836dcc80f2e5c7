"""Addresses of static files: each carries what it is made of, so that a browser may keep it for a year."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Flask, url_for

YEAR_S = 365 * 24 * 3600


def init_app(app: Flask) -> None:
    """Offer ``static(path)`` to templates.

    ``css/hotline.css`` gets a digest of its content; ``vendor/NAME/file`` finds the folder ``NAME-VERSION``.
    Raises KeyError or FileNotFoundError for a file that is not shipped.
    """
    root = Path(app.static_folder or "")
    vendored = {folder.name.rpartition("-")[0]: folder.name for folder in (root / "vendor").iterdir()}
    digests: dict[str, str] = {}
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = YEAR_S

    def static(path: str) -> str:
        if path.startswith("vendor/"):
            _, name, rest = path.split("/", 2)
            return url_for("static", filename=f"vendor/{vendored[name]}/{rest}")
        if path not in digests:
            digests[path] = hashlib.sha256((root / path).read_bytes()).hexdigest()[:12]
        return url_for("static", filename=path, v=digests[path])

    app.jinja_env.globals["static"] = static
