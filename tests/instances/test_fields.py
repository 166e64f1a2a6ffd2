"""Declared fields."""

from dataclasses import dataclass

import numpy as np
import pytest
from skybound.instances.errors import InputError
from skybound.instances.fields import choice, integer, integers, real, reals
from skybound.instances.record import Record


@dataclass(frozen=True, eq=False)
class Shop(Record):
    kind: str = choice("open", "closed")
    rent: float = real(positive=True)
    limit: int | None = integer(optional=True)
    price: np.ndarray = reals("goods", "sizes")
    stock: np.ndarray = integers("goods")


GOOD = {"kind": "open", "rent": 2, "limit": None, "price": [[1, 2.5], [3, 0]], "stock": [4, 5]}


def test_reads_integers_as_numbers_and_freezes_arrays():
    shop = Shop.from_json(GOOD, "shop")
    assert shop.price.tolist() == [[1.0, 2.5], [3.0, 0.0]]
    assert isinstance(shop.rent, float)
    with pytest.raises(ValueError, match="read-only"):
        shop.price[0, 0] = 7


@pytest.mark.parametrize(
    ("field", "value", "place", "message"),
    [
        ("kind", "ajar", "kind", 'must be one of open, closed, is "ajar"'),
        ("rent", True, "rent", "must be a number, is true"),
        ("rent", "2", "rent", 'must be a number, is "2"'),
        ("rent", 0, "rent", "must be above 0, is 0"),
        ("rent", float("nan"), "rent", "must be finite, is nan"),
        ("rent", 10**400, "rent", "is too large for a double"),
        ("limit", 4.0, "limit", "must be an integer, is 4.0"),
        ("limit", 2**53 + 2, "limit", "is too large for an integer here (limit 2^53)"),
        ("limit", -1, "limit", "must be at least 0, is -1"),
        ("price", [[1, 2], [3]], "price[1]", "has 1 entries, but price[0] has 2"),
        ("price", [[1, -2], [3, 4]], "price[0][1]", "must be at least 0, is -2.0"),
        ("price", [[1, None], [3, 4]], "price[0][1]", "must be a number, is null"),
        ("price", [1, 2], "price[0]", "must be a list of sizes, is 1"),
        ("price", np.zeros(3), "price", "must have 2 dimensions, has 1"),
        ("stock", [4, 5, 6], "stock", "has 3 entries, but there are 2 goods by price"),
        ("stock", [4, 5.0], "stock[1]", "must be an integer, is 5.0"),
        ("stock", np.array([4.0, 5.0]), "stock", "must hold integers, holds float64"),
    ],
)
def test_names_field_and_place_of_what_is_wrong(field, value, place, message):
    with pytest.raises(InputError) as caught:
        Shop.from_json(GOOD | {field: value}, "shop")
    assert str(caught.value) == f"shop.{place}: {message}"


def test_objects_to_missing_and_unknown_fields():
    with pytest.raises(InputError, match=r"^shop: is missing the field stock$"):
        Shop.from_json({key: GOOD[key] for key in GOOD if key != "stock"}, "shop")
    with pytest.raises(InputError, match=r"^shop\.colour: is an unknown field$"):
        Shop.from_json(GOOD | {"colour": 1}, "shop")


def test_dimensions_may_be_empty():
    shop = Shop(**GOOD | {"price": [[], []]})
    assert shop.price.shape == (2, 0)
    assert Shop(**GOOD | {"price": [], "stock": []}).price.shape == (0, 0)


def test_negative_zero_is_zero():
    assert Shop(**GOOD | {"price": [[-0.0, 1], [1, 1]]}) == Shop(**GOOD | {"price": [[0, 1], [1, 1]]})
    assert np.signbit(Shop(**GOOD | {"price": [[-0.0, 1], [1, 1]]}).price).sum() == 0
