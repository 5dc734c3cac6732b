"""What does Prefect add to a call, and does it keep its rows? `python benchmarks/prefect_overhead.py [--calls N]`

The fake engine's one-minute calls by two worker processes: once by the driver alone, once as Prefect tasks on the
temporary server as ridealong sets it up, once with Prefect's own settings. Prints calls a second, CPU milliseconds a
call of the driver and of Prefect's server, the driver's memory, and how many task runs Prefect still has afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline.fakes import write_fake

RESULTS = Path(__file__).parent / "results" / "prefect_overhead.json"
WAYS = ("local", "prefect", "prefect_as_it_comes")
CHILD = """
import json, resource, sys, time
way, source, out = sys.argv[1:]
from pipeline.batch.run import score_bucket
from pipeline.settings import ListenSettings

def server_seconds():
    import psutil
    return sum(sum(one.cpu_times()[:2]) for one in psutil.Process().children() if "uvicorn" in one.cmdline())

def run():
    cpu, server = time.process_time(), server_seconds()  # both have started by now
    summary = score_bucket(source, out=out, settings=ListenSettings(engine="fake"), workers=2, runner=hired)
    spent = {"done": summary.done, "seconds": summary.seconds, "driver_cpu": time.process_time() - cpu}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return spent | {"server_cpu": server_seconds() - server, "mib": memory}

hired = None
if __name__ == "__main__":
    if way != "local":
        from flows.runners import hire
        from prefect import flow
        hired = hire("prefect", workers=2)
        run = flow(run, name="benchmark")
    print(json.dumps(run()))
"""


def measured(way: str, source: Path, home: Path) -> dict[str, float]:
    """The figures of one way, in a process and with a home of Prefect of its own."""
    home.mkdir()
    environment = os.environ | {"PREFECT_HOME": str(home), "PREFECT_LOGGING_LEVEL": "CRITICAL"}
    environment.pop("PREFECT_API_URL", None)
    if way == "prefect_as_it_comes":
        environment |= {
            "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "1",
            "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "1",
            "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "5",
            "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "true",
            "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "true",
            "PREFECT_SERVER_EVENTS_STREAM_OUT_ENABLED": "true",
            "PREFECT_LOGGING_TO_API_ENABLED": "true",
        }
    script = home / "child.py"
    script.write_text(CHILD)
    command = [sys.executable, script, way, source, home / "out"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return json.loads(said.splitlines()[-1]) | {"rows": rows(home / "prefect.db")}


def rows(database: Path) -> int | None:
    """The task runs that Prefect has in the end, None without Prefect."""
    if not database.exists():
        return None
    with sqlite3.connect(database) as connection:
        return int(connection.execute("select count(*) from task_run where end_time is not null").fetchone()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    calls = parser.parse_args().calls
    results: dict[str, object] = {"calls": calls}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "bucket")
        source.mkdir()
        for number in range(calls):
            write_fake(source / f"call-{number:06d}.wav", seed=number)
        for way in WAYS:
            found = measured(way, source, Path(folder, way))
            row = {
                "calls_a_second": round(calls / found["seconds"], 1),
                "driver_cpu_ms": round(1000 * found["driver_cpu"] / calls, 1),
                "server_cpu_ms": round(1000 * found["server_cpu"] / calls, 1),
                "driver_mib": found["mib"],
                "task_runs_kept": found["rows"],
            }
            results[way] = row
            print(way, row, flush=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
