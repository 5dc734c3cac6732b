"""What Prefect is told before a flow of many calls runs; imported before anything else of Prefect.

Measured with Prefect 3.8 on two busy cores (`benchmarks/prefect_overhead.py`, 600 calls): the temporary server that
Prefect starts where no `PREFECT_API_URL` is set spends 28 ms on a task run as it comes, falls behind, and had 482 of
603 rows when the flow ended; with the settings below it spends 6 ms and had all. A server of your own wants the same:
see docs/prefect.md.
"""

from __future__ import annotations

import os

from pipeline.settings import keep_private

__all__ = ["TEMPORARY_SERVER", "prepare"]

TEMPORARY_SERVER = {
    # task runs are written 200 at a time, not one by one: most of what the server saves
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    # nobody can have set an automation on a server that lives as long as the flow, nor look at its events or its logs
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
    "PREFECT_SERVER_EVENTS_STREAM_OUT_ENABLED": "false",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    # its first start makes a database, which takes longer than Prefect's 20 s where the machine is busy
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
}
"""Environment variables for the temporary server; each is left alone where the user has set it."""


def prepare() -> None:
    """Opt out of usage reports and, where no server is configured, make the temporary one keep up with a batch."""
    keep_private()  # before Prefect is imported: that is when it reads whether it may report usage
    from prefect.context import refresh_global_settings_context
    from prefect.settings import get_current_settings

    if get_current_settings().api.url is None:  # neither by environment, nor profile, nor prefect.toml
        for name, value in TEMPORARY_SERVER.items():
            os.environ.setdefault(name, value)
        refresh_global_settings_context()
