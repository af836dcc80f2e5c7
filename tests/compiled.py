"""Templates and addresses compiled once for all apps of a test process: it was half the time of a page's test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CodeType
from typing import ClassVar

import pytest
from flask import Flask
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


class Templates(BytecodeCache):
    """Templates compiled in this process, by where they stand and what they say."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what was compiled from the same text."""
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        if bucket.code is not None:
            self._code[bucket.key, bucket.checksum] = bucket.code


BuildAddress = Callable[..., tuple[str, str]]


class Address(Rule):
    """An address whose writing is compiled once: the function is handed its rule, and is the same for the same text."""

    _written: ClassVar[dict[tuple[str, str, bool], BuildAddress]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> BuildAddress:
        key = (repr(self._trace), repr(self.defaults), append_unknown)
        if key not in self._written:
            self._written[key] = super()._compile_builder(append_unknown)
        return self._written[key]


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Let every app share what it compiles."""
    templates, make = Templates(), Flask.create_jinja_environment

    def sharing(app: Flask) -> Environment:
        environment = make(app)
        environment.bytecode_cache = templates
        return environment

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "create_jinja_environment", sharing)
        patch.setattr(Flask, "url_rule_class", Address)
        yield
