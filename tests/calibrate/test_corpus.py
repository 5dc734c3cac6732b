import json
from pathlib import Path

import pytest

from pipeline import resources
from pipeline.assess.features import level_by_rule
from pipeline.calibrate.corpus import EXCLUSIVE, MASKED, author_group, load_corpus
from pipeline.errors import UsageError
from pipeline.records import BEHAVIOURS, CRITERIA, JUDGED

CORPUS = resources.ROOT / "data" / "corpus"


@pytest.fixture(scope="module")
def corpus():
    return load_corpus(CORPUS)


def test_calls_passages_and_groups_are_read(corpus) -> None:
    kinds = {kind: [e for e in corpus if e.kind == kind] for kind in ("call", "snippet", "contrast")}
    assert {kind: len(found) for kind, found in kinds.items()} == {"call": 432, "snippet": 2044, "contrast": 4764}
    sales = [e for e in kinds["call"] if e.sales_call]
    assert len(sales) == 118 + 14 * 16
    assert {e.group for e in sales} == {*"abcdenopuvwxyz", *(f"t{n}" for n in range(8))}


def test_every_author_of_calls_is_one_group(corpus) -> None:
    written = {e.group for e in corpus if e.kind == "call"}
    assert {e.group for e in corpus if e.kind == "contrast"} - {""} <= written
    assert {e.group for e in corpus if e.meeting and e.kind == "call"} == {"m", "t2"}
    assert {e.group for e in corpus if e.other} == {"k", "l"}


def test_where_nobody_sells_all_core_levels_are_0_and_nothing_is_counted(corpus) -> None:
    for example in (e for e in corpus if e.other):
        assert example.levels[: len(BEHAVIOURS)] == (0, 0, 0, 0, 0)
        assert not example.sales_call
        assert all(example.level(behaviour) is None for behaviour in JUDGED)


@pytest.mark.parametrize(
    ("name", "group"), [("t01", "t0"), ("t16", "t0"), ("t17", "t1"), ("t128", "t7"), ("u01", "u"), ("m32", "m")]
)
def test_authors_have_sixteen_calls_each(name: str, group: str) -> None:
    assert author_group(name) == group


def test_labels_have_a_row_a_line_and_a_column_a_criterion(corpus) -> None:
    for example in corpus:
        assert len(example.labels) == len(example.lines) == len(example.speakers)
        for rows in example.labels:
            for behaviour, row in zip(JUDGED, rows, strict=True):
                assert set(row[1 + len(CRITERIA[behaviour]) :]) <= {MASKED}


def test_a_passage_that_shows_a_behaviour_shows_no_other_job_and_is_silent_on_the_rest(corpus) -> None:
    snippet = next(e for e in corpus if e.name == "agenda-0001")
    levels = dict(zip(JUDGED, snippet.levels, strict=True))
    assert levels["agenda"] == 3
    assert {name for name, level in levels.items() if level == 0} == set(EXCLUSIVE) - {"agenda"}
    assert levels["discovery"] == levels["objection_handling"] == levels["guiding"] == MASKED
    assert snippet.labels[-1][0] == (1, 1, 1, MASKED, 0, 1, MASKED, MASKED, MASKED)  # whose yes it was is not labelled
    assert snippet.labels[-1][1][0] == 0
    assert set(snippet.labels[-1][JUDGED.index("discovery")]) == {MASKED}


def test_a_passage_without_the_behaviour_may_show_another(corpus) -> None:
    empty = next(e for e in corpus if e.kind == "contrast" and e.levels[0] == 0 and e.name.startswith("agenda"))
    assert set(empty.levels[1:]) == {MASKED}


def test_call_levels_follow_from_their_labels_by_the_standard(corpus) -> None:
    agree = wrong = calls = 0
    for example in corpus:
        if not example.sales_call:
            continue
        calls += 1
        for i, behaviour in enumerate(BEHAVIOURS):
            rows = [rows[i] for rows in example.labels]
            names = {n for row in rows for n, one in zip(CRITERIA[behaviour], row[1:], strict=False) if one == 1}
            ruled = level_by_rule(behaviour, names, attempted=any(row[0] == 1 for row in rows))
            agree += ruled == example.levels[i]
            wrong += abs(ruled - example.levels[i]) > 1
    assert agree >= 0.98 * 5 * calls
    assert wrong == 0


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no calls/\*\.json in this folder"):
        load_corpus(tmp_path)


def test_a_broken_call_is_named(tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls" / "t01.json").write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match=r"t01\.json: not a readable JSON file"):
        load_corpus(tmp_path)


def test_the_shipped_corpus_is_json_all_through() -> None:
    for path in sorted((CORPUS / "ratings").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert json.loads(line)["levels"]
