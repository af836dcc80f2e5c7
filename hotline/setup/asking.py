"""How a person is asked: from a terminal, or from answers given beforehand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import click

Found = TypeVar("Found")


class WrongAnswer(ValueError):
    """An answer that cannot be taken; the text says why, to the person who gave it."""


@dataclass
class Asking:
    """Asks until an answer can be taken, and counts how often and how long a person was asked.

    ``given``: answers by key, each tried before anybody is asked. ``yes``: nobody is asked; what was not given is the
    default, and a given answer that cannot be taken ends the set-up.
    """

    yes: bool
    given: dict[str, str] = field(default_factory=dict)
    asked: int = 0
    asked_s: float = 0.0

    def word(
        self,
        key: str,
        question: str,
        *,
        check: Callable[[str], Found],
        default: str | None = None,
        secret: bool = False,
    ) -> Found:
        """Return what ``check`` makes of the answer; it raises ``WrongAnswer`` for one that has to be given again.

        Raises ``click.ClickException`` when nobody can be asked for an answer that is wanted.
        """
        while True:
            if key in self.given:
                said = self.given.pop(key)
            elif not self.yes:
                said = self._prompt(question, default, secret)
            elif default is not None:
                said = default
            else:
                raise click.ClickException(f"{question}：没有给出答案（--answer {key}=…）")
            try:
                return check(said.strip())
            except WrongAnswer as fault:
                if self.yes:
                    raise click.ClickException(f"{question}：{fault}（--answer {key}=…）") from fault
                click.echo(f"  {fault}")

    def may(self, key: str, question: str, *, default: bool, unasked: bool) -> bool:
        """Return whether to go on; ``unasked`` where nobody is asked."""
        if key not in self.given and self.yes:
            return unasked
        return self.word(key, f"{question}（y/n）", check=_yes_or_no, default="y" if default else "n")

    def again(self) -> bool:
        """Ask a person who mends something elsewhere whether to look once more; False: leave it for later."""
        return self._prompt("处理好后按回车再检查一次；输入 s 先跳过", "", secret=False).strip() != "s"

    def _prompt(self, question: str, default: str | None, secret: bool) -> str:
        self.asked += 1
        began = time.monotonic()
        try:
            return str(click.prompt(question, default=default, hide_input=secret, show_default=bool(default)))
        finally:
            self.asked_s += time.monotonic() - began


def _yes_or_no(said: str) -> bool:
    if said.lower() in {"y", "yes", "是"}:
        return True
    if said.lower() in {"n", "no", "否"}:
        return False
    raise WrongAnswer("请回答 y 或 n")
