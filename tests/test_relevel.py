"""Stored scorecards under another rubric: the same levels as scoring anew, the old ones kept, the moves counted."""

import hashlib
import json
import re
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from pipeline import cli, resources
from pipeline.archive.folder import write_call
from pipeline.assess.bridge import STATES, Moves
from pipeline.assess.calibration import Calibration
from pipeline.assess.relevel import NOT_STORED, UNCITED, relevelled
from pipeline.assess.rubric import load_rubric
from pipeline.assess.scorecard import assess, to_dict, to_json
from pipeline.errors import UsageError
from pipeline.records import BEHAVIOURS, CRITERIA, Evidence, Finding, ListeningQuality
from pipeline.relevel import relevel_folder
from pipeline.report.page import hash_source
from tests.builders import core_rubric, untimed_call, words

SCHEMA = Draft202012Validator(json.loads(resources.scorecard_schema().read_text(encoding="utf-8")))
CORE = core_rubric("joint", version="1.0")
OLD = replace(CORE, behaviours=tuple(replace(one, max_risk=0.2) for one in CORE.behaviours))
CALL = untimed_call(("R", "Our plan is " + words(60)), ("C", words(40)))
SURE = {0: (0.9, 0.1, 0, 0), 1: (0.1, 0.8, 0.1, 0), 2: (0.0, 0.1, 0.8, 0.1), 3: (0, 0, 0.1, 0.9)}
TORN = (0.02, 0.4, 0.4, 0.18)
"""Level 2 with even thresholds, level 1 where P(level >= 2) must reach 0.6."""
UNSURE = (0.4, 0.05, 0.1, 0.45)
"""Withheld: level 2 is two or more off with a probability of 40 %."""


class Said:
    """A classifier that finds what it is told to, with a passage for every level but 0."""

    version = "said-1"
    agreement = ()

    def __init__(self, *probabilities, withheld=None):
        self.probabilities = probabilities
        self.withheld = withheld

    def __call__(self, call):
        return tuple(self._finding(name, found) for name, found in zip(BEHAVIOURS, self.probabilities, strict=True))

    def _finding(self, name, found):
        criteria = CRITERIA[name][:2]
        evidence = (Evidence(0, None, None, "R", "rep", "Our plan is", criteria),) if found[0] < 0.5 else ()
        return Finding(name, found, criteria if evidence else (), evidence, (0, 1), self.withheld)


JUDGE = Said(SURE[0], SURE[1], SURE[3], TORN, UNSURE)


def version_two(**changed):
    """The old rubric with other thresholds or risks."""
    return replace(OLD, version="2.0", behaviours=tuple(replace(one, **changed) for one in OLD.behaviours))


NEW = [
    pytest.param(version_two(thresholds=(0.5, 0.6, 0.7)), id="stricter"),
    pytest.param(version_two(thresholds=(0.5, 0.2, 0.1)), id="milder"),
    pytest.param(version_two(max_risk=1.0), id="nothing withheld"),
    pytest.param(version_two(max_risk=0.01), id="much withheld"),
    pytest.param(version_two(criteria=()), id="no criteria"),
    pytest.param(replace(OLD, version="2.0", behaviours=OLD.behaviours[2:]), id="fewer behaviours"),
    pytest.param(replace(OLD, version="2.0", behaviours=()), id="none"),
    pytest.param(replace(core_rubric("discovery"), min_speech_attributed=0.0), id="of another kind"),
    pytest.param(OLD, id="the same"),
]


def stored(call=CALL, judge=JUDGE, rubric=OLD):
    return json.loads(to_json(assess(call, rubric, judge)))


def write(folder, cards):
    for call_id, card in cards.items():
        write_call(folder, call_id, {"scorecard.json": json.dumps(card), "transcript.vtt": "WEBVTT\n"})
    return folder


@pytest.mark.parametrize("rubric", NEW)
def test_relevel_gives_what_scoring_anew_gives(rubric):
    made = relevelled(stored(), rubric, sha256="0")
    anew = json.loads(json.dumps(to_dict(assess(CALL, rubric, JUDGE))))
    SCHEMA.validate(made)
    assert made["behaviours"] == anew["behaviours"]
    assert made["rubric"] == anew["rubric"]
    assert made["quality"] == anew["quality"]
    assert made["provenance"] == {**anew["provenance"], "relevelled": made["provenance"]["relevelled"]}


def test_relevel_says_what_it_was_made_from():
    before = stored()
    made = relevelled(before, version_two(max_risk=1.0), sha256="abc")["provenance"]
    assert made["relevelled"] == {
        "from": before["provenance"]["rubric"], "scorecard_sha256": "abc", "code": before["provenance"]["code"]
    }  # fmt: skip
    assert made["rubric"].startswith("joint_call 2.0 sha256:")
    assert made["models"] == before["provenance"]["models"]


def test_relevel_a_behaviour_under_another_name_is_found():
    renamed = replace(OLD.behaviours[1], name="our_story", judged_as="client_story")
    made = relevelled(stored(), replace(OLD, behaviours=(renamed,)), sha256="0")
    assert list(made["behaviours"]) == ["our_story"]
    assert made["behaviours"]["our_story"]["level"] == 1


def test_relevel_a_behaviour_that_was_not_judged_is_withheld_never_guessed():
    made = relevelled(stored(rubric=replace(OLD, behaviours=OLD.behaviours[1:])), OLD, sha256="0")
    SCHEMA.validate(made)
    assert (made["behaviours"]["agenda"]["level"], made["behaviours"]["agenda"]["withheld"]) == (None, NOT_STORED)


def test_relevel_a_level_without_a_stored_passage_is_withheld():
    made = relevelled(stored(), version_two(thresholds=(0.05, 0.6, 0.7)), sha256="0")["behaviours"]["agenda"]
    assert (made["level"], made["withheld"]) == (None, UNCITED)


@pytest.mark.parametrize(
    ("call", "judge"),
    [
        (untimed_call(("R", "Hello"), ("C", words(50))), JUDGE),
        (replace(CALL, quality=ListeningQuality("e", word_confidence=0.1)), JUDGE),
        (CALL, Said(*[(0.25,) * 4] * 5, withheld="The judge gave no answer.")),
    ],
)
def test_relevel_what_could_not_be_judged_keeps_its_reason(call, judge):
    before = stored(call, judge)
    made = relevelled(before, version_two(max_risk=1.0), sha256="0")
    assert [one["withheld"] for one in made["behaviours"].values()] == [
        one["withheld"] for one in before["behaviours"].values()
    ]
    assert {one["level"] for one in made["behaviours"].values()} == {None}


def test_relevel_a_call_heard_too_badly_for_the_new_rubric_is_withheld():
    heard = replace(CALL, quality=ListeningQuality("e", word_confidence=0.5))
    made = relevelled(stored(heard), replace(OLD, min_word_confidence=0.6), sha256="0")
    assert all("the rubric asks for 0.60" in one["withheld"] for one in made["behaviours"].values())


def test_relevel_a_calibration_of_another_classifier_is_refused():
    made_for = Calibration("c", "c.json", "joint_call", "1.0", "other-1", 2, ())
    with pytest.raises(UsageError, match="other-1"):
        relevelled(stored(), replace(OLD, calibration=made_for), sha256="0")


# --- the folder and its bridge ----------------------------------------------------------------------


@pytest.fixture
def scores(tmp_path):
    cards = {f"c{n}": {**stored(), "call_id": f"c{n}"} for n in range(3)}
    cards["d0"] = {**stored(judge=Said(*[SURE[2]] * 5)), "call_id": "d0"}
    return write(tmp_path / "old", cards)


def test_relevel_the_old_folder_stays_as_it_is_and_the_new_one_is_the_same_twice(scores, tmp_path):
    def contents(folder):
        return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}

    before = contents(scores)
    for name in ("new", "again"):
        relevel_folder(scores, tmp_path / name, version_two(thresholds=(0.5, 0.6, 0.7)))
    assert contents(scores) == before
    made = contents(tmp_path / "new")
    assert made == contents(tmp_path / "again")
    assert {str(path) for path in made} == {
        *(f"calls/{call}/scorecard.json" for call in ("c0", "c1", "c2", "d0")), "bridge.json", "bridge.html"
    }  # fmt: skip
    card = json.loads(made[next(path for path in made if "c0" in str(path))])
    old = (scores / "calls" / "c0" / "scorecard.json").read_bytes()
    assert card["provenance"]["relevelled"]["scorecard_sha256"] == hashlib.sha256(old).hexdigest()


def test_relevel_moves_are_counted_by_hand(scores, tmp_path):
    bridge = relevel_folder(scores, tmp_path / "new", version_two(thresholds=(0.5, 0.6, 0.7)))
    read = json.loads((tmp_path / "new" / "bridge.json").read_text(encoding="utf-8"))
    assert read == bridge.to_dict()
    assert (read["calls"], read["before"], read["failures"]) == (4, {"joint_call 1.0": 4}, [])
    value = read["behaviours"]["value_proposition"]  # torn three times, level 2 once
    assert (value["levels_given"], value["moved"], value["share_moved"]) == (4, 3, 0.75)
    assert value["table"]["Good"] == {"Not Present": 0, "Needs Work": 3, "Good": 1, "Excellent": 0, "withheld": 0}
    assert read["behaviours"]["next_steps"]["table"]["withheld"]["withheld"] == 3
    assert sum(one["moved"] for one in read["behaviours"].values()) == 3


def test_relevel_newly_given_and_newly_withheld(scores, tmp_path):
    given = relevel_folder(scores, tmp_path / "a", version_two(max_risk=1.0)).to_dict()["behaviours"]
    assert (given["next_steps"]["newly_given"], given["next_steps"]["newly_withheld"]) == (3, 0)
    held = relevel_folder(scores, tmp_path / "b", version_two(max_risk=0.01)).to_dict()["behaviours"]
    assert (held["value_proposition"]["newly_given"], held["value_proposition"]["newly_withheld"]) == (0, 3)


def test_relevel_moves_of_nothing_have_no_share():
    assert Moves("agenda", "Agenda").to_dict()["share_moved"] is None
    assert len(STATES) == 5


@pytest.mark.parametrize("broken", ["", "[]", "null", '{"call_id": "x"}', '{"quality": 3}'])
def test_relevel_a_file_that_is_no_scorecard_does_not_stop_the_others(scores, tmp_path, broken):
    (scores / "calls" / "bad").mkdir()
    (scores / "calls" / "bad" / "scorecard.json").write_text(broken, encoding="utf-8")
    bridge = relevel_folder(scores, tmp_path / "new", OLD)
    assert bridge.calls == 4
    [(call, reason)] = bridge.failures
    assert call == "bad"
    assert "cannot be read as a scorecard" in reason
    assert not (tmp_path / "new" / "calls" / "bad").exists()
    assert "cannot be read as a scorecard" in (tmp_path / "new" / "bridge.html").read_text(encoding="utf-8")


def test_relevel_the_same_folder_and_an_empty_one_are_refused(scores, tmp_path):
    with pytest.raises(UsageError, match="the new ones need another folder"):
        relevel_folder(scores, scores / ".." / scores.name, OLD)
    with pytest.raises(UsageError, match=r"no calls/\*/scorecard.json"):
        relevel_folder(tmp_path / "none", tmp_path / "new", OLD)


def test_relevel_the_page_shows_the_tables_and_escapes_everything(scores, tmp_path):
    hostile = replace(version_two(thresholds=(0.5, 0.6, 0.7)), version="<script>alert(1)</script>")
    relevel_folder(scores, tmp_path / "new", hostile)
    page = (tmp_path / "new" / "bridge.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "3 of 4 levels moved (75" in page
    relevel_folder(scores, tmp_path / "held", version_two(max_risk=0.01))
    assert "3 levels newly withheld." in (tmp_path / "held" / "bridge.html").read_text(encoding="utf-8")
    assert page.count('<table class="confusion"') == 5
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    assert hash_source(style) in page.replace("&#39;", "'")
    assert not re.search(r"https?:", page)


def test_relevel_by_command(scores, tmp_path):
    rubric = tmp_path / "v2.yaml"
    text = (resources.rubrics_folder() / "joint_call.yaml").read_text(encoding="utf-8")
    rubric.write_text(re.sub("version: .*", 'version: "9.0"', text).replace("max_risk: 0.2", "max_risk: 1.0"))
    arguments = ["relevel", str(scores), "--out", str(tmp_path / "new"), "--rubric", str(rubric)]
    done = CliRunner().invoke(cli.app, arguments)
    assert done.exit_code == 0, done.output
    assert "next_steps" in done.output
    assert f"Open {tmp_path / 'new' / 'bridge.html'}" in done.output
    as_json = CliRunner().invoke(cli.app, [*arguments, "--json"])
    assert json.loads(as_json.stdout)["rubric"]["version"] == "9.0"
    (scores / "calls" / "c0" / "scorecard.json").write_text("{}", encoding="utf-8")
    assert CliRunner().invoke(cli.app, arguments).exit_code == 1
    assert load_rubric(rubric).version == "9.0"
