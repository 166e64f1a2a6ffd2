"""Declared fields."""

from dataclasses import dataclass

import numpy as np
import pytest
from skybound.instances.errors import InputError
from skybound.instances.fields import choice, flag, integer, integer_lists, integers, real, reals, subsets
from skybound.instances.record import Record, records


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


@dataclass(frozen=True, eq=False)
class Crate(Record):
    fragile: bool = flag()
    colours: np.ndarray = subsets("bottles", 3)
    labels: tuple = integer_lists("bottles")


@dataclass(frozen=True, eq=False)
class Cellar(Record):
    crates: tuple = records(Crate, optional=True)


CRATE = {"fragile": True, "colours": [[2, 0], [1]], "labels": [[], [4, 4, 5]]}


def test_lists_of_any_length_and_subsets():
    crate = Crate.from_json(CRATE, "crate")
    assert crate.colours.tolist() == [[True, False, True], [False, True, False]]
    assert [label.tolist() for label in crate.labels] == [[], [4, 4, 5]]
    assert crate.to_json() == CRATE | {"colours": [[0, 2], [1]]}
    assert crate == Crate(True, np.array([[True, False, True], [False, True, False]]), ([], [4, 4, 5]))
    assert crate != Crate.from_json(CRATE | {"labels": [[], [4, 4, 6]]}, "crate")


def test_lists_of_records():
    cellar = Cellar.from_json({"crates": [CRATE, None]}, "cellar")
    assert cellar.crates[1] is None
    assert Cellar.from_json(cellar.to_json(), "cellar") == cellar
    assert Cellar.from_json({"crates": [None, CRATE]}, "cellar") != cellar


@pytest.mark.parametrize(
    ("crate", "place", "message"),
    [
        ({"fragile": 1}, "fragile", "must be true or false, is 1"),
        ({"fragile": None}, "fragile", "must be true or false, is null"),
        ({"colours": [[0], []]}, "colours[1]", "must not be empty"),
        ({"colours": [[0], [1, 3]]}, "colours[1][1]", "must be below 3, is 3"),
        ({"colours": [[0], [1, 2, 1]]}, "colours[1][2]", "is 1 again"),
        ({"colours": [[0], [-1]]}, "colours[1][0]", "must be at least 0, is -1"),
        ({"colours": [0, 1]}, "colours[0]", "must be a list of entries, is 0"),
        ({"colours": 7}, "colours", "must be a list, is 7"),
        ({"colours": [[0]]}, "labels", "has 2 entries, but there are 1 bottles by colours"),
        ({"labels": [[1], [1.0]]}, "labels[1][0]", "must be an integer, is 1.0"),
        ({"labels": [[1], None]}, "labels[1]", "must be a list of entries, is null"),
    ],
)
def test_errors_of_lists_name_field_and_place(crate, place, message):
    with pytest.raises(InputError) as caught:
        Cellar.from_json({"crates": [CRATE, CRATE | crate]}, "cellar")
    assert (caught.value.field, caught.value.message) == (f"cellar.crates[1].{place}", message)
