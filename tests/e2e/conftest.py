"""The whole house on this machine: real processes, real sockets, the embedded Valkey, the demo city."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from hotline.config import Settings
from hotline.demo.__main__ import _prepare
from hotline.demo.places import LOOPBACK, MODEL, choose_ports, environment, load_secrets
from hotline.demo.processes import Program, Supervisor, embedded_valkey, programs
from hotline.demo.story import Teller, World


@dataclass
class House:
    """What runs, and the world it serves."""

    world: World
    supervisor: Supervisor
    programs: dict[str, Program]
    settings: Settings


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Start every process once for the session and end them all."""
    folder: Path = tmp_path_factory.mktemp("house")
    logs = folder / "logs"
    logs.mkdir()
    kept = load_secrets(folder)
    ports = choose_ports(usual=False)
    env = environment(folder, ports, kept, MODEL)
    settings = Settings.from_env(env)
    token = _prepare(settings, kept["password"])
    supervisor = Supervisor(env, logs)
    wanted = programs(ports, "")
    with embedded_valkey(folder, ports.valkey):
        try:
            for program in wanted:
                supervisor.start(program)
            supervisor.wait_until_up(wanted)
            world = World(
                web=f"http://{LOOPBACK}:{ports.web}",
                exchange=f"http://{LOOPBACK}:{ports.exchange}",
                password=kept["password"],
                token=token,
                hears=True,
            )
            yield House(world, supervisor, {program.name: program for program in wanted}, settings)
        finally:
            supervisor.stop()


@pytest.fixture(scope="session")
def teller(house: House) -> Teller:
    """Tells the demo's story into the test's output, and notices a process that died."""
    return Teller(house.world, Console(), house.supervisor.check)
