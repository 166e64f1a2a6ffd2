"""The dynamics of association for learning: days whose satellites decide in turn, and what they see."""

from ...solvers.association.days import Days
from ...solvers.association.turns import Turns
from ..environment import Float32Array
from .observations import OBSERVATIONS


class AssociationEnvironment(Turns):
    """Turns with observations.

    Parameters
    ----------
    observation
        What satellites see, a name of `observations.OBSERVATIONS`.
    """

    def __init__(self, days: Days, observation: str = "gains") -> None:
        super().__init__(days)
        self._observe = OBSERVATIONS[observation]
        self.features = self.observe().shape[1]

    def observe(self) -> Float32Array:
        """What the satellites in turn see, shape (B, features); after a day something finite."""
        return self._observe(self)
