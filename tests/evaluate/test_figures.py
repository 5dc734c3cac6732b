"""Figures and totals: ratios of sums, intervals over calls, and where there is none."""

import numpy as np
import pytest

from pipeline.evaluate.figures import CallFigures, Figure, interval, totals


def calls(pairs):
    return [
        CallFigures(f"call-{n}", {"wer": Figure(part, whole, {"words": whole})})
        for n, (part, whole) in enumerate(pairs)
    ]


def test_totals_are_ratios_of_sums_over_the_calls_that_have_the_figure():
    found = totals([*calls([(1, 10), (9, 30)]), CallFigures("bad", error="cannot be read")])["wer"]
    assert found.figure.value == pytest.approx(10 / 40)
    assert (found.calls, found.figure.counts) == (2, {"words": 40})


def test_totals_of_what_is_worst_stay_the_worst():
    made = [CallFigures(str(n), {"share": Figure(n, 1, {"shares": 1, "worst": n})}) for n in (1, 5, 2)]
    assert totals(made)["share"].figure.counts == {"shares": 3, "worst": 5}


def test_totals_of_few_calls_have_no_interval():
    found = totals(calls([(1, 10)] * 4))["wer"]
    assert (found.low, found.high) == (None, None)
    assert found.to_dict() == {"value": 0.1, "words": 40, "calls": 4, "low": None, "high": None}


def test_interval_is_the_same_each_time_and_holds_the_ratio():
    parts, wholes = [1, 4, 2, 8, 3, 5], [20, 30, 25, 40, 30, 20]
    low, high = interval(parts, wholes)
    assert low < sum(parts) / sum(wholes) < high
    assert interval(parts, wholes) == (low, high)
    assert interval([1, 1, 1, 1, 1], [0, 10, 10, 10, 10]) == (None, None)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    chance = np.random.default_rng(11)
    hits = 0
    for _ in range(60):
        wholes = chance.integers(200, 600, 40)
        parts = chance.binomial(wholes, chance.beta(8, 72, 40))  # calls differ; the mean rate is 0.1
        low, high = interval(parts, wholes)
        hits += low <= 0.1 <= high
    assert hits >= 51  # 95 % of 60 is 57, and chance allows some fewer
