"""The environment of provisioning."""

import numpy as np
import pytest
from skybound.formulations.provisioning.referee import judge
from skybound.instances.provisioning import ProvisioningDecision
from skybound.instances.provisioning.presets import generate
from skybound.learned.provisioning.environment import ProvisioningEnvironment
from skybound.learned.provisioning.worlds import Worlds


def played(instances, rng, environments=None):
    """An environment after random possible actions, and its returns."""
    environment = ProvisioningEnvironment(Worlds(instances))
    environment.reset(np.arange(len(instances)) if environments is None else environments)
    returns = np.zeros(len(environment.world))
    while not environment.over.all():
        lots = np.where(environment.mask, rng.random(environment.mask.shape), -1.0)
        parts = np.split(lots, np.cumsum(np.array(environment.layout.sizes) + 1)[:-1], 1)
        observed = environment.observe()
        assert observed.shape == (len(returns), environment.features)
        assert np.abs(observed).max() <= 1
        returns += environment.step(np.stack([part.argmax(1) for part in parts], 1))
    return environment, returns


@pytest.mark.parametrize(
    "preset", ["paper:slots=3,users=6", "tight:slots=3,information=previous", "large:slots=1,users=50"]
)
def test_the_return_is_the_referees_objective(preset):
    instances = [generate(preset, seed) for seed in range(4)]
    environment, returns = played(instances, np.random.default_rng(0))
    for instance, choice, value in zip(instances, environment.choice(), returns, strict=True):
        verdict = judge(instance, ProvisioningDecision(choice))
        assert verdict.feasible
        assert verdict.objective == pytest.approx(value)


def test_random_instances_of_any_shape(random_provisioning):
    """Also without satellites, caches or servers at all."""
    for seed in range(40):
        instance = random_provisioning(seed)
        environment, returns = played([instance], np.random.default_rng(seed))
        assert judge(instance, ProvisioningDecision(environment.choice()[0])).objective == pytest.approx(returns[0])


def test_impossible_parts_are_nothing(worked_provisioning):
    """User 0 takes all there is; user 1 gets nothing of it, and numbers beyond the options are nothing, too."""
    environment = ProvisioningEnvironment(Worlds([worked_provisioning]))
    assert environment.step(np.array([[1, 1, 1]]))[0] == pytest.approx(156 - 12 + 19)
    assert environment.mask.tolist() == [[True, False] * 3]
    assert environment.step(np.array([[1, 1, 1]]))[0] == 0
    assert environment.slot.tolist() == [1]
    assert environment.step(np.array([[9, -1, 0]]))[0] == 0
    assert environment.step(np.array([[0, 1, 1]]))[0] == pytest.approx(12 + 21)
    assert environment.over.all()
    assert environment.step(np.array([[1, 1, 1]]))[0] == 0
    assert environment.taken[0].tolist() == [[[0, 0, 0], [-1] * 3], [[-1] * 3, [-1, 0, 0]]]


def test_what_is_seen(worked_provisioning):
    """Slot 0, user 0: the pair at 156 of 156, a miss at -12 of 18, the server at 19 of 21; user 1 wants all of them."""
    environment = ProvisioningEnvironment(Worlds([worked_provisioning]))
    seen = environment.observe()[0]
    assert seen[:3] == pytest.approx([1, -12 / 18, 19 / 21])
    assert seen[3:6].tolist() == [1, 1, 1]
    assert seen[6:9] == pytest.approx([66 / 156, 12 / 18, 6 / 21])
    assert seen[9:13].tolist() == [1, 1, 1, 1]
    assert seen[13:17] == pytest.approx([0.5, 0.5, 0.5, 0.5])
    assert seen[17] == pytest.approx(0.5)
    environment.step(np.array([[1, 0, 0]]))
    assert environment.observe()[0][:9] == pytest.approx([-1, 12 / 18, 6 / 21, 0, 1, 1, 0, 0, 0])


def test_some_begin_anew(worked_provisioning):
    environment = ProvisioningEnvironment(Worlds([worked_provisioning, worked_provisioning]))
    environment.reset(np.array([0, 1, 0]))
    environment.step(np.ones((3, 3), np.int64))
    environment.begin(np.array([1]), np.array([0]))
    assert environment.user.tolist() == [1, 0, 1]
    assert environment.world.tolist() == [0, 0, 0]
    assert environment.left.tolist() == [[0] * 4, [1] * 4, [0] * 4]
    assert (environment.taken[1] == -1).all()
