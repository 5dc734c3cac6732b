import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from pipeline.assess.features import levels_by_rule
from pipeline.calibrate.figures import coverage, figures, kappa, median_level
from pipeline.calibrate.levels import fit_ordinal


def test_kappa_is_the_quadratically_weighted_one() -> None:
    chance = np.random.default_rng(1)
    a, b = chance.integers(0, 4, 80), chance.integers(0, 4, 80)
    assert kappa(a, b) == pytest.approx(cohen_kappa_score(a, b, weights="quadratic"))


def test_figures_of_four_calls_worked_by_hand() -> None:
    found = figures([0, 1, 2, 3], [0, 2, 2, 1], draws=50)
    assert (found["n"], found["exact"], found["within_one"]) == (4, 0.5, 0.75)
    assert found["attempted_f1"] == 1.0
    assert found["effective_f1"] == 0.5  # 2 and 3 are effective; 1 and 2 were called so


def test_the_level_is_the_median_of_the_distribution() -> None:
    rows = np.array([[0.6, 0.2, 0.1, 0.1], [0.4, 0.05, 0.06, 0.49], [0.0, 0.0, 0.4, 0.6]])
    assert median_level(rows).tolist() == [0, 2, 3]


def test_coverage_falls_and_counts() -> None:
    rows = np.array([[0.9, 0.1, 0.0, 0.0], [0.42, 0.3, 0.2, 0.08], [0.0, 0.1, 0.2, 0.7]])
    table = coverage([0, 3, 3], rows)
    assert [row["given"] for row in table] == sorted((row["given"] for row in table), reverse=True)
    assert table[0]["more_than_one_off"] == pytest.approx(1 / 3, abs=1e-3)


def test_certain_criteria_give_the_level_of_the_standard() -> None:
    assert levels_by_rule("next_steps", [1, 1, 1, 1, 0]) == 3
    assert levels_by_rule("next_steps", [1, 0, 1, 0, 0]) == 2
    assert levels_by_rule("client_story", [1, 0, 0, 0, 0]) == 1
    assert levels_by_rule("agenda", [0, 0, 0, 0, 0]) == 0
    assert levels_by_rule("agenda", [0, 0.5, 1, 0, 0]) == pytest.approx(1.5)


def test_the_ordinal_model_recovers_levels_and_never_falls() -> None:
    chance = np.random.default_rng(2)
    features = chance.normal(size=(400, 2))
    score = 2 * features[:, 0] + chance.logistic(size=400)
    levels = np.digitize(score, [-1.5, 0.0, 1.5])
    model = fit_ordinal(features, levels)
    assert min(model.weights) >= 0
    assert model.weights[0] > 1
    rising = model(np.array([[value, 0.0] for value in (-3, -1, 0, 1, 3)])) @ np.arange(4)
    assert (np.diff(rising) > 0).all()
    assert np.allclose(model(features).sum(axis=1), 1)
