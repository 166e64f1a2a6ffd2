"""The environment of slicing."""

import numpy as np
import pytest
from skybound.formulations.slicing.referee import judge
from skybound.instances.errors import InputError
from skybound.instances.slicing.presets import walk
from skybound.learned.slicing.asking import Layout, Requests, Room
from skybound.learned.slicing.environment import AGENTS, SlicingEnvironment
from skybound.learned.slicing.slots import NONE, Served, Slots
from skybound.solvers.solve import solve


def walks(preset, seeds, slots):
    """The first slots of some walks."""
    return [[instance for instance, _ in zip(walk(preset, seed), range(slots), strict=False)] for seed in seeds]


@pytest.mark.parametrize(
    "preset",
    ["paper-24:users=9,poisson=yes", "fixed-24:capacity=2,weights=2/0.5/3", "reuse-24:users=12", "paper-24:users=3"],
)
@pytest.mark.parametrize("priority", [True, False])
def test_the_return_is_the_referees_objective(preset, priority):
    drawn = walks(preset, range(4), 3)
    environment = SlicingEnvironment(drawn, priority=priority)
    environment.reset(np.arange(4))
    rng = np.random.default_rng(0)
    served = 0
    for t in range(3):
        seen = environment.observe()
        assert seen.shape == (4, AGENTS, environment.features)
        assert seen.min() >= 0
        assert seen.max() <= 1
        earned = environment.step(rng.random((4, AGENTS, environment.actions)))
        for w in range(4):
            verdict = judge(drawn[w][t], environment.slots.decision(environment.served, w))
            assert verdict.feasible
            assert verdict.objective == pytest.approx(earned.objective[w], abs=1e-9)
        served += (environment.served.node != NONE).sum()
    assert environment.over
    assert served > 0


def test_random_instances_of_any_shape(random_slicing):
    """Also without users, nodes, subcarriers or slices."""
    played = 0
    for seed in range(60):
        instance = random_slicing(seed)
        try:
            environment = SlicingEnvironment([[instance]])
        except InputError:
            assert solve(instance, "strongest-signal").decision is None
            continue
        rng = np.random.default_rng(seed)
        environment.observe()
        earned = environment.step(rng.random((1, AGENTS, environment.actions)))
        verdict = judge(instance, environment.slots.decision(environment.served, 0))
        assert verdict.objective == pytest.approx(earned.objective[0], abs=1e-9)
        played += 1
    assert played > 30


@pytest.mark.parametrize("preset", ["fixed-24", "reuse-24"])
def test_services_of_other_solvers_are_worth_the_same(preset):
    """What rules decide, as arrays."""
    (drawn,) = walks(preset, [3], 2)
    slots = Slots(drawn)
    for t, instance in enumerate(drawn):
        decision = solve(instance, "load-balancing").decision
        begin, served = (
            [0, 2, 4],
            Served(decision.uav_candidate[None], *(np.full((1, 24), NONE) for _ in range(2)), np.zeros((1, 24))),
        )
        for k, service in enumerate(decision.serve):
            if service is not None:
                layer = ("station", "uav", "satellite").index(service.layer)
                served.node[0, k] = begin[layer] + service.node
                served.subcarrier[0, k] = service.subcarrier
                served.share[0, k] = service.power_w / instance.budgets_w[layer][service.node]
        value = slots.parts(np.array([t]), served).sum() - instance.weights.delay
        assert value == pytest.approx(judge(instance, decision).objective, abs=1e-9)


def asked(node, subcarrier, share, urgency):
    return Requests(
        *(np.array([own]) for own in (node, subcarrier)), *(np.array([own], float) for own in (share, urgency))
    )


def test_requests_are_met_by_slice_and_urgency():
    """Six users, two a slice, one place on a subcarrier, four at a station."""
    (drawn,) = walks("fixed-24:users=6,capacity=4", [0], 1)
    slots = Slots(drawn)
    # users 0 and 1 (H) want subcarrier 0 of station 0, as user 5 (C) does, who is the most urgent one
    all_ask = asked([0, 0, 0, 0, 0, 0], [0, 0, 1, 2, 3, 0], [1, 1, 1, 0.5, 0.5, 0.1], [0.6, 0.7, 0.5, 0.5, 0.5, 0.9])
    room = Room(slots, 1, priority=True)
    room.meet(all_ask)
    assert room.node[0].tolist() == [NONE, 0, 0, 0, 0, NONE]
    np.testing.assert_allclose(room.served(np.array([[0, 1]])).share[0], np.array([0, 1, 1, 0.5, 0.5, 0]) / 3)
    room = Room(slots, 1, priority=False)
    room.meet(all_ask)
    assert room.node[0].tolist() == [NONE, NONE, 0, 0, 0, 0]
    room.meet(asked([NONE, 2, 0, NONE, NONE, 2], [0, 4, 5, 0, 0, 4], [0, 0.3, 1, 0, 0, 1], [0, 1, 1, 0, 0, 1]))
    assert room.node[0].tolist() == [NONE, 2, 0, 0, 0, 0]
    assert room.subcarrier[0].tolist() == [0, 4, 1, 2, 3, 0]


def test_actions_are_rounded():
    """Nodes from one half on, the highest number's; places are the agents' mean."""
    (drawn,) = walks("fixed-24:users=3", [0], 1)
    slots = Slots(drawn)
    sky = Layout(slots, 1, sky=True)
    assert sky.size == 3 + 10 + 1 + 4
    action = np.zeros((1, 3, sky.size))
    action[0, 0, :3], action[0, 1, :3] = [0.2, 0.9, 0.6], [0.49, 0.1, 0.2]
    action[0, :, 3 + 7], action[0, :, 13] = 1, [0.25, 0.5, 1]
    action[0, :, 14:] = [[0, 0, 1, 1], [0, 0.3, 1, 1], [0.3, 0, 1, 0.4]]
    requests = sky.requests(action, 3)
    assert requests.node[0].tolist() == [3, NONE, NONE]
    assert requests.subcarrier[0].tolist() == [7, 7, 7]
    assert requests.share[0].tolist() == [0.25, 0.5, 1]
    np.testing.assert_allclose(sky.wanted(action)[0], [[0.1, 0.1], [1, 0.8]])


def test_uavs_keep_their_distance():
    (drawn,) = walks("paper-24:users=3", [0], 1)
    slots = Slots(drawn)
    both = slots.candidates(np.array([[[1500.0, 1500.0], [1510.0, 1650.0]], [[1490.0, 1500.0], [2100.0, 900.0]]]))
    assert drawn[0].uavs.candidates[both].tolist() == [[[1500, 1500], [1500, 2000]], [[1500, 1500], [2000, 1000]]]
