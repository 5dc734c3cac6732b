"""Where the ledger of a place is, and that nothing is made where nothing was scored."""

from pathlib import Path

import pytest

from pipeline.archive.ledger import open_ledger
from pipeline.archive.scores import open_scores
from pipeline.batch.places import default_ledger, known_ledger, ledger_file, local_folder, masked
from pipeline.errors import UsageError


@pytest.fixture(autouse=True)
def _own_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("RIDEALONG_LEDGER", raising=False)


@pytest.mark.parametrize("name", ["out", "with space", "50%?#ü", "[a] %41"])
def test_places_a_folder_keeps_its_ledger_inside(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    expected = tmp_path / name / "ledger.db"
    assert ledger_file(default_ledger(name)) == expected
    assert ledger_file(default_ledger(tmp_path / name)) == expected
    assert default_ledger(f"{name}/") == default_ledger(f"./{name}")


@pytest.mark.parametrize("name", ["a b", "50%?#ü", "[a] %41"])
def test_places_the_ledger_is_made_where_it_is_looked_for(tmp_path, name):
    out = tmp_path / name
    with open_ledger(default_ledger(out)) as book:
        book.serve(open_scores(out).url)
    with known_ledger(out) as book:
        assert book.counts() == {}
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_places_a_file_url_is_its_folder(tmp_path):
    assert local_folder(f"file://{tmp_path}/a%20b") == tmp_path / "a b"
    assert ledger_file(default_ledger(f"file://{tmp_path}/out")) == tmp_path / "out" / "ledger.db"


def test_places_a_bucket_has_its_ledger_in_the_users_data_folder(tmp_path):
    file = ledger_file(default_ledger("s3://calls/scores"))
    assert file.parent == tmp_path / "data" / "ridealong"
    assert ledger_file(default_ledger("S3://calls/scores/")) == file
    assert ledger_file(default_ledger("s3://calls/other")) != file
    assert ledger_file(default_ledger("gs://calls/scores")) != file
    assert local_folder("s3://calls/scores") is None


def test_places_without_a_data_folder_it_is_the_usual_one(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "relative/is/no/good")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert ledger_file(default_ledger("s3://c/o")).parent == tmp_path / ".local" / "share" / "ridealong"


def test_places_without_a_home_a_ledger_must_be_named(monkeypatch):
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("none")))
    with pytest.raises(UsageError, match=r"no home folder for the ledger.*--ledger or RIDEALONG_LEDGER"):
        default_ledger("s3://c/o")


def test_places_the_variable_goes_before_the_rule(monkeypatch):
    monkeypatch.setenv("RIDEALONG_LEDGER", "postgresql://u:secret@db/x")
    assert default_ledger("out") == "postgresql://u:secret@db/x"
    assert ledger_file(default_ledger("out")) is None
    assert masked(default_ledger("out")) == "postgresql://u:***@db/x"
    assert masked("no url at all") == "(not a URL)"


def test_places_nothing_scored_is_said_and_nothing_made(tmp_path):
    out = tmp_path / "out"
    with (
        pytest.raises(UsageError, match="no batch is known to have been scored here: there is no ledger"),
        known_ledger(out),
    ):
        pass
    assert not out.exists()


def test_places_an_empty_ledger_is_no_ones(tmp_path):
    open_ledger(tmp_path / "l.db").close()
    with (
        pytest.raises(UsageError, match=r"the ledger .*l\.db is empty"),
        known_ledger(tmp_path / "out", f"sqlite:///{tmp_path / 'l.db'}"),
    ):
        pass


def test_places_a_ledger_of_another_place_is_refused(tmp_path):
    url = f"sqlite:///{tmp_path / 'l.db'}"
    with open_ledger(url) as book:
        book.serve(str(tmp_path / "one"))
    with pytest.raises(UsageError, match=r"is that of .*one, not of .*two"), known_ledger(tmp_path / "two", url):
        pass


def test_places_scorecards_without_a_ledger_get_one_where_asked_for(tmp_path):
    card = tmp_path / "out" / "calls" / "a" / "scorecard.json"
    card.parent.mkdir(parents=True)
    card.write_text("{}")
    with known_ledger(tmp_path / "out", or_scores=True) as book:
        assert book.counts() == {}
    with pytest.raises(UsageError), known_ledger(tmp_path / "none", or_scores=True):
        pass
