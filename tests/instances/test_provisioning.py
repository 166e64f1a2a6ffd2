"""What a provisioning may be, and its presets."""

from dataclasses import replace

import numpy as np
import pytest
from skybound.instances.errors import InputError
from skybound.instances.provisioning import Chain, Provisioning
from skybound.instances.provisioning.chains import stationary, walk
from skybound.instances.provisioning.presets import LINK, SERVER, generate

ISS = """\
1 25544U 98067A   19343.69339541  .00001764  00000-0  38792-4 0  9991
2 25544  51.6439 211.2001 0007417  17.6667  85.6398 15.50103472202482
"""


@pytest.mark.parametrize(
    ("preset", "shape", "capacities"),
    [
        ("paper", (100, 20, 4, 2, 3, 4), (6, 8, 8, 6)),
        ("tight", (100, 20, 4, 2, 3, 4), (3, 4, 4, 3)),
        ("large", (10, 200, 20, 4, 6, 10), (6, 30, 20, 15)),
    ],
)
def test_presets_have_their_numbers(preset, shape, capacities):
    instance = generate(preset, 0)
    assert (instance.slots, instance.users, *map(len, instance.capacities)) == shape
    assert [set(capacity) for capacity in instance.capacities] == [{most} for most in capacities]
    assert (instance.leo_bandwidth_mhz, instance.geo_bandwidth_mhz, instance.energy_j_per_mcycle) == (6, 6, 1)
    assert instance.fee.to_json() == {"transmission": 15, "caching": 10, "computing": 5}
    assert instance.price.to_json() == {"leo": 2, "geo": 2, "caching": 4, "computing": 1}
    alike = preset == "paper"
    assert ((instance.task_mbits == 3).all(), (instance.task_mcycles == 6).all()) == (alike, alike)
    assert alike == bool((instance.covered == instance.covered[:, :1]).all())


def test_the_paper_has_satellites_above_most_of_the_time():
    """Of 120 satellites at 550 km, over a place at 40 degrees: the highest nearly always, the fourth seldom."""
    share = np.mean([generate("paper:slots=5", seed).covered.mean((0, 1)) for seed in range(40)], 0)
    assert share[0] >= 0.9
    assert (np.diff(share) <= 0).all()
    assert 0.1 <= share[3] <= 0.9


def test_what_differs_in_one_respect_differs_in_nothing_else():
    paper, shorter = generate("paper", 3), generate("paper:slots=40", 3)
    for name in ("covered", "leo_efficiency", "geo_free", "geo_efficiency", "cache_hit", "server_mcycles_per_s"):
        assert (getattr(paper, name)[:40] == getattr(shorter, name)).all()
    before = generate("paper:information=previous,caching_fee=20", 3)
    assert before == replace(paper, information="previous", fee=replace(paper.fee, caching=20.0))


def test_users_stand_at_stations_in_turn(tmp_path):
    """One satellite in the sky: whoever stands under it is covered."""
    (tmp_path / "iss.tle").write_text(ISS)
    rows = [f"{k},place {k},{latitude},{longitude},0" for k, (latitude, longitude) in enumerate(((0, 0), (0, 180)))]
    (tmp_path / "places.csv").write_text("\n".join(rows))
    name = f"paper:tle={tmp_path / 'iss.tle'},stations={tmp_path / 'places.csv'},resources=1/1/0/0,slots=6000,users=4"
    covered = generate(name, 0).covered[..., 0]
    assert (covered[:, 0] == covered[:, 2]).all()
    assert (covered[:, 1] == covered[:, 3]).all()
    assert 0 < covered[:, 0].mean() < 0.2
    assert 0 < covered[:, 1].mean() < 0.2
    assert not (covered[:, 0] & covered[:, 1]).any()


def test_chains_begin_as_they_go_on():
    for chain in (LINK, SERVER):
        assert chain.initial @ chain.transition == pytest.approx(chain.initial, abs=1e-12)
    assert stationary(np.array([[0.6, 0.4], [0.2, 0.8]])) == pytest.approx([1 / 3, 2 / 3])


def test_walks_go_as_their_chain():
    """Frequencies of 40,000 steps within five standard errors, and independent copies."""
    states = walk(LINK, 20_001, (2,), np.random.default_rng(0))
    level = (states[..., None] == LINK.levels).argmax(-1)
    for k, row in enumerate(LINK.transition):
        after = level[1:][level[:-1] == k]
        share = np.bincount(after, minlength=3) / len(after)
        assert (np.abs(share - row) <= 5 * np.sqrt(row * (1 - row) / len(after))).all()
    assert abs(np.corrcoef(states.T)[0, 1]) < 0.05


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("users",), 3, "task_mbits: has 2 entries for 3 users"),
        (("slots",), 3, "covered: has 2 entries for 3 slots"),
        (("information",), "next", "information: must be one of current, previous"),
        (("covered", 0, 1, 0), 2, r"covered\[0\]\[1\]\[0\]: must be at most 1"),
        (("geo_free", 1), [0, 1], r"geo_free\[1\]: has 2 entries"),
        (("task_mcycles", 0), 0.0, r"task_mcycles\[0\]: must be above 0"),
        (("leo_efficiency", 1, 0, 0), 2.0, r"leo_efficiency\[1\]\[0\]\[0\]: is 2, no level of chains.leo_efficiency"),
        (("chains", "geo_free", "levels", 0), 0.5, r"chains.geo_free.levels\[0\]: must be 0 or 1, is 0.5"),
        (("chains", "geo_free", "initial"), [0.2, 0.7], r"chains.geo_free.initial: sums to 0.9, not to 1"),
        (
            ("chains", "leo_efficiency", "transition", 1),
            [0.5, 0.6],
            r"chains.leo_efficiency.transition\[1\]: sums to 1.1",
        ),
        (("chains", "cache_hit", "transition", 0, 1), [0, 0.5], r"chains.cache_hit.transition\[0\]\[1\]: sums to 0.5"),
        (("chains", "leo_efficiency", "levels"), [3.0, 3.0], r"chains.leo_efficiency.levels\[1\]: is 3 again"),
        (("chains", "cache_hit", "initial"), [[0.4, 0.6]] * 2, r"chains.cache_hit.transition: has 1 entries"),
        (("chains", "geo_free", "transition"), [[1.0]], r"chains.geo_free.transition: has 1 entries"),
        (("fee", "caching"), -1.0, "fee.caching: must be at least 0"),
        (("fee", "transmission"), 1e308, "fee: makes rewards too large"),
    ],
)
def test_what_is_wrong_is_named(worked_provisioning_data, place, value, message):
    at = worked_provisioning_data
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    with pytest.raises(InputError, match=message):
        Provisioning.from_json(worked_provisioning_data, "data", name="wrong")


def test_information_of_before_needs_chains(worked_provisioning):
    assert replace(worked_provisioning, chains=None).chains is None
    with pytest.raises(InputError, match="chains: is missing, but information is previous"):
        replace(worked_provisioning, chains=None, information="previous")


def test_caches_need_a_chain_each(worked_provisioning):
    hits = worked_provisioning.chains.cache_hit
    twice = replace(hits, initial=np.repeat(hits.initial, 2, 0), transition=np.repeat(hits.transition, 2, 0))
    with pytest.raises(InputError, match=r"chains\.cache_hit\.initial: has 2 entries for 1 caches"):
        replace(worked_provisioning, chains=replace(worked_provisioning.chains, cache_hit=twice))


def test_a_chain_has_levels():
    with pytest.raises(InputError, match="levels: must not be empty"):
        Chain(np.zeros(0), np.zeros(0), np.zeros((0, 0)))


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ([[[0, 0, 0, 0]] * 2], r"decision.choice: has 1 entries for 2 slots"),
        ([[[0, 0, 0, 0]]] * 2, r"decision.choice\[0\]: has 1 entries for 2 users"),
        ([[[0, 0, 0, 0], [0, 0, 1, 0]]] * 2, r"decision.choice\[0\]\[1\]\[2\]: must be below 1, is 1"),
        ([[[0, 0, 0, 0], [0, 0, -2, 0]]] * 2, r"decision.choice\[0\]\[1\]\[2\]: must be at least -1"),
    ],
)
def test_decisions_must_fit(worked_provisioning, choice, message):
    with pytest.raises(InputError, match=message):
        worked_provisioning.decide({"choice": choice})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("paper:users=0", "must be above 0"),
        ("paper:resources=1/2", "must be four integers"),
        ("paper:information=next", "must be current or previous"),
        ("paper:caching_fee=-1", "must be at least 0"),
        ("paper:resources=200/1/1/1", "has 120 satellites for 200"),
        ("tight:stations=x.csv", "its coverage is drawn"),
        ("paper:start=2020-01-01", "start without element sets"),
        ("paper:", 'has the variant "", unknown'),
        ("paper:users=3,users=4", 'has the variant "users" twice'),
    ],
)
def test_variants_that_cannot_be_are_refused(name, message):
    with pytest.raises(InputError, match=message):
        generate(name, 0)
