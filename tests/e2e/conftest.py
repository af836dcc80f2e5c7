"""The whole house on this machine: real processes, real sockets, the demo city, on what this run is for: SQLite and the
embedded Valkey as in the demo, or PostgreSQL and Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from rich.console import Console
from sqlalchemy.orm import Session

from hotline import bootstrap
from hotline.config import Settings
from hotline.db import KeyRing, session_scope, use_key_ring
from hotline.demo.__main__ import prepare
from hotline.demo.places import MODEL, choose_ports, environment, load_secrets
from hotline.demo.processes import Program, Supervisor, embedded_valkey, programs
from hotline.demo.stage import Teller, World
from tests.databases import MakeDatabase
from tests.needs import ON
from tests.redis_server import kept_redis

PATIENCE_S: Final = 120.0  # a machine that does much beside this; what comes comes at once


@dataclass
class Valkey:
    """The embedded Valkey, or Redis. A test may stop it and start it again: the same port, and what it held."""

    folder: Path
    port: int
    runs: bool = False
    _server: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        """Return once it answers; at once when it runs."""
        if not self.runs:
            serve = embedded_valkey if ON == "sqlite" else kept_redis
            self._server.enter_context(serve(self.folder, self.port))
            self.runs = True

    def stop(self) -> None:
        """End it; nothing when it has ended."""
        self.runs = False
        self._server.close()


@dataclass
class House:
    """What runs, and the world it serves."""

    world: World
    supervisor: Supervisor
    programs: dict[str, Program]
    settings: Settings
    valkey: Valkey


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, make_database: MakeDatabase) -> Iterator[House]:
    """Start every process once for the session and end them all."""
    folder: Path = tmp_path_factory.mktemp("house")
    logs = folder / "logs"
    logs.mkdir()
    kept = load_secrets(folder)
    ports = choose_ports(usual=False)
    env = environment(folder, ports, kept, MODEL) | {"HOTLINE_DATABASE_URL": make_database()}
    settings = Settings.from_env(env)
    token = prepare(settings, kept["password"])
    supervisor = Supervisor(env, logs)
    wanted = programs(ports, "")
    valkey = Valkey(folder, ports.valkey)
    try:
        valkey.start()
        for program in wanted:
            supervisor.start(program)
        supervisor.wait_until_up(wanted)
        world = World.served_at(ports, password=kept["password"], token=token, hears=True)
        yield House(world, supervisor, {program.name: program for program in wanted}, settings, valkey)
    finally:
        supervisor.stop()
        valkey.stop()


@pytest.fixture(scope="session")
def teller(house: House) -> Teller:
    """Tells the demo's story into the test's output, and notices a process that died."""
    return Teller(house.world, Console(), house.supervisor.check, patience_s=PATIENCE_S)


Records = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def records(house: House, keys: KeyRing) -> Records:
    """Read what the house has written down: ``with records() as session``."""

    @contextmanager
    def opened() -> Iterator[Session]:
        runtime = bootstrap.build(house.settings)
        try:
            with session_scope(runtime.sessions) as session:
                yield session
        finally:
            runtime.close()
            use_key_ring(keys)  # other tests of this process have keys of their own

    return opened
