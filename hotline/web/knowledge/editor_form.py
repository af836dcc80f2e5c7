"""The form of a text: what was typed, what of it can be kept, and what is wrong with the rest in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from hotline.errors import Invalid
from hotline.knowledge_base import rows
from hotline.knowledge_base.content import DAYS, Content
from hotline.knowledge_base.differences import WORDS, changed

TEXTS: Final = ("question", "answer", "spoken", "category", "owner_unit", "source", "source_url", *DAYS)
NUMBER_DIGITS: Final = 18
MINE, THEIRS, MERGED = "mine", "theirs", "merged"
MERGEABLE: Final = ("question", "similar", "answer", "spoken")  # may be put together by hand


@dataclass(frozen=True, slots=True)
class Typed:
    """What an editor typed. ``content`` is what can be kept: a field at fault has there what was kept before."""

    values: dict[str, Any]
    content: Content
    note: str
    faults: dict[str, str]


def values_of(content: Content) -> dict[str, Any]:
    """Return a content as the fields of the form show it."""
    told = content.as_json()
    return (
        told
        | {"similar": "\n".join(content.similar), "areas": list(content.areas)}
        | {name: told[name] or "" for name in DAYS}
    )


def read(form: MultiDict[str, str], kept: Content) -> Typed:
    """Return what was typed; ``kept`` is what stands in the draft so far. Nothing of it has to be complete."""
    told: dict[str, Any] = {name: _one_line_end(form.get(name, "")) for name in TEXTS}
    told["similar"] = [line for line in map(str.strip, form.get("similar", "").splitlines()) if line]
    told["areas"] = form.getlist("areas")
    told["attachments"] = [int(number) for number in form.getlist("attachments") if _is_number(number)]
    told["public"] = "是" if form.get("public") else "否"
    values = told | {"similar": "\n".join(told["similar"]), "public": bool(form.get("public"))}
    note, faults = form.get("note", "").strip(), {}
    content = kept
    try:
        content = rows.read_content(told, unfinished=True)
    except Invalid as fault:
        faults = {name: in_words(str(words)) for name, words in fault.details.items()}
        sound = told | {name: _as_told(kept, name) for name in (*faults, *(DAYS if "valid_to" in faults else ()))}
        content = rows.read_content(sound, unfinished=True)
    if len(note) > 500:
        faults["note"], note = "修改说明最多 500 字", note[:500]
    return Typed(values, content, note, faults)


def missing(content: Content, today: date) -> dict[str, str]:
    """Return what a text lacks before it can be checked and published, in words by field."""
    faults: dict[str, str] = {}
    try:
        rows.read_content(content.as_json())
    except Invalid as fault:
        faults = {name: in_words(str(words)) for name, words in fault.details.items()}
    if content.valid_to and content.valid_to < today:
        faults["valid_to"] = "失效日期已经过了"
    if content.review_on and content.review_on <= today:
        faults["review_on"] = "复核日期应在今天之后"
    return faults


def in_words(sentence: str) -> str:
    """Return a fault of a file's row as people at a form read it: fields by their words."""
    for name, word in sorted(WORDS.items(), key=lambda one: -len(one[0])):
        sentence = sentence.replace(f"{name}（{word}）", word).replace(name, word)
    return f"请填写{sentence.removeprefix('缺少 ')}" if sentence.startswith("缺少 ") else sentence


def base_of(form: Mapping[str, str]) -> Content | None:
    """Return what the editor began from, as the form carries it; None when it carries nothing that can be read."""
    try:
        return Content.of(json.loads(form.get("base", "")))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class Choice:
    """A field in which two editors differ. ``take``: what would do without asking (mine, theirs), or empty."""

    name: str
    word: str
    take: str
    together: str  # what the two may be put together from, by hand


def choices(base: Content | None, mine: Content, theirs: Content) -> list[Choice]:
    """Return the fields in which two texts differ, and which of the two changed each."""
    own = set(changed(base, mine)) if base else set(WORDS)
    other = set(changed(base, theirs)) if base else set(WORDS)
    found = []
    for name in changed(mine, theirs):
        take = "" if name in own and name in other else MINE if name in own else THEIRS
        found.append(Choice(name, WORDS[name], take, _together(name, mine, theirs)))
    return found


def merged(form: MultiDict[str, str], mine: Content, theirs: Content) -> Content:
    """Return ``mine`` with what the editor took from a colleague, or put together by hand (``take_…``, ``merged_…``);
    whether the whole can be kept is not looked at."""
    told: dict[str, Any] = {}
    for name in WORDS:
        take = form.get(f"take_{name}", MINE)
        if take == THEIRS:
            told[name] = getattr(theirs, name)
        elif take == MERGED and name in MERGEABLE:
            text = _one_line_end(form.get(f"merged_{name}", ""))
            told[name] = tuple(filter(None, map(str.strip, text.splitlines()))) if name == "similar" else text
    return replace(mine, **told)


def _together(name: str, mine: Content, theirs: Content) -> str:
    if name == "similar":
        return "\n".join(dict.fromkeys([*theirs.similar, *mine.similar]))
    return str(getattr(mine, name)) if name in MERGEABLE else ""


def _as_told(kept: Content, name: str) -> Any:
    return kept.as_json().get(name)


def _one_line_end(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= NUMBER_DIGITS
