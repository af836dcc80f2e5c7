"""The numbers a word processor writes before paragraphs by itself: they stand in no text, only in rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
DIGITS: Final = "零一二三四五六七八九"
PLACEHOLDER: Final = re.compile(r"%([1-9])")
LEVELS: Final = 9
CHINESE: Final = frozenset(
    {
        *("chineseCounting", "chineseCountingThousand", "japaneseCounting", "taiwaneseCounting"),
        *("ideographDigital", "ideographTraditional", "taiwaneseCountingThousand", "koreanCounting"),
    }
)
CIRCLED: Final = frozenset({"decimalEnclosedCircle", "decimalEnclosedCircleChinese"})


class Numbering:
    """Counts along a document. Ask for every numbered paragraph once, in order."""

    def __init__(self, root: Any | None) -> None:
        self._levels: dict[str, dict[int, tuple[str, str, int]]] = {}  # by numbering: form, words, first number
        self._counts: dict[str, list[int | None]] = {}  # by the rule several numberings may share
        self._rule: dict[str, str] = {}
        if root is not None:
            self._read(root)

    def _read(self, root: Any) -> None:
        rules = {one.get(f"{W}abstractNumId"): _levels(one) for one in root.iter(f"{W}abstractNum")}
        for one in root.iter(f"{W}num"):
            number, rule = one.get(f"{W}numId"), one.find(f"{W}abstractNumId")
            if number is None or rule is None:
                continue
            name = rule.get(f"{W}val")
            levels = dict(rules.get(name, {}))
            restarts = False
            for override in one.iter(f"{W}lvlOverride"):
                level = int(override.get(f"{W}ilvl") or 0)
                first = override.find(f"{W}startOverride")
                if first is not None and level in levels:
                    form, words, _ = levels[level]
                    levels[level] = (form, words, int(first.get(f"{W}val") or 1))
                    restarts = True
            self._levels[number] = levels
            self._rule[number] = f"{name}/{number}" if restarts else str(name)

    def next(self, number: str, level: int) -> str:
        """Return what stands before the next paragraph of that numbering: empty for a dot or nothing."""
        levels = self._levels.get(number, {})
        if level not in levels:
            return ""
        counts = self._counts.setdefault(self._rule[number], [None] * LEVELS)
        _, words, first = levels[level]
        now = counts[level]
        counts[level] = first if now is None else now + 1
        counts[level + 1 :] = [None] * (LEVELS - level - 1)
        if levels[level][0] in ("bullet", "none"):
            return ""

        def told(found: re.Match[str]) -> str:
            which = int(found[1]) - 1
            form, _, start = levels.get(which, ("decimal", "", 1))
            count = counts[which]
            return numeral(start if count is None else count, form)

        return PLACEHOLDER.sub(told, words)


def _levels(rule: Any) -> dict[int, tuple[str, str, int]]:
    found = {}
    for one in rule.iter(f"{W}lvl"):
        told: Mapping[str, str] = {
            what: one.find(f"{W}{what}").get(f"{W}val") or ""
            for what in ("numFmt", "lvlText", "start")
            if one.find(f"{W}{what}") is not None
        }
        level = int(one.get(f"{W}ilvl") or 0)
        if 0 <= level < LEVELS:
            first = told.get("start", "1")
            found[level] = (
                told.get("numFmt", "decimal"),
                told.get("lvlText", ""),
                int(first) if first.isdecimal() else 1,
            )
    return found


def numeral(count: int, form: str) -> str:
    """Return a number in one of the forms of the format; one that is not known here as digits."""
    if form in CHINESE:
        return chinese(count)
    if form in CIRCLED and 1 <= count <= 20:
        return chr(ord("①") + count - 1)
    if form in ("lowerLetter", "upperLetter") and 1 <= count <= 26:
        return chr(ord("a" if form == "lowerLetter" else "A") + count - 1)
    if form in ("lowerRoman", "upperRoman") and 1 <= count < 40:
        roman = "X" * (count // 10) + ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")[count % 10]
        return roman.lower() if form == "lowerRoman" else roman
    return str(count)


def chinese(count: int) -> str:
    """Return a number below ten thousand as it is written before a clause: 十二, 一百零三."""
    if not 0 < count < 10_000:
        return str(count)
    told, gap = "", False
    for power, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = count // power % 10
        if digit:
            told += ("零" if gap and told else "") + DIGITS[digit] + unit
            gap = False
        else:
            gap = True
    return told.removeprefix("一") if told.startswith("一十") else told
