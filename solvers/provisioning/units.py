"""Fees and prices at which the best choice earns between 1 and 1,024."""

import dataclasses

from ...formulations.provisioning.rewards import rewards, useful
from ...instances.provisioning import Fees, Prices, Provisioning
from ..reductions import power_near
from ..result import Limits


def in_own_units(instance: Provisioning, limits: Limits) -> tuple[Provisioning, float]:
    """Return the same instance in other units of money, and the factor by which rewards are larger."""
    table = rewards(instance)
    choices = useful(instance, table)
    best = [float(reward[tuple(choice.T)].max(initial=0.0)) for reward, choice in zip(table, choices, strict=True)]
    factor = power_near(max(best))
    if factor == 1.0:
        return instance, factor
    fee = Fees(*(getattr(instance.fee, field.name) * factor for field in dataclasses.fields(Fees)))
    price = Prices(*(getattr(instance.price, field.name) * factor for field in dataclasses.fields(Prices)))
    return dataclasses.replace(instance, fee=fee, price=price), factor
