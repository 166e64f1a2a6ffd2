"""Imitation of provisioning: states on the way, networks that know no numbers, learning from optima."""

from functools import partial

import numpy as np
import pytest
import torch
from skybound.formulations.provisioning.referee import judge
from skybound.instances.errors import InputError
from skybound.instances.provisioning import ProvisioningDecision
from skybound.instances.provisioning.presets import generate
from skybound.learned.algorithms import train
from skybound.learned.provisioning.imitation import ProvisioningImitation
from skybound.learned.provisioning.slot_decoder import decide, rounds
from skybound.learned.provisioning.slot_labels import SlotLabels
from skybound.learned.provisioning.slot_loss import imitation_loss, reinforce_loss
from skybound.learned.provisioning.slot_network import PartNetwork, Size, SlotNetwork
from skybound.learned.provisioning.slot_part import Part, choice_of, options_of
from skybound.learned.provisioning.worlds import Worlds
from skybound.solvers.solve import solve

SMALL = Size(8, 1, 2)
FEW = {"label_worlds": 3, "validation_worlds": 2, "chunk_worlds": 3, "unit": 10, "validate": 20, "batch": 8, "width": 8}


def test_an_optimum_can_be_told_in_parts(random_provisioning):
    """Options of an optimum give its choices back, and earn its objective; no place is left over or given twice."""
    for seed in range(30):
        instance = random_provisioning(seed)
        found = solve(instance)
        parts = Part.of(pool := Worlds([instance]))
        for part, option in zip(parts, options_of(found.decision.choice, parts), strict=True):
            slot, user = np.nonzero(np.ones(part.open.shape))
            part.decide(slot, user, option[slot, user])
            assert (part.rows >= 0).all()
            assert (part.columns >= 0).all()
            assert not part.able.any()
        assert np.array_equal(choice_of(parts, instance.slots)[0], found.decision.choice)
        earned = sum(part.earned.sum() * scale for part, scale in zip(parts, pool.scale[0], strict=True))
        assert earned == pytest.approx(found.objective)


@pytest.mark.parametrize("samples", [1, 3])
def test_what_an_untrained_network_decides_is_feasible(random_provisioning, samples):
    network = SlotNetwork(SMALL)
    for seed in range(20):
        instance = random_provisioning(seed)
        parts = decide(network, Part.of(Worlds([instance])), samples)
        assert judge(instance, ProvisioningDecision(choice_of(parts, instance.slots)[0])).feasible


def test_more_samples_earn_no_less():
    network, parts = SlotNetwork(SMALL), Part.of(Worlds([generate("tight:slots=5", 0)]))
    one, many = (decide(network, parts, samples) for samples in (1, 9))
    for single, best in zip(one, many, strict=True):
        assert (best.earned >= single.earned).all()
    assert sum(best.earned.sum() for best in many) > sum(single.earned.sum() for single in one)


def test_users_and_places_can_be_renumbered():
    """Users, LEO satellites and relays in another order: log-likelihoods in that order."""
    part = Part.of(Worlds([generate("tight:slots=4", 0)]))[0]
    rng = np.random.default_rng(0)
    users, rows, columns = (rng.permutation(size) for size in part.value.shape[1:])
    other = Part(
        part.value[:, users][:, :, rows][..., columns],
        part.rows[:, rows],
        part.columns[:, columns],
        part.open,
        part.option,
    )
    network = PartNetwork(SMALL)
    with torch.inference_mode():
        known, found = network(part), network(other)
    shape = part.value.shape
    assert torch.allclose(found[..., 0], known[:, users, 0], atol=1e-5)
    moved = known[..., 1:].reshape(shape)[:, users][:, :, rows][..., columns]
    assert torch.allclose(found[..., 1:].reshape(shape), moved, atol=1e-4)


def test_nobody_decides_twice_and_nothing_is_taken_that_is_not_offered():
    part = Part.of(Worlds([generate("large:slots=2,users=50", 0)]))[0]
    seen = np.zeros(part.open.shape, int)
    for step in rounds(PartNetwork(SMALL), part):
        slot = np.arange(len(part))[:, None]
        several = step.offered.sum(2) > 1
        np.add.at(seen, (np.broadcast_to(slot, step.user.shape)[several], step.user[several]), 1)
        assert np.take_along_axis(step.offered, step.column[..., None], 2).all()
    assert seen.max() == 1
    assert not part.able.any()


def test_a_loss_is_least_where_the_optimum_is_certain():
    """Descending on one slot's label: little loss is left, and what is decided earns the optimum."""
    labels = SlotLabels.draw("tight:slots=1,users=6", [0], 1e-6)
    pool = Worlds(labels.instances)
    network, parts = SlotNetwork(Size(16, 2, 2)), Part.of(pool)
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    options = options_of(labels.choice[0], parts)
    rng, losses = np.random.default_rng(0), []
    for _ in range(150):
        loss = torch.stack(
            [
                imitation_loss(own, part.take(np.zeros(4, int)), np.repeat(option, 4, 0), rng)
                for (own, part), option in zip(network.parts(parts), options, strict=True)
            ]
        ).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) / 3
    earned = sum((p.earned * scale).sum() for p, scale in zip(decide(network, parts), pool.scale[0], strict=True))
    assert earned == pytest.approx(labels.optimum[0])


def test_reinforcement_finds_an_optimum_without_looking():
    """From a fresh network, by its own draws of one slot alone."""
    instance = generate("tight:slots=1,users=6", 3)
    parts, scale = Part.of(pool := Worlds([instance])), Worlds([instance]).scale[0]
    network, rng = SlotNetwork(Size(16, 1, 2)), np.random.default_rng(0)
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)

    def earned():
        return sum(float(part.earned.sum()) * own for part, own in zip(decide(network, parts), scale, strict=True))

    begun = earned()
    for _ in range(80):
        losses = [reinforce_loss(own, part.take(np.zeros(1, int)), 32, 0.0, rng) for own, part in network.parts(parts)]
        loss = torch.stack([tuning.loss for tuning in losses]).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    optimum = solve(pool.instances[0]).objective
    assert begun < 0.99 * optimum
    assert earned() > 0.99 * optimum


def test_imitation_learns_and_serves_other_sizes(tmp_path):
    """One run over two presets of different shapes; what it comes to beats the greedy rule on unseen instances."""
    presets = "tight:slots=20;tight:slots=5,users=30,resources=5/3/4/5,information=previous"
    changes = FEW | {"imitation_steps": 120, "validate": 60, "batch": 16, "width": 16}
    outcome = train("provisioning", presets, "imitation", [0], tmp_path, changes=changes)
    assert outcome.stopped == "done"
    assert outcome.metrics["validation_regret/tight:slots=20"][0] < 0.1
    solver = f"policy:{tmp_path}"
    for preset in ("tight:slots=20", "paper:slots=5,users=7"):
        instance = generate(preset, 1)
        found = solve(instance, solver)
        assert found.objective > 0.5 * solve(instance).objective
        if preset.startswith("tight"):
            assert found.objective > solve(instance, "greedy").objective


def test_runs_resume_bit_for_bit(tmp_path, interrupted):
    changes = FEW | {"imitation_steps": 10, "tuning_steps": 10, "tuning_batch": 2, "samples": 2}
    preset = "tight:slots=4,users=5"
    whole = train("provisioning", preset, "imitation-rl", [0, 1], tmp_path / "a", changes=changes)
    again = partial(train, "provisioning", preset, "imitation-rl", [0, 1], tmp_path / "b", changes=changes, resume=True)
    interrupted(ProvisioningImitation, 2, again)
    assert whole.stopped == "done"
    one, other = (torch.load(tmp_path / name / "policy.pt") for name in "ab")
    for name, value in one["parameters"].items():
        assert torch.equal(value, other["parameters"][name])


def test_settings_that_cannot_be_are_refused(tmp_path):
    for name, value in (("validate", 15), ("samples", 1), ("width", 0), ("tuning_steps", -1)):
        with pytest.raises(InputError, match=name):
            train("provisioning", "tight:slots=2", "imitation", [0], tmp_path, changes=FEW | {name: value})
