"""A URL or a path in, its bucket out. Nothing is asked of a store here: one that is not there shows when it is used."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.archive.bucket import Bucket
from pipeline.archive.bucket_folder import FolderBucket
from pipeline.archive.bucket_obstore import AZURE, GOOGLE, ObstoreBucket
from pipeline.archive.bucket_s3 import S3Bucket
from pipeline.errors import UsageError

FORMS = "s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX, file:///FOLDER or a folder's path"
OPTIONS = ("endpoint", "region", "profile")
"""What an s3:// URL may say behind a question mark, as in s3://calls/2026?endpoint=https://minio.example.org."""
_QUERY = re.compile(r"\?([A-Za-z_]+=.*)$", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")


def open_bucket(url: str | Path) -> Bucket:
    """The store at `url`; keys are relative to its prefix. Raises UsageError for a URL that is none of the forms.

    A `~` is the home folder. A prefix is plain text, as in Amazon's own tools: nothing in it is percent-quoted.
    """
    if isinstance(url, Path):
        return FolderBucket(_home(url))
    scheme, separator, rest = url.partition("://")
    if not separator:
        if not url.strip():
            raise UsageError(f"no bucket or folder is named. Allowed are {FORMS}.")
        return FolderBucket(_home(Path(url)))
    scheme = scheme.lower()
    if scheme == "file":
        return FolderBucket(_file(rest))
    if scheme == "s3":
        return _s3(rest)
    if scheme in (GOOGLE, AZURE):
        return _obstore(scheme, rest)
    raise UsageError(f"{scheme[:20]!r} is no kind of bucket that is known. Allowed are {FORMS}.")


def _home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise UsageError(f"{path}: there is no home folder of that user. Write the whole path.") from error


def _file(rest: str) -> Path:
    """The folder of a file:// URL, percent-quoted; bytes that are no UTF-8 become surrogates, as in Python's paths."""
    host, slash, path = rest.partition("/")
    if not slash or host not in ("", "localhost"):
        raise UsageError("a file:// URL needs three slashes and a whole path, as in file:///home/me/calls.")
    return Path(unquote("/" + path, errors="surrogateescape"))


def _s3(rest: str) -> S3Bucket:
    place, options = rest, dict[str, str]()
    if asked := _QUERY.search(rest):
        place, options = rest[: asked.start()], _options(asked.group(1))
    return S3Bucket(
        *_bucket_and_prefix("s3", place),
        endpoint=options.get("endpoint"),
        region=options.get("region"),
        profile=options.get("profile"),
    )


def _options(query: str) -> dict[str, str]:
    """The options behind the question mark. Their values are not repeated: they may be secrets."""
    options: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name not in OPTIONS or not value or name in options:
            allowed = ", ".join(f"{option}=…" for option in OPTIONS)
            raise UsageError(
                f"s3:// URL: {name[:20]!r} is no option, is empty or is there twice. Allowed are {allowed}."
            )
        options[name] = unquote(value)
    endpoint = urlsplit(options.get("endpoint", "https://localhost"))
    if endpoint.scheme not in ("http", "https") or not endpoint.netloc or "@" in endpoint.netloc:
        raise UsageError(
            "s3:// URL: the endpoint must be an http:// or https:// URL without user and password, as in "
            "?endpoint=https://minio.example.org:9000. Keys are set by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    return options


def _bucket_and_prefix(scheme: str, place: str) -> tuple[str, str]:
    """The bucket's name, and the prefix with the slash that ends it, empty for the whole bucket."""
    name, _, prefix = place.partition("/")
    if not _NAME.fullmatch(name):
        held = " and no user, password or port" if "@" in name or ":" in name else ""
        raise UsageError(
            f"{scheme}:// URL: a bucket's name comes first, of letters, digits, '.', '_' and '-'{held}. "
            f"Allowed are {FORMS}."
        )
    return name, prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


def _obstore(scheme: str, rest: str) -> ObstoreBucket:
    if _QUERY.search(rest):
        raise UsageError(f"{scheme}:// URL: it takes no options behind a question mark; see docs/buckets.md.")
    return ObstoreBucket(scheme, *_bucket_and_prefix(scheme, rest))
