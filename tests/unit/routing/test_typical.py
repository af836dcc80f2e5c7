"""Typical matters: what no weighing of single words can tell, nearness as anybody would work it out, files checked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.routing.model import Question
from hotline.routing.training import train
from hotline.routing.typical import Typical
from tests.conftest import NOON
from tests.unit.routing.messages import LIGHTS, WATER, row


def test_a_label_may_stand_for_matters_that_have_nothing_in_common() -> None:
    """No word here belongs to one label: only which words come together tells."""
    together = [
        ("停水", "学校", WATER, 16),
        ("断电", "工厂", WATER, 8),
        ("停水", "工厂", LIGHTS, 8),
        ("断电", "学校", LIGHTS, 8),
    ]
    learnt = [
        row(f"{one}{two}-{n}", f"{one}，{two}", label) for one, two, label, times in together for n in range(times)
    ]
    model = train(learnt, now=NOON)
    for one, two, label, _ in together:
        proposal = model.propose(Question.CATEGORY, title="", text=f"{two}，{one}")
        assert proposal is not None
        assert proposal.candidates[0].label == label


# ---- nearness

TERMS, LABELS = 6, 3
strengths = st.floats(0.125, 4, width=16)


@st.composite
def typicals(draw: st.DrawFn) -> tuple[Typical, np.ndarray]:
    """Typical matters, and the same as a table by centre and term."""
    firsts = np.cumsum([0, *(draw(st.integers(1, 3)) for _ in range(LABELS))])
    table = np.array([[draw(st.just(0.0) | strengths) for _ in range(TERMS)] for _ in range(firsts[-1])])
    by_term = [np.flatnonzero(column) for column in table.T]
    kept = Typical(
        np.array([draw(strengths) for _ in range(TERMS)], np.float32),
        np.cumsum([0, *map(len, by_term)]),
        np.concatenate(by_term),
        np.concatenate([table[found, term] for term, found in enumerate(by_term)]).astype(np.float32),
        firsts,
    )
    return kept, table


@given(typicals(), st.dictionaries(st.integers(0, TERMS - 1), strengths, min_size=1))
def test_nearness_is_the_cosine_to_the_nearest_centre(made: tuple[Typical, np.ndarray], text: dict[int, float]) -> None:
    typical, table = made
    whole = np.zeros(TERMS)
    whole[list(text)] = list(text.values())
    whole *= typical.telling
    cosines = table @ whole / np.linalg.norm(whole)
    naive = [cosines[begin:end].max() for begin, end in zip(typical.firsts, typical.firsts[1:], strict=False)]
    near = typical.nearness(np.array(list(text)), np.array(list(text.values()), np.float32))
    assert near == pytest.approx(naive, rel=1e-4)


@given(typicals())
def test_what_is_kept_is_what_was_learnt(made: tuple[Typical, np.ndarray]) -> None:
    typical, _ = made
    again = Typical.of(typical.arrays(), terms=TERMS, labels=LABELS)
    assert all(
        (ours == theirs).all() for ours, theirs in zip(vars(typical).values(), vars(again).values(), strict=True)
    )


@pytest.mark.parametrize(
    ("name", "spoilt"),
    [
        ("telling", [1.0, 1.0]),
        ("telling", [np.nan, 1.0, 1.0]),
        ("starts", [0, 2, 1, 2]),
        ("starts", [1, 1, 1, 2]),
        ("starts", [0, 1, 2, 9]),
        ("centres", [0, 7]),
        ("centres", [-1, 0]),
        ("values", [1.0]),
        ("values", [1.0, np.inf]),
        ("firsts", [0, 0, 2]),
        ("firsts", [0, 2]),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(name: str, spoilt: list[float]) -> None:
    arrays = {
        "telling": np.ones(3),
        "starts": np.array([0, 1, 2, 2]),
        "centres": np.array([0, 1]),
        "values": np.ones(2),
        "firsts": np.array([0, 1, 2]),
    }
    Typical.of(arrays, terms=3, labels=2)
    with pytest.raises(ValueError, match="not"):
        Typical.of({**arrays, name: np.array(spoilt)}, terms=3, labels=2)
