"""Tests of carrel.migrate.pickled_names."""

from __future__ import annotations

import collections
import decimal
import fractions
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.migrate.pickled_names import is_pickle, pickle_sites

NAMES = frozenset({"Fraction"})
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def found(data: bytes) -> list[str]:
    return [one.text for one in pickle_sites(data, NAMES)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "value",
    [
        fractions.Fraction(1, 3),
        fractions.Fraction,
        [decimal.Decimal(1), {"a": (fractions.Fraction(1, 3), fractions.Fraction(2, 3))}],
        ["fractions", "Fraction", fractions.Fraction],
    ],
    ids=["instance", "class", "nested", "behind strings that are the names"],
)
def test_the_class_of_an_instance_is_found_in_every_protocol(protocol: int, value: object):
    assert set(found(pickle.dumps(value, protocol))) == {"fractions.Fraction"}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "value",
    [
        ["fractions.Fraction", "fractions", "Fraction"],
        "fractions\nFraction\n",
        collections.OrderedDict(fractions="Fraction"),
        decimal.Decimal(1),
    ],
    ids=["strings", "lines", "another class", "no word of it"],
)
def test_a_pickle_that_only_has_the_words_names_nothing(protocol: int, value: object):
    assert found(pickle.dumps(value, protocol)) == []


def test_a_method_is_named_with_its_class():
    assert found(pickle.dumps(fractions.Fraction.from_float, 2))[:1] == ["fractions.Fraction"]
    by_path = b"\x80\x04\x8c\x09fractions\x94\x8c\x0eFraction.limit\x94\x93\x94."
    assert found(by_path) == ["fractions.Fraction.limit"]


def test_an_instance_of_an_old_class_is_found():
    assert found(b"(ifractions\nFraction\np0\n.") == ["fractions.Fraction"]


def test_several_pickles_in_one_file_are_read_until_something_else():
    one = pickle.dumps(fractions.Fraction, 4)
    assert found(one + one + b"\xff" + one) == ["fractions.Fraction"] * 2


def test_the_place_is_that_of_the_opcode():
    data = b"\x80\x02cfractions\nFraction\nq\x00."
    (site,) = pickle_sites(data, NAMES)
    assert (site.line, site.column, site.start) == (1, 2, 2)
    assert data[site.start : site.end] == b"cfractions\nFraction\n"


def test_nothing_is_unpickled():
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return exec, ("raise SystemExit",)

    data = pickle.dumps([Trap(), fractions.Fraction], 4)
    with pytest.raises(SystemExit):
        pickle.loads(data)
    assert found(data) == ["fractions.Fraction"]


def test_pickles_are_known_by_their_first_bytes_or_their_names():
    assert is_pickle("a.bin", pickle.dumps(1, 4))
    assert is_pickle("a.PKL", pickle.dumps(1, 0))
    assert not is_pickle("a.bin", pickle.dumps(1, 0))
    assert not is_pickle("a.bin", b"\x80\x99")
    assert not is_pickle("a.bin", b"\x80")
    assert not is_pickle("a.txt", b"")


@pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning")
@given(st.binary(max_size=40), st.integers(0, 60), st.sampled_from(PROTOCOLS))
def test_what_is_damaged_ends_the_reading(junk: bytes, at: int, protocol: int):
    whole = pickle.dumps([fractions.Fraction(1, 3), "x"], protocol)
    for data in (whole[:at], whole[:at] + junk + whole[at:], b"\x80\x04" + junk):
        assert all(0 <= site.start < site.end <= len(data) for site in pickle_sites(data, NAMES))
