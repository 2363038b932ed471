"""Partial orders: enumeration, cycles, and orders that a user asks for."""

import pytest

from fuseflow.errors import FusionError, ScheduleError
from fuseflow.fusion import Constraint, PartialOrder


def order(variables: str, *edges: str) -> PartialOrder:
    return PartialOrder(tuple(variables), tuple(Constraint(edge[0], edge[1], f"T is stored {edge}") for edge in edges))


def test_orders_are_lexicographic() -> None:
    found = ["".join(item) for item in order("ikj", "ik").orders()]
    assert found == ["ikj", "ijk", "jik"]


def test_chain_has_one_order() -> None:
    assert list(order("ikjl", "ik", "kj", "jl").orders()) == [("i", "k", "j", "l")]


def test_no_constraint_gives_every_permutation() -> None:
    assert len(list(order("ijkl").orders())) == 24


def test_scalar_program_has_the_empty_order() -> None:
    assert list(order("").orders()) == [()]


def test_cycle_names_what_forces_it() -> None:
    cyclic = order("ij", "ij", "ji")
    assert not cyclic.acyclic
    with pytest.raises(FusionError, match=r"i outside j, because T is stored ij; j outside i, because T is stored ji"):
        list(cyclic.orders())


def test_order_must_name_every_variable() -> None:
    with pytest.raises(ScheduleError, match=r"order i k must name every index variable of the region once: i k j"):
        order("ikj", "ik").check(("i", "k"))


def test_order_against_storage() -> None:
    with pytest.raises(ScheduleError, match=r"iterates k outside i, but T is stored ik"):
        order("ik", "ik").check(("k", "i"))
