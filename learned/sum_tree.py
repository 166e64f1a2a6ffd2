"""Sum trees: draw leaves in proportion to their weights, and change weights, in logarithmic time."""

import numpy as np

from ..instances.fields import FloatArray, IntArray


class SumTree:
    """S trees side by side; every inner node holds the sum of its two children.

    Parameters
    ----------
    trees
        S.
    leaves
        Leaves that are wanted; there are as many as the next power of two, all of weight 0 at first.
    """

    def __init__(self, trees: int, leaves: int) -> None:
        self.leaves = 1 << max(0, leaves - 1).bit_length()
        self._sum = np.zeros((trees, 2 * self.leaves))  # children of node k are 2 k and 2 k + 1, the root is 1
        self._tree = np.arange(trees)[:, None]

    @property
    def total(self) -> FloatArray:
        """Sum of all weights, shape (S,)."""
        return self._sum[:, 1]

    def weight(self, leaf: IntArray) -> FloatArray:
        """Weights of leaves, shape (S, n)."""
        return np.asarray(self._sum[self._tree, self.leaves + leaf])

    def change(self, leaf: IntArray, weight: FloatArray) -> None:
        """Give leaves, shape (S, n), other weights; where one is named twice, the last counts."""
        node = self.leaves + leaf
        self._sum[self._tree, node] = weight
        while node[0, 0] > 1:
            node = node // 2
            self._sum[self._tree, node] = self._sum[self._tree, 2 * node] + self._sum[self._tree, 2 * node + 1]

    def find(self, share: FloatArray) -> IntArray:
        """The leaves at these shares of the total, each in [0, 1), shape (S, n)."""
        mass = share * self.total[:, None]
        node = np.ones(share.shape, np.int64)
        while node[0, 0] < self.leaves:
            left = self._sum[self._tree, 2 * node]
            # Rounding may leave more mass than the right side has; where that is empty, the left one it is.
            right = (mass >= left) & (self._sum[self._tree, 2 * node + 1] > 0)
            mass = np.where(right, mass - left, mass)
            node = 2 * node + right
        return node - self.leaves

    def leaf_weights(self) -> FloatArray:
        """All weights, shape (S, leaves)."""
        return self._sum[:, self.leaves :].copy()

    def load(self, weights: FloatArray) -> None:
        """Take up all weights, shape (S, leaves)."""
        self._sum[:, self.leaves :] = weights
        for first in (1 << k for k in reversed(range(self.leaves.bit_length() - 1))):
            self._sum[:, first : 2 * first] = (
                self._sum[:, 2 * first : 4 * first : 2] + self._sum[:, 2 * first + 1 : 4 * first : 2]
            )
