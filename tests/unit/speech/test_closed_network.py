"""A model carried by hand to a machine without a way out."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from click.testing import CliRunner

from hotline.cli import main
from hotline.speech.models import ModelFault, check_model, install_from
from tests.unit.speech.test_models import FILES, OFFICIAL, archive, left_in


@pytest.fixture
def carried(tmp_path: Path) -> Path:
    """The publisher's zip."""
    path = tmp_path / f"{OFFICIAL}.zip"
    path.write_bytes(archive(FILES))
    return path


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def test_the_listed_file_becomes_the_model_and_stays_where_it_is(carried: Path, tmp_path: Path) -> None:
    told = CliRunner().invoke(
        main,
        ["speech", "install", "small-cn", "--into", f"{tmp_path}/models", f"--from={carried}", f"--md5={md5(carried)}"],
    )
    assert told.exit_code == 0, told.output
    model = tmp_path / "models" / OFFICIAL
    assert f"export HOTLINE_SPEECH_MODEL={model}" in told.output
    assert check_model(model) == model and carried.exists()


def test_a_file_other_than_the_listed_one_is_not_unpacked(carried: Path, tmp_path: Path) -> None:
    listed = md5(carried)
    carried.write_bytes(carried.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelFault, match="is not the file its publisher lists"):
        install_from(carried, tmp_path / "models", md5=listed)
    assert not (tmp_path / "models").exists() or left_in(tmp_path / "models") == []


def test_a_file_of_another_name_and_a_missing_sum_are_refused(carried: Path, tmp_path: Path) -> None:
    other = carried.rename(tmp_path / "vosk-model-small-ko-0.22.zip")
    with pytest.raises(ModelFault, match="is none of"):
        install_from(other, tmp_path / "models", md5=md5(other))
    told = CliRunner().invoke(main, ["speech", "install", "small-cn", "--from", str(other)])
    assert told.exit_code == 2 and "--from and --md5 go together" in told.output
