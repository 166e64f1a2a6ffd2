"""Layers that hold many seeds."""

import pytest
import torch
from skybound.learned.layers import GRUCell, Linear, clip_gradients, generators


def test_one_seed_equals_the_plain_linear_layer():
    """Initial values, outputs and gradients."""
    ours = Linear(5, 3, generators([7]))
    torch.manual_seed(7)
    plain = torch.nn.Linear(5, 3)
    assert torch.equal(ours.weight[0].T, plain.weight)
    assert torch.equal(ours.bias[0, 0], plain.bias)
    x = torch.randn(4, 5)
    ours(x[None]).square().sum().backward()
    plain(x).square().sum().backward()
    torch.testing.assert_close(ours(x[None])[0], plain(x))
    torch.testing.assert_close(ours.weight.grad[0].T, plain.weight.grad)


def test_one_seed_equals_the_plain_recurrent_cell():
    ours = GRUCell(5, 4, generators([7]))
    torch.manual_seed(7)
    plain = torch.nn.GRUCell(5, 4)
    for own, known in (
        (ours.weight_in[0].T, plain.weight_ih),
        (ours.weight_hidden[0].T, plain.weight_hh),
        (ours.bias_in[0, 0], plain.bias_ih),
        (ours.bias_hidden[0, 0], plain.bias_hh),
    ):
        assert torch.equal(own, known)
    x, hidden = torch.randn(6, 5), torch.randn(6, 4)
    torch.testing.assert_close(ours(ours.gates(x[None]), hidden[None])[0], plain(x, hidden))


def test_a_seed_is_the_same_alone_and_in_company():
    """Initial values and gradients of seed 3 do not depend on the seeds beside it."""
    x = torch.randn(3, 4, 5)
    together, alone = Linear(5, 2, generators([1, 3, 2])), Linear(5, 2, generators([3]))
    together(x).square().sum().backward()
    alone(x[1:2]).square().sum().backward()
    assert torch.equal(together.weight[1], alone.weight[0])
    torch.testing.assert_close(together.weight.grad[1], alone.weight.grad[0])


def test_gradients_are_cut_seed_by_seed():
    """As torch cuts each seed by itself; a small gradient stays beside a large one."""
    layer = Linear(5, 2, generators([0, 1]))
    x = torch.stack([torch.randn(4, 5), 1e-3 * torch.randn(4, 5)])
    (layer(x) * torch.tensor([1.0, 1e-3])[:, None, None]).sum().backward()
    before = [[p.grad[s].clone() for p in layer.parameters()] for s in range(2)]
    norm = clip_gradients(layer.parameters(), 0.5)
    for seed, gradients in enumerate(before):
        parameters = [torch.nn.Parameter(torch.zeros_like(g)) for g in gradients]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        assert norm[seed] == pytest.approx(float(torch.nn.utils.clip_grad_norm_(parameters, 0.5)))
        for own, known in zip(layer.parameters(), parameters, strict=True):
            torch.testing.assert_close(own.grad[seed], known.grad)
