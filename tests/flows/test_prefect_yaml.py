"""The deployment in prefect.yaml is one that Prefect takes and the flow understands."""

from __future__ import annotations

import inspect
from urllib.parse import urlsplit

import prefect
import pytest
import yaml
from prefect.cli.deploy._models import PrefectYamlModel, RawScheduleConfig

from flows.score_bucket import score_bucket
from pipeline import resources

FILE = resources.ROOT / "prefect.yaml"


@pytest.fixture(scope="module")
def deployment():
    (one,) = PrefectYamlModel.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8"))).deployments
    return one


def test_deployment_names_the_flow(deployment):
    path, name = deployment.entrypoint.split(":")
    assert (resources.ROOT / path).read_text(encoding="utf-8").count(f"\ndef {name}(") == 1
    assert name == score_bucket.fn.__name__


def test_parameters_are_those_of_the_flow(deployment):
    assert set(deployment.parameters) <= set(inspect.signature(score_bucket.fn).parameters)
    assert score_bucket.validate_parameters(deployment.parameters).items() >= deployment.parameters.items()


def test_no_parameter_holds_a_password(deployment):
    assert "ledger" not in deployment.parameters
    assert [one for one in deployment.parameters.values() if urlsplit(str(one)).password] == []


def test_schedule_is_nightly_and_waits_to_be_switched_on(deployment):
    (schedule,) = deployment.schedules
    assert isinstance(schedule, RawScheduleConfig)
    assert (schedule.cron, schedule.timezone, schedule.active) == ("0 2 * * *", "UTC", False)


def test_one_run_at_a_time_in_the_work_pool(deployment):
    assert deployment.work_pool.name == "ridealong"
    assert deployment.concurrency_limit.limit == 1


def test_file_names_the_version_it_was_tried_with():
    tried = yaml.safe_load(FILE.read_text(encoding="utf-8"))["prefect-version"]
    assert tried.split(".")[:2] == prefect.__version__.split(".")[:2]
