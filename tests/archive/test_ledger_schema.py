"""How the ledger's tables come to be: by the migrations, the same as the code has them, made once and never half."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from pipeline.archive import ledger_schema, migrations
from pipeline.archive.ledger import open_ledger
from pipeline.archive.ledger_database import parse
from pipeline.archive.ledger_schema import HEAD, REVISIONS, VERSION_TABLE
from pipeline.archive.ledger_tables import metadata
from pipeline.errors import LedgerError
from tests.archive.ledgers import PLAN, SOURCE, ledger, one, recorded, seen, url
from tests.archive.postgres import new_database

__all__ = ["ledger", "url"]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any tables."""
    return new_database() if request.param == "postgresql" else f"sqlite:///{tmp_path / 'new' / 'ledger.db'}"


def test_the_migrations_make_the_tables_of_the_code(empty: str) -> None:
    open_ledger(empty).close()
    engine = create_engine(parse(empty))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_newest_migration_is_the_one_that_the_code_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [HEAD]
    assert sorted(script.revision for script in scripts.walk_revisions()) == sorted(REVISIONS)


def test_a_migration_that_breaks_leaves_nothing(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade = ledger_schema._upgrade

    def broken(connection: object) -> None:
        upgrade(connection)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(ledger_schema, "_upgrade", broken)
    with pytest.raises(KeyboardInterrupt):
        open_ledger(empty)
    engine = create_engine(parse(empty))
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    monkeypatch.undo()
    with open_ledger(empty) as made:
        assert recorded(made, "a.wav")


def test_a_ledger_of_a_newer_version_is_left_as_it_is(url: str) -> None:
    engine = create_engine(parse(url))
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0099'"))
    with pytest.raises(LedgerError, match=r"was made by a newer version of ridealong \(its tables are at 0099"):
        open_ledger(url)
    with engine.connect() as connection:
        assert connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar() == "0099"
    engine.dispose()


OPEN = """
import sys
from pipeline.archive.ledger import open_ledger
from tests.archive.ledgers import PLAN, SOURCE, seen
sys.stdin.readline()
with open_ledger(sys.argv[1]) as ledger:
    ledger.record(SOURCE, [seen(f"{n}.wav") for n in range(20)], PLAN)
"""


def test_several_processes_may_open_a_new_ledger_at_once(empty: str) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", OPEN, empty], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    told = [process.communicate("go\n", timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], told
    with open_ledger(empty) as ledger:
        assert ledger.counts() == {"pending": 20}


def test_a_dry_run_makes_no_ledger(empty: str, tmp_path: Path) -> None:
    with open_ledger(empty, dry_run=True) as ledger:
        assert ledger.compare(["a.wav"], SOURCE) == {} and ledger.out is None
        assert ledger.record(SOURCE, [seen("a.wav")], PLAN) == 1
    assert list(tmp_path.iterdir()) == []
    if empty.startswith("postgresql"):
        engine = create_engine(parse(empty))
        assert inspect(engine).get_table_names() == []
        engine.dispose()


def test_a_dry_run_reads_the_ledger_that_is_there(url: str) -> None:
    with open_ledger(url) as ledger:
        recorded(ledger, "a.wav")
    with open_ledger(url, dry_run=True) as ledger:
        assert one(ledger, "a.wav").state == "pending"


def test_a_forked_child_has_connections_of_its_own(url: str) -> None:
    """Sharing one would mix up both processes' answers."""
    code = (
        "import os, sys; from tests.archive.ledgers import *; ledger = open_ledger(sys.argv[1]);"
        "recorded(ledger, 'a.wav'); pid = os.fork();"
        "got = [one(ledger, 'a.wav').key for _ in range(50)]; assert got == ['a.wav'] * 50;"
        "os._exit(0) if pid == 0 else sys.exit(os.waitpid(pid, 0)[1])"
    )
    done = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
