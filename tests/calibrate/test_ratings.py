"""ratings.csv: what Excel and people write is read, and every kind of fault is told at once with line and column."""

import pytest

from pipeline.calibrate.ratings import Rating, read_ratings
from pipeline.errors import RatingsError
from pipeline.records import BEHAVIOURS

HEADER = "call_id,rater,behaviour,level\n"


@pytest.fixture
def read(tmp_path):
    """read(content, calls) gives the ratings of a file with that content."""

    def ratings(content, calls=None):
        path = tmp_path / "ratings.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_ratings(path, BEHAVIOURS, calls)

    return ratings


def faults(read, content, calls=None):
    with pytest.raises(RatingsError) as caught:
        read(content, calls)
    return list(caught.value.faults)


GOOD = (Rating("c1", "Ana", "agenda", 2), Rating("c1", "Ben", "client_story", None))


@pytest.mark.parametrize(
    "content",
    [
        HEADER + "c1,Ana,agenda,2\nc1,Ben,client_story,\n",
        "\ufeff" + HEADER + "c1,Ana,agenda,2\r\nc1,Ben,client_story,none\r\n",
        "call_id;rater;behaviour;level\nc1;Ana;agenda;2\nc1;Ben;client_story;n/a\n",
        "\ufeffsep=;\r\ncall_id;rater;behaviour;level\r\nc1;Ana;agenda;2,0\r\nc1;Ben;client_story;\r\n",
        'call_id,rater,behaviour,level\n"c1","Ana","agenda","2"\n"c1","Ben","client_story",""\n',
        "call_id,rater,behaviour,level,,\nc1,Ana,agenda,2.0,,\nc1,Ben,client_story,,,\n,,,,,\n",
        "Level\tBehaviour\tRater\tCall_ID\n2\tAgenda\tAna\tc1\nNone\tClient story\tBen\tc1\n",
        HEADER + "\n c1 , Ana ,agenda, 2 \nc1,Ben,client-story,Not measured\n\n",
    ],
)
def test_ratings_as_people_and_spreadsheets_write_them(read, content):
    assert read(content).rows == GOOD


def test_ratings_keep_the_first_spelling_of_a_rater_and_a_call(read):
    rows = read(HEADER + "c1,Ana,agenda,2\nC1,ANA,client_story,1\n").rows
    assert [(one.call_id, one.rater) for one in rows] == [("c1", "Ana"), ("c1", "Ana")]


def test_ratings_take_the_scorecards_spelling_of_a_call(read):
    assert read(HEADER + "CALL 7,Ana,agenda,2\n", ["call 7"]).rows[0].call_id == "call 7"


def test_other_columns_are_ignored_with_a_note(read):
    found = read("call_id,rater,behaviour,level,comment\nc1,Ana,agenda,2,nice\n")
    assert found.notes == ("Columns that are not used: comment.",)
    assert found.raters == ("Ana",)
    assert len(found.sha256) == 64


def test_every_fault_of_the_rows_is_told_at_once(read):
    content = (
        HEADER + "c1,Ana,agenda,2\n"
        ",Ana,agenda,2\n"
        "c1,,agenda,2\n"
        "c1,Ben,agend,2\n"
        "c1,Ben,agenda,4\n"
        "c1,Ben,agenda,1.5\n"
        "c1,Ben,agenda,Good\n"
        "c1,ana,Agenda,3\n"
        "c22,Ben,agenda,2\n"
        "c1,Ben,agenda,2,3\n"
        "c1,Ben\n"
        "c8,,charm,-1\n"
        'c1,Ben,"agenda,2\n'
    )
    found = faults(read, content, ["c1", "c2"])
    assert [fault.split(":")[0] for fault in found] == [
        "line 3, column 'call_id'",
        "line 4, column 'rater'",
        "line 5, column 'behaviour'",
        "line 6, column 'level'",
        "line 7, column 'level'",
        "line 8, column 'level'",
        "line 9, column 'rater'",
        "line 10, column 'call_id'",
        "line 11",
        "line 12",
        "line 13, column 'call_id'",
        "line 13, column 'rater'",
        "line 13, column 'behaviour'",
        "line 13, column 'level'",
        "line 14",
    ]
    assert "'agend' is not known. Is 'agenda' meant?" in found[2]
    assert "Allowed: agenda, client_story" in found[2]
    assert "got '4'. Allowed: a whole number: 0 (Not Present), 1 (Needs Work)" in found[3]
    assert "got '1.5'" in found[4]
    assert "got 'Good'; Good is level 2" in found[5]
    assert "'Ana' has rated agenda of 'c1' on line 2 already" in found[6]
    assert "there is no scorecard of 'c22'. Is 'c2' meant? Allowed: the id of a call" in found[7]
    assert "5 fields. Allowed: 4" in found[8]
    assert "2 fields. Allowed: 4" in found[9]
    assert "the quoting is broken" in found[14]


def test_every_missing_column_is_told_with_the_nearest(read):
    found = faults(read, "call id,Rater,behavior,score\nc1,Ana,agenda,2\n")
    assert [fault.split(" is missing")[0] for fault in found] == [
        "line 1: the column 'call_id'",
        "line 1: the column 'behaviour'",
        "line 1: the column 'level'",
    ]
    assert "Is 'behavior' meant? Then rename it." in found[1]
    assert "got 'call id', 'rater', 'behavior', 'score'" in found[2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty. Allowed: a header and one row for each call, rater and behaviour"),
        (b"\xef\xbb\xbf\r\n\r\n", "the file is empty"),
        (b"sep=;\r\n", "the file is empty"),
        (HEADER.encode(), "there is no row below the header"),
        (b"c1,Ana,agenda,2\n", "the column 'call_id' is missing: got 'c1', 'Ana', 'agenda', '2'"),
        (HEADER.encode() + "c1,Zoë,agenda,2\n".encode("cp1252"), "line 2: byte 0xeb is not UTF-8"),
        ((HEADER + "c1,Ana,agenda,2\n").encode("utf-16"), "byte 0xff is not UTF-8"),
        (b"call_id,rater,rater,behaviour,level\nc1,A,A,agenda,2\n", "the column 'rater' comes more than once"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(read, content, said):
    assert any(said in fault for fault in faults(read, content))


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(RatingsError, match="Give the path of the ratings, a CSV file"):
        read_ratings(tmp_path / "none.csv", BEHAVIOURS)


def test_the_message_says_what_to_do(read):
    with pytest.raises(RatingsError, match=r"1 fault\n.*\n.*nothing was written\. The columns are: call_id"):
        read(HEADER + "c1,Ana,agenda,9\n")
