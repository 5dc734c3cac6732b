"""What may reach Prefect, which stores and shows the text of errors: words about settings and databases, but not those
about recordings, whose keys and manifests name people.
"""

from __future__ import annotations

import logging

from pipeline.errors import LedgerError, RidealongError, UsageError

__all__ = ["WordlessError", "nameless"]

_log = logging.getLogger(__name__)


class WordlessError(RidealongError):
    """An error whose own words stay in the log of the process that met it."""


def nameless(error: Exception) -> Exception:
    """The error itself where its words name nobody; else a WordlessError, and the words go to this process's log."""
    if type(error) in (LedgerError, UsageError) or isinstance(error, WordlessError):
        return error
    _log.error("%s: %s", type(error).__name__, error, exc_info=not isinstance(error, RidealongError))
    where = "Its words may name people, so they are in the log of the process that ran this."
    return WordlessError(f"{type(error).__name__}. {where}")
