"""How tests are shared out when several processes run them.

What starts every process of the product once for many stories goes to one of them; all else to whoever is free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

# files whose stories each bring a house of their own
ALONE = ("tests/e2e/test_setup.py", "tests/e2e/test_story.py")


def together(nodeid: str) -> str:
    """Return what a test shares its process with: the house, its file, or nothing."""
    file = nodeid.partition("::")[0]
    if not file.startswith("tests/e2e/"):
        return nodeid
    return file if file in ALONE else "house"


class Shared:
    """Registered only where tests are shared out: without that plugin its hook has nobody to call it."""

    @pytest.hookimpl
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> LoadScopeScheduling:
        """Share tests out by what belongs together."""
        from xdist.scheduler import LoadScopeScheduling

        class Together(LoadScopeScheduling):
            def _split_scope(self, nodeid: str) -> str:
                return together(nodeid)

        return Together(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Share out where there are several processes."""
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(Shared(), "shared-out")
