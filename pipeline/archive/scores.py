"""Where scored calls are kept: a folder or a bucket, a few files a call, of which all change in one step or none."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from pipeline.archive.call_folder import Content
from pipeline.errors import UsageError
from pipeline.listen.call_rows import CALL_ID_ALLOWED, RECORDING_SUFFIXES, is_safe_call_id

__all__ = ["Content", "Scores", "checked_id", "checked_names", "is_sound", "open_scores"]


class Scores(Protocol):
    """The scored calls below OUT. Every method raises StorageError where the store fails, which is no call's fault, and
    UsageError for a call id that cannot name a folder."""

    @property
    def url(self) -> str:
        """The URL that opens it again, without credentials."""

    def write(self, call_id: str, files: Mapping[str, Content], *, keep: Collection[str] = ()) -> None:
        """Store exactly `files`, and of the files stored before those that `keep` names, as they are.

        The version before is replaced in one step, and after an error it is still there. A kept name that is not stored
        is passed over.

        An error that a content's function raises comes through as it is, but OSError as StorageError.
        """

    def read(self, call_id: str, name: str) -> bytes:
        """A file's bytes. Raises StorageError `missing` where there is none."""

    def files(self, call_id: str) -> tuple[str, ...]:
        """The names of the call's files, sorted; none where there is no such call."""

    def call_ids(self) -> Iterator[str]:
        """The ids of all stored calls, in the store's order."""

    def remove(self, call_id: str) -> bool:
        """Remove all that there is of a call, unfinished versions too; whether there was anything."""

    def sweep(self, call_id: str) -> None:
        """Remove what interrupted writers of the call left; its current version stays."""

    def where(self, call_id: str, name: str) -> str:
        """Where people find the file: a path or a URL. `name` may be any that `search` gave; nothing is checked."""

    def search(self, text: str) -> Iterator[tuple[str, str]]:
        """(call id, file) of each stored file that holds the text, those of unfinished versions included.

        `NameSearch` says what is equal. A call whose id holds it gives (call id, ""). Sound is not searched.
        """


def open_scores(url: str | Path) -> Scores:
    """The scored calls at a path, `file://`, `s3://`, `gs://` or `az://`; nothing is made before the first writing.

    Raises UsageError for any other URL, as `open_bucket`.
    """
    from pipeline.archive.bucket_folder import FolderBucket
    from pipeline.archive.buckets import open_bucket
    from pipeline.archive.scores_bucket import BucketScores
    from pipeline.archive.scores_folder import FolderScores

    bucket = open_bucket(url)
    return FolderScores(bucket.folder) if isinstance(bucket, FolderBucket) else BucketScores(bucket)


def checked_id(call_id: str) -> str:
    """The id, fit to name a folder and a key. Raises UsageError."""
    if not is_safe_call_id(call_id):
        raise UsageError(f"call id {call_id!r}: cannot name a folder. Allowed are {CALL_ID_ALLOWED}.")
    return call_id


def checked_names(files: Collection[str]) -> None:
    """Raise UsageError unless each name is a plain file name."""
    for name in files:
        if not is_safe_call_id(name):
            raise UsageError(f"file name {name!r}: cannot name a file of a call. Allowed are {CALL_ID_ALLOWED}.")


def is_sound(name: str) -> bool:
    """Whether the file is sound by its suffix, in which no name can be read."""
    return name.lower().endswith(RECORDING_SUFFIXES)
