"""How tests are shared out when several processes run them.

What starts every process of the product once for many stories goes to one of them; all else to whoever is free. What
takes longest begins first, so that nobody waits at the end for one who began late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

NO_HOUSE = "tests/e2e/test_every_page.py"  # of the files there, the one that starts nothing
# what takes longest, in this order; all else as it stands
FIRST = (
    "tests/e2e/",
    "tests/architecture/test_every_page.py",
    "tests/workers/test_processes.py",
    "tests/unit/work_orders/test_whole_life.py",
    "tests/exchange/test_phone_in_a_browser.py",
    "tests/unit/knowledge_base/test_keeping.py",
)


def together(nodeid: str) -> str:
    """Return what a test shares its process with: the house, or nothing.

    Stories of calls run in real time, so those that start every process never run two at once.
    """
    file = nodeid.partition("::")[0]
    return "house" if file.startswith("tests/e2e/") and file != NO_HOUSE else nodeid


def turn(nodeid: str) -> int:
    """Return how early a test begins: 0 is first."""
    return next((place for place, file in enumerate(FIRST) if nodeid.startswith(file)), len(FIRST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what takes longest; a scope of several tests goes before single ones in any case."""
    items.sort(key=lambda item: turn(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Share tests out by what belongs together."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid)

    return Together(config, log)
