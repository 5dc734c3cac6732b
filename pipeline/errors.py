"""Everything ridealong raises on purpose. Catch `RidealongError`; its text is meant for people.

RidealongError
├── UsageError           wrong options, settings or manifest: nothing was started        (exit 2)
│   ├── ManifestError    calls.csv: every fault of the file, each with its row
│   ├── RubricError      a rubric file: every fault of the file, each with its place
│   ├── RatingsError     ratings.csv: every fault of the file, each with its line and column
│   ├── CalibrationError a calibration file, or the scorecards to calibrate with: every fault
│   ├── JudgeError       a judge's file: every fault of the file
│   └── VocabularyError  a vocabulary file: every fault of the file, each with its line
├── StorageError         a bucket or disk does not do what it should; no call's fault     (exit 1)
├── LedgerError          the ledger's database cannot be reached or used                 (exit 1)
└── CallError            this one call cannot be scored, the others can                  (exit 1)
    ├── MediaError       the recording cannot be read, or is over a limit
    ├── TranscriptError  the transcript file cannot be read
    ├── ListeningError   no engine or diarization can handle the recording
    ├── JudgeServerError the server that judges takes too long over the call, or refuses it
    │   └── JudgeAwayError   it cannot be reached, is too busy or refuses the key: no call's fault
    ├── KeptError        what was kept of the call cannot be read, so somebody must listen again
    └── OutputError      the result cannot be written
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal


class RidealongError(Exception):
    """Base of all errors that ridealong raises; the message says what is wrong, where, and what to do."""


class UsageError(RidealongError):
    """The request itself is wrong, so nothing was started."""


class FileFaults(UsageError):
    """A file with one or more faults. `faults` holds every one of them, each with its place."""

    def __init__(self, path: object, faults: Sequence[str], remedy: str) -> None:
        self.path = str(path)
        self.faults = tuple(faults)
        count = f"{len(faults)} fault{'s' if len(faults) != 1 else ''}"
        lines = "\n".join(f"  - {fault}" for fault in faults)
        super().__init__(f"{path}: {count}\n{lines}\n{remedy}")


class ManifestError(FileFaults):
    """calls.csv cannot be used."""


class RubricError(FileFaults):
    """A rubric file cannot be used."""


class RatingsError(FileFaults):
    """A file of people's ratings cannot be used."""


class CalibrationError(FileFaults):
    """A calibration file, or the scorecards to calibrate with, cannot be used."""


class JudgeError(FileFaults):
    """A judge's configuration file cannot be used."""


class VocabularyError(FileFaults):
    """A vocabulary file cannot be used."""


StorageFault = Literal["throttled", "unreachable", "denied", "missing", "full", "refused"]


class StorageError(RidealongError):
    """A bucket or a disk fails. `fault` says how; `is_passing` whether waiting may help."""

    def __init__(self, message: str, fault: StorageFault) -> None:
        self.fault = fault
        super().__init__(message)

    @property
    def is_passing(self) -> bool:
        """Whether the same request may be answered a little later."""
        return self.fault in ("throttled", "unreachable")

    def __reduce__(self) -> tuple[type[StorageError], tuple[str, StorageFault]]:
        return type(self), (str(self), self.fault)  # it travels between processes


class LedgerError(RidealongError):
    """The ledger's database cannot be reached, or is not one that this version can use."""


class CallError(RidealongError):
    """This call cannot be scored; the batch goes on without it."""


class MediaError(CallError):
    """The recording cannot be decoded, or is over a limit."""


class TranscriptError(CallError):
    """The transcript file cannot be read."""


class ListeningError(CallError):
    """No engine or diarization can handle this recording."""


class JudgeServerError(CallError):
    """The server that judges behaviours did not answer this call's questions."""


class KeptError(CallError):
    """What was kept of an earlier listening or judging cannot be read."""


class JudgeAwayError(JudgeServerError):
    """The server that judges answers nobody just now; the same call may be judged later."""


class OutputError(CallError):
    """The result cannot be written."""
