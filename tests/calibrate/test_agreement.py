"""Agreement: known examples from the literature, the project's own kappa, missing raters, and whole calls resampled."""

import itertools

import numpy as np
import pytest

from pipeline.calibrate.agreement import agreement, alpha_of_counts, between, kappa_of_counts
from pipeline.calibrate.figures import figures, kappa

KRIPPENDORFF = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""
"""Krippendorff 2011, section C: four observers, twelve units, missing values; ordinal alpha is 0.815."""


def coincidences(text, levels):
    """Krippendorff's coincidence table, straight from his definition."""
    table = np.zeros((levels, levels))
    for unit in zip(*(line.split() for line in text.strip().splitlines()), strict=True):
        values = [int(one) - 1 for one in unit if one != "."]
        for a, b in itertools.permutations(values, 2):
            table[a, b] += 1 / (len(values) - 1)
    return table


def test_alpha_is_that_of_krippendorffs_example():
    assert float(alpha_of_counts(coincidences(KRIPPENDORFF, 5))) == pytest.approx(0.815, abs=0.0005)


def test_alpha_of_raters_who_miss_calls_weighs_each_call_by_its_raters():
    units = {}
    for index, unit in enumerate(zip(*(line.split() for line in KRIPPENDORFF.strip().splitlines()), strict=True)):
        values = [int(one) - 1 for one in unit if one != "."]
        if len(values) > 1 and 4 not in values:
            units[f"c{index:02}"] = values
    small = np.zeros((4, 4))
    for values in units.values():
        for a, b in itertools.permutations(values, 2):
            small[a, b] += 1 / (len(values) - 1)
    assert between(units).alpha.value == pytest.approx(float(alpha_of_counts(small)), abs=0.0005)


def test_kappa_is_the_one_of_the_models_figures():
    chance = np.random.default_rng(5)
    people, machine = chance.integers(0, 4, 70), chance.integers(0, 4, 70)
    table = np.zeros((4, 4))
    np.add.at(table, (people, machine), 1)
    assert float(kappa_of_counts(table)) == pytest.approx(kappa(people, machine))


def test_figures_are_those_of_the_models_card_where_each_call_has_one_pair():
    chance = np.random.default_rng(6)
    people = chance.integers(0, 4, 60)
    machine = np.clip(people + chance.integers(-1, 2, 60), 0, 3)
    pairs = {f"c{i:02}": [(int(a), int(b))] for i, (a, b) in enumerate(zip(people, machine, strict=True))}
    ours, theirs = agreement(pairs), figures(people, machine)
    assert (ours.pairs, ours.calls) == (60, 60)
    assert (ours.kappa.value, ours.exact.value, ours.within_one.value) == (
        theirs["kappa"], theirs["exact"], theirs["within_one"],
    )  # fmt: skip
    assert ours.kappa.low == pytest.approx(theirs["kappa_low"], abs=0.03)
    assert ours.kappa.high == pytest.approx(theirs["kappa_high"], abs=0.03)


def test_pairs_of_four_calls_worked_by_hand():
    found = agreement({"a": [(0, 0)], "b": [(1, 2)], "c": [(2, 2)], "d": [(3, 1)]})
    assert (found.pairs, found.exact.value, found.within_one.value) == (4, 0.5, 0.75)
    assert found.counts == ((1, 0, 0, 0), (0, 0, 1, 0), (0, 0, 1, 0), (0, 1, 0, 0))
    assert (found.kappa.value, found.exact.low) == (None, None)  # four calls are too few


def test_three_raters_make_three_pairs_a_call():
    found = between({"a": (0, 0, 1), "b": (2, 3)})
    assert (found.pairs, found.calls) == (4, 2)
    assert found.exact.value == 0.25
    assert found.within_one.value == 1


def test_the_order_of_raters_and_calls_changes_nothing():
    chance = np.random.default_rng(7)
    units = {f"c{i}": tuple(int(v) for v in chance.integers(0, 4, 3)) for i in range(20)}
    turned = {call: tuple(reversed(values)) for call, values in reversed(units.items())}
    assert between(units) == between(turned)


def test_an_interval_over_whole_calls_is_wider_than_one_over_pairs():
    chance = np.random.default_rng(8)
    wrong = [bool(one) for one in chance.integers(0, 2, 20)]
    pairs = {f"c{i:02}": [(0, 3 if one else 0)] * 10 for i, one in enumerate(wrong)}
    apart = {f"c{i:02}-{j}": [(0, 3 if one else 0)] for i, one in enumerate(wrong) for j in range(10)}
    whole, single = agreement(pairs).exact, agreement(apart).exact
    assert whole.value == single.value
    assert whole.high - whole.low > 2 * (single.high - single.low)


def test_without_variation_kappa_and_alpha_cannot_be_told():
    found = between({f"c{i}": (2, 2) for i in range(9)})
    assert found.exact.value == 1
    assert (found.kappa.value, found.alpha.value) == (None, None)


def test_no_pairs_at_all():
    assert (between({}).pairs, agreement({}).kappa.value) == (0, None)
