"""A call's folder is written whole or not at all."""

import os

import pytest

from pipeline.archive.folder import call_folder, check_writable, write_call
from pipeline.errors import OutputError, UsageError


def test_folder_holds_exactly_the_files_of_the_last_writing(tmp_path):
    write_call(tmp_path, "a", {"one": "1", "two": b"2"})
    folder = write_call(tmp_path, "a", {"one": "ünï", "three": lambda path: path.write_text("3")})
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == {"one": "ünï", "three": "3"}
    assert [path.name for path in (tmp_path / "calls").iterdir()] == ["a"]


def test_folder_a_failed_writing_leaves_the_earlier_version(tmp_path):
    def fail(path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    write_call(tmp_path, "a", {"one": "1"})
    with pytest.raises(OutputError, match="No space left on device"):
        write_call(tmp_path, "a", {"one": "2", "two": fail})
    assert (call_folder(tmp_path, "a") / "one").read_text() == "1"
    assert [path.name for path in (tmp_path / "calls").iterdir()] == ["a"]


def test_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(UsageError, match="cannot be written to"):
        check_writable(tmp_path / "out")
    with pytest.raises(OutputError, match="cannot be written"):
        write_call(tmp_path / "out", "a", {"one": "1"})


def test_folder_is_readable_by_others_as_the_umask_allows(tmp_path):
    before = os.umask(0o022)
    try:
        assert write_call(tmp_path, "a", {"one": "1"}).stat().st_mode & 0o777 == 0o755
    finally:
        os.umask(before)
