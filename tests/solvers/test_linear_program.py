"""Programs that are changed and solved again."""

import numpy as np
import scipy.sparse as sp
from skybound.instances.solution import Status
from skybound.solvers.linear_program import Arrays, LinearProgram


def program(integer=False):
    """min -x - 2y with x + y <= 3, x, y in [0, 2]: y = 2, x = 1."""
    return LinearProgram(
        Arrays(
            cost=np.array([-1.0, -2.0]),
            lower=np.zeros(2),
            upper=np.full(2, 2.0),
            integer=np.full(2, integer),
            matrix=sp.csc_array([[1.0, 1.0]]),
            row_lower=np.array([-np.inf]),
            row_upper=np.array([3.0]),
            offset=10.0,
        )
    )


def test_solves_again_after_changes():
    for integer in (False, True):
        lp = program(integer)
        assert lp.solve().objective == 5
        lp.change_costs(np.array([0]), np.array([-3.0]))
        assert lp.solve().x.tolist() == [2, 1]
        lp.change_bounds(np.array([0]), np.array([0.0]), np.array([1.0]))
        assert lp.solve().x.tolist() == [1, 2]
        lp.change_rows(np.array([0]), np.array([-np.inf]), np.array([1.0]))
        assert lp.solve().x.tolist() == [1, 0]
        lp.add_columns(np.array([-9.0]), np.zeros(1), np.ones(1), sp.csc_array([[1.0]]))
        assert lp.solve().objective == 1
        assert lp.columns == 3


def test_duals_bound_and_relaxation():
    lp = program(integer=True)
    lp.change_rows(np.array([0]), np.array([-np.inf]), np.array([2.5]))
    assert lp.solve().objective == 10 - 4
    lp.relax()
    outcome = lp.solve()
    assert outcome.objective == outcome.bound == 10 - 4.5
    assert outcome.row_dual.tolist() == [-1.0]


def test_presolve_keeps_the_optimum():
    """min 2x + 3z with x + z >= 4.5, z whole: 9 at z = 0. HiGHS 1.14.0 says 15 and calls it optimal."""
    tiny = LinearProgram(
        Arrays(
            cost=np.array([2.0, 3.0]),
            lower=np.zeros(2),
            upper=np.full(2, 10.0),
            integer=np.array([False, True]),
            matrix=sp.csc_array([[1.0, 1.0]]),
            row_lower=np.array([4.5]),
            row_upper=np.array([np.inf]),
        )
    )
    assert tiny.solve().objective == 9.0


def test_the_time_limit_is_of_each_call():
    lp = program()
    for _ in range(50):
        assert lp.solve(time_limit_s=1.0).status is Status.OPTIMAL
    rng = np.random.default_rng(0)
    size = 300
    big = LinearProgram(
        Arrays(
            cost=-rng.random(size),
            lower=np.zeros(size),
            upper=np.ones(size),
            integer=np.zeros(size, bool),
            matrix=sp.csc_array(rng.random((200, size))),
            row_lower=np.full(200, -np.inf),
            row_upper=np.full(200, size / 8),
        )
    )
    for _ in range(20):
        assert big.solve(time_limit_s=0.3).status is Status.OPTIMAL
        big.change_costs(np.arange(size), -rng.random(size))


def test_a_stopped_program_claims_no_bound():
    lp = program()
    outcome = lp.solve(time_limit_s=0.0)
    assert outcome.status is not Status.OPTIMAL
    assert outcome.bound is None


def test_infeasible_unbounded_and_empty():
    lp = program()
    lp.change_rows(np.array([0]), np.array([5.0]), np.array([6.0]))
    assert lp.solve().status is Status.INFEASIBLE
    assert lp.conflict(5.0).tolist() == [0]
    lp = program()
    lp.change_bounds(np.array([1]), np.array([0.0]), np.array([np.inf]))
    lp.change_rows(np.array([0]), np.array([-np.inf]), np.array([np.inf]))
    unbounded = lp.solve()
    assert (unbounded.status, unbounded.bound) == (Status.ERROR, None)
    none = np.zeros(0)
    empty = LinearProgram(Arrays(none, none, none, none.astype(bool), sp.csc_array((0, 0)), none, none, offset=4.0))
    assert (empty.solve().status, empty.solve().objective) == (Status.OPTIMAL, 4.0)
