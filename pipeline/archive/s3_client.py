"""boto3's client for a bucket: the usual chain of credentials, an endpoint of one's own, waits between attempts."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from pipeline.archive.faults import fault, storage_fault

CONNECT_SECONDS, READ_SECONDS = 10, 60
ATTEMPTS = 5
"""Times a request is tried, with growing waits of at most 20 s (botocore's mode `standard`), before it has
failed; AWS_MAX_ATTEMPTS and AWS_RETRY_MODE override."""


def make_client(where: str, *, endpoint: str | None, region: str | None, profile: str | None) -> Any:
    """A client of boto3, safe for threads. Without any credentials, or by AWS_NO_SIGN_REQUEST, it asks as anybody.

    Raises StorageError `denied` where the credentials or the profile cannot be loaded, `refused` for settings that
    cannot be used.
    """
    import boto3
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        core = Session(profile=profile)
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_time)
        region = region or core.get_config_variable("region") or "us-east-1"
        session, unsigned = boto3.Session(botocore_session=core, region_name=region), _has_no_credentials(core)
        if not endpoint:  # the environment or the configuration may name one: only a client tells
            client = session.client("s3", config=_config(unsigned))
            endpoint = client.meta.endpoint_url
            _check_endpoint(endpoint, where)
            if _is_amazon(endpoint):
                return client
        more = {} if _is_amazon(endpoint) else _own_endpoint(core)
        return session.client("s3", endpoint_url=endpoint, config=_config(unsigned, **more))
    except BotoCoreError as error:
        raise storage_fault(error, where) from error
    except ValueError as error:
        remedy = "Check the endpoint and the region, as in https://minio.example.org:9000 and eu-central-1."
        raise fault(where, "the endpoint or the region cannot be used", "refused", remedy) from error


def _time(value: Any) -> datetime:
    """A time of an answer. The standard library reads S3's; botocore's way takes most of a listing's time."""
    from botocore.utils import parse_timestamp

    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        time = parse_timestamp(value)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def is_unsigned(client: Any) -> bool:
    """Whether a client asks without credentials."""
    from botocore import UNSIGNED

    return client.meta.config.signature_version is UNSIGNED


def _has_no_credentials(core: Any) -> bool:
    asked = os.environ.get("AWS_NO_SIGN_REQUEST", "").strip().lower() in ("1", "true", "yes")
    return asked or core.get_credentials() is None


def _config(unsigned: bool, **more: Any) -> Any:
    from botocore import UNSIGNED
    from botocore.config import Config

    retries: dict[str, Any] = {}
    if "AWS_RETRY_MODE" not in os.environ:
        retries["mode"] = "standard"
    if "AWS_MAX_ATTEMPTS" not in os.environ:
        retries["total_max_attempts"] = ATTEMPTS
    signing = {"signature_version": UNSIGNED} if unsigned else {}
    timeouts = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS}
    return Config(retries=retries, **timeouts, **signing, **more)


def _own_endpoint(core: Any) -> dict[str, Any]:
    """Settings for other stores: the bucket in the path, as a name below the endpoint's seldom resolves, unless
    configured; and no checksums that many of them do not know and Amazon does not insist on."""
    configured = core.get_scoped_config().get("s3")
    style = configured.get("addressing_style") if isinstance(configured, dict) else None
    return {"s3": {"addressing_style": style or "path"}, "request_checksum_calculation": "when_required"}


def _is_amazon(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def _check_endpoint(endpoint: str, where: str) -> None:
    if "@" in urlsplit(endpoint).netloc:
        remedy = "Take them out, and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead."
        raise fault(where, "the endpoint holds a user or password", "refused", remedy)
