"""A call's folder is written whole or not at all."""

import errno
import os

import pytest

from pipeline.archive import call_folder as call_folders
from pipeline.archive.exchange import exchange
from pipeline.archive.folder import call_folder, check_writable, scorecard_files, stored_scorecards, write_call
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


def test_folder_what_a_killed_writer_left_is_swept_and_never_shown(tmp_path):
    write_call(tmp_path, "a", {"scorecard.json": '{"call_id": "a"}'})
    for left in (".making-a/x1", ".making-a/old-x2", ".making-b/x3"):
        (tmp_path / "calls" / left).mkdir(parents=True)
        (tmp_path / "calls" / left / "scorecard.json").write_text('{"call_id": "left"}')
    assert [one["call_id"] for one in stored_scorecards(tmp_path)] == ["a"]
    assert scorecard_files(tmp_path) == [tmp_path / "calls" / "a" / "scorecard.json"]
    assert scorecard_files(tmp_path / "calls") == [tmp_path / "calls" / "a" / "scorecard.json"]
    write_call(tmp_path, "a", {"scorecard.json": "{}"})
    assert sorted(path.name for path in (tmp_path / "calls").iterdir()) == [".making-b", "a"]


def test_folder_a_version_that_stepped_aside_comes_back(tmp_path):
    aside = tmp_path / "calls" / ".making-a" / "old-x"
    aside.mkdir(parents=True)
    (aside / "one").write_text("1")
    assert call_folders.current_folder(tmp_path, "a") == aside
    assert call_folders.sweep_call(tmp_path, "a") is True
    assert (call_folder(tmp_path, "a") / "one").read_text() == "1" and call_folders.sweep_call(tmp_path, "a") is False


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_folder_without_exchange_a_failed_step_puts_the_old_version_back(tmp_path, monkeypatch, code):
    write_call(tmp_path, "a", {"one": "1"})
    rename = call_folders.Path.rename

    def fails(self, target):
        if target == call_folder(tmp_path, "a") and not self.name.startswith("old-"):
            raise OSError(code, os.strerror(code))
        return rename(self, target)

    monkeypatch.setattr(call_folders, "exchange", lambda one, other: False)
    monkeypatch.setattr(call_folders.Path, "rename", fails)
    with pytest.raises(OutputError, match=os.strerror(code)):
        write_call(tmp_path, "a", {"one": "2"})
    assert (call_folder(tmp_path, "a") / "one").read_text() == "1"
    assert [path.name for path in (tmp_path / "calls").iterdir()] == ["a"]


def test_folder_a_link_in_a_calls_place_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine").write_text("mine")
    (tmp_path / "calls").mkdir()
    call_folder(tmp_path, "a").symlink_to(tmp_path / "elsewhere")
    write_call(tmp_path, "a", {"one": "1"})
    assert not call_folder(tmp_path, "a").is_symlink()
    assert (tmp_path / "elsewhere" / "mine").read_text() == "mine"
    assert [path.name for path in (tmp_path / "calls").iterdir()] == ["a"]


def test_exchange_swaps_two_folders_or_says_that_it_cannot(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if exchange(tmp_path / "one", tmp_path / "other"):
        assert (tmp_path / "one" / "other").exists() and (tmp_path / "other" / "one").exists()
        with pytest.raises(FileNotFoundError):
            exchange(tmp_path / "one", tmp_path / "nowhere")
    else:
        assert (tmp_path / "one" / "one").exists()
