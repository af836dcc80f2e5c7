"""Names the glossary gives are names the code has."""

from __future__ import annotations

import re
from enum import StrEnum
from importlib import import_module

from hotline.accounts.roles import Role
from hotline.db import Base
from hotline.work_orders.states import Action, DemandType, Status
from tests.architecture.test_docs import ROOT, tracked

PAGE = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")


def named() -> dict[str, type]:
    """Return every table and every enumeration of the hotline by its name."""
    found: dict[str, type] = {mapper.class_.__name__: mapper.class_ for mapper in Base.registry.mappers}
    for path in (*tracked("hotline/**/states.py"), *tracked("hotline/**/models.py")):
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        found |= {
            name: kind for name, kind in vars(module).items() if isinstance(kind, type) and issubclass(kind, StrEnum)
        }
    return found


def test_every_class_attribute_package_and_verb_of_the_glossary_exists() -> None:
    kinds = named()
    unknown = []
    for name in re.findall(r"`([^`]+)`", PAGE.split("\nMain states")[0]):
        if match := re.fullmatch(r"([A-Z]\w+)(?:\.(\w+))?", name):
            kind, attribute = match.groups()
            here = kind in Role.__members__ or (kind in kinds and (not attribute or hasattr(kinds[kind], attribute)))
        elif name.startswith("hotline."):
            here = (ROOT / name.replace(".", "/")).is_dir()
        else:
            orders = {*Status, *Action, *(column.key for column in Base.metadata.tables["work_orders"].columns)}
            here = name in orders
        if not here:
            unknown.append(name)
    assert unknown == []


def test_the_states_kinds_and_roles_listed_are_all_there_are() -> None:
    listed = PAGE.split("\nMain states")[1]
    states, kinds = re.findall(r"`([a-z][a-z0-9_ \n]+ [a-z0-9_ \n]+)`", listed)
    assert set(states.split()) == set(Status)
    assert set(kinds.split()) == set(DemandType)
    assert set(re.findall(r"\b[A-Z][A-Z0-9]{1,2}\b", listed.split("Roles:")[1])) == set(Role)
