"""The referee of provisioning, on the case worked by hand, and against simulation."""

from dataclasses import replace

import numpy as np
import pytest
from skybound.formulations.provisioning.referee import judge
from skybound.formulations.provisioning.rewards import rewards
from skybound.instances.provisioning import ProvisioningDecision

BEST = [[[0, 0, -1, 0], [-1, -1, 0, -1]], [[-1, -1, 0, -1], [-1, -1, -1, 0]]]
EXPECTED = [[[0, 0, 0, -1], [-1, -1, -1, 0]], [[0, 0, -1, 0], [-1, -1, 0, -1]]]


def test_the_worked_case(worked_provisioning):
    """A rate of 12 Mbit/s earns 180 less 24; a hit 6 a Mbit, a miss -4; a server 2.5 a Mcycle/s less the work."""
    verdict = judge(worked_provisioning, ProvisioningDecision(BEST))
    assert verdict.violations == ()
    assert verdict.parts == pytest.approx({"transmission": 156, "caching": 12 + 18, "computing": 19 + 21})
    assert verdict.objective == pytest.approx(226)
    assert verdict.measures == pytest.approx({"realised": 226, "benefit": 226 / 4})


def test_what_is_expected_of_the_states_before(worked_provisioning):
    """Slot 0 by where chains begin: 15 * 0.75 * 9 - 24, 2 * 3, 2.5 * 7 - 4; slot 1 by what follows on slot 0."""
    before = replace(worked_provisioning, information="previous")
    verdict = judge(before, ProvisioningDecision(EXPECTED))
    assert verdict.parts["transmission"] == pytest.approx(77.25 + 15 * 0.9 * (0.8 * 12 + 0.2 * 6) - 24)
    assert verdict.parts["caching"] == pytest.approx(6 + 10 * 0.5 * 2 - 8)
    assert verdict.parts["computing"] == pytest.approx(13.5 + 2.5 * (0.3 * 4 + 0.7 * 10) - 6)
    assert verdict.objective == pytest.approx(235.05)
    assert verdict.measures["realised"] == pytest.approx(156 - 12 + 6 - 24 + 12 + 4)


def test_nothing_is_worth_nothing(worked_provisioning):
    verdict = judge(worked_provisioning, ProvisioningDecision(np.full((2, 2, 4), -1)))
    assert (verdict.objective, verdict.violations) == (0.0, ())


def test_what_is_taken_is_paid_for(worked_provisioning, worked_provisioning_data):
    """A pair over a busy relay, or without cover, costs 24; a miss 4 a Mbit."""
    nothing = np.full((2, 2, 4), -1)
    nothing[1, 0] = [0, 0, -1, -1]
    assert judge(worked_provisioning, ProvisioningDecision(nothing)).objective == pytest.approx(-24)
    nothing[1, 0], nothing[0, 0] = -1, [0, 0, 0, -1]
    hidden = replace(worked_provisioning, covered=np.zeros((2, 2, 1), np.int64))
    assert judge(hidden, ProvisioningDecision(nothing)).objective == pytest.approx(-24 - 12)


@pytest.mark.parametrize(
    ("choice", "constraint", "place"),
    [
        ([0, -1, -1, -1], "LEO and GEO together", "slot 1, user 0"),
        ([-1, 0, -1, -1], "LEO and GEO together", "slot 1, user 0"),
        ([0, 0, -1, -1], "capacity", "slot 1, LEO satellite 0"),
        ([0, 0, -1, -1], "capacity", "slot 1, GEO relay 0"),
        ([-1, -1, 0, -1], "capacity", "slot 1, cache 0"),
        ([-1, -1, -1, 0], "capacity", "slot 1, server 0"),
    ],
)
def test_what_is_violated_is_named(worked_provisioning, choice, constraint, place):
    taken = np.full((2, 2, 4), -1)
    taken[1, 0], taken[1, 1] = choice, [0, 0, 0, 0]
    verdict = judge(worked_provisioning, ProvisioningDecision(taken))
    assert verdict.objective is None
    assert (constraint, place, 1.0) in {(v.constraint, v.place, v.amount) for v in verdict.violations}


def test_expectations_are_means_of_what_follows(random_provisioning):
    """Rewards by the states before, against the mean of rewards over 4,000 continuations of each slot."""
    checked = 0
    for seed in range(12):
        instance = random_provisioning(seed)
        if instance.chains is None or instance.slots < 2:
            continue
        rng, draws = np.random.default_rng(seed), 4_000
        expected = rewards(instance, "previous")
        drawn = continued(instance, draws, rng)
        for part, mean in zip(expected, rewards(drawn, "current"), strict=True):
            if part.size:
                spread = mean.std(0) / np.sqrt(draws)
                assert (np.abs(mean.mean(0) - part[1]) <= 5 * spread + 1e-9).all(), seed
                checked += 1
    assert checked >= 12


def continued(instance, draws, rng):
    """Slot 1 drawn many times after slot 0, as slots of one instance."""
    chains = instance.chains

    def after(states, chain):
        until = np.cumsum(chain.transition[(states[..., None] == chain.levels).argmax(-1)], -1)
        return chain.levels[(rng.random((draws, *states.shape, 1)) > until[..., :-1]).sum(-1)]

    hits = np.zeros((draws, *instance.cache_hit.shape[1:]), np.int64)
    for user, cache in np.ndindex(*hits.shape[1:]):
        level = int((chains.cache_hit.levels == instance.cache_hit[0, user, cache]).argmax())
        chance = chains.cache_hit.transition[cache, level]
        hits[:, user, cache] = chains.cache_hit.levels[rng.choice(2, draws, p=chance)]
    return replace(
        instance,
        slots=draws,
        information="current",
        covered=np.repeat(instance.covered[1:2], draws, 0),
        leo_efficiency=after(instance.leo_efficiency[0], chains.leo_efficiency),
        geo_free=after(instance.geo_free[0], chains.geo_free).astype(np.int64),
        geo_efficiency=after(instance.geo_efficiency[0], chains.geo_efficiency),
        cache_hit=hits,
        server_mcycles_per_s=after(instance.server_mcycles_per_s[0], chains.server_mcycles_per_s),
    )
