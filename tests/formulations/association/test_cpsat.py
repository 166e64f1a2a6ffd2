"""The constraint model of association."""

from skybound.formulations.association.cpsat import build
from skybound.instances.association.presets import generate


def test_a_model_of_the_papers_size_is_valid():
    """Its integers stay within what CP-SAT takes."""
    assert build(generate("paper:slots=6", 0)).native.validate() == ""
    assert build(generate("steep:slots=30", 1)).native.validate() == ""
