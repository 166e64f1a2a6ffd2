"""Figures say what is so: nobody earns more than the optimum, which earns no more than who knows the slot."""

import pandas as pd
import pytest
from skybound.evaluation.reproduce import provisioning


@pytest.mark.slow
def test_no_line_of_provisioning_is_above_its_bound(tmp_path):
    effort = provisioning.Effort(
        range(2),
        {"updates": 4, "unit": 4, "worlds": 2, "environments": 2},
        {"imitation_steps": 20, "validate": 20, "label_worlds": 2, "batch": 4},
        2,
        (0.5, 2.0),
        "slots=10",
    )
    picture = provisioning.FIGURES[10](tmp_path, effort)
    assert picture.stat().st_size > 10_000
    rows = pd.read_csv(picture.with_suffix(".csv"))
    now, before = (own.pivot_table(index="x", columns="method", values="y") for _, own in rows.groupby("panel"))
    if "clairvoyant bound" in now:
        now, before = before, now
    assert now.index.tolist() == before.index.tolist() == [5.0, 20.0]
    assert (now.max(axis=1) == now["optimum (proven)"]).all()
    assert (before.max(axis=1) == before["clairvoyant bound"]).all()
    assert before["clairvoyant bound"].tolist() == pytest.approx(now["optimum (proven)"].tolist())
    assert now["greedy"].iloc[1] > now["greedy"].iloc[0]
