"""The configuration file of a judge: all faults at once, and no transcript goes where nobody allowed it to."""

import pytest

from pipeline.assess.judge_file import LearnedSettings, LlmSettings, is_near, read_judge
from pipeline.assess.judges import load_judge
from pipeline.errors import JudgeError, UsageError

LLM = "kind: llm\nurl: http://127.0.0.1:8080/v1/chat/completions\nmodel: qwen2.5-14b\n"


def written(tmp_path, text):
    path = tmp_path / "judge.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(tmp_path, text):
    with pytest.raises(JudgeError) as error:
        read_judge(written(tmp_path, text))
    return error.value.faults


def test_judge_file_of_a_language_model(tmp_path):
    read = read_judge(written(tmp_path, LLM + "timeout_seconds: 30\nretries: 0\n"))
    assert read == LlmSettings("http://127.0.0.1:8080/v1/chat/completions", "qwen2.5-14b", 30, 0)


def test_judge_file_a_folder_is_relative_to_the_file(tmp_path):
    assert read_judge(written(tmp_path, "kind: learned\nfolder: heads\n")) == LearnedSettings(tmp_path / "heads")
    read = read_judge(written(tmp_path, "kind: learned\nfolder: heads\nencoder: ../bert\n"))
    assert read == LearnedSettings(tmp_path / "heads", tmp_path.parent / "bert")
    with pytest.raises(UsageError, match="no usable behaviours model"):
        load_judge(tmp_path / "judge.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no fields"),
        ("- 1", "holds no fields"),
        ("kind: oracle", "'oracle' is not known; write learned or llm"),
        ("a: [", "line 1, column 5: not valid YAML"),
        ("kind: learned", "folder: missing"),
        ("kind: learned\nfolder: ''", "folder: is empty"),
        ("kind: learned\nfolder: x\nencoder: ''", "encoder: is empty"),
        ("kind: learned\nfolder: x\nurl: y", "url: not a field of kind learned; allowed: folder"),
        (LLM + "temperature: 1", "temperature: not a field of kind llm"),
        (LLM + "retries: 2.5", "retries: 2.5 is not a whole number"),
        (LLM + "retries: 99", "retries: 99 is out of range; allowed: 0 to 10"),
        (LLM + "retries: true", "retries: True is not a whole number"),
        (LLM + "timeout_seconds: .nan", "out of range"),
        (LLM + "allow_remote: 1", "allow_remote: 1 is not true or false"),
        (LLM + "api_key_env: RIDEALONG_NO_SUCH_KEY", "'RIDEALONG_NO_SUCH_KEY' is not set"),
    ],
)
def test_judge_file_faults_say_what_is_wrong(tmp_path, text, said):
    assert any(said in fault for fault in faults(tmp_path, text))


def test_judge_file_all_faults_at_once(tmp_path):
    found = faults(tmp_path, "kind: llm\nmodel: 3\nretries: -1\nspeed: high\n")
    assert [fault.partition(":")[0] for fault in found] == ["speed", "url", "model", "retries"]


def test_judge_file_that_is_not_there(tmp_path):
    with pytest.raises(JudgeError, match="cannot be read"):
        read_judge(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("url", "more", "said"),
    [
        ("https://203.0.113.7/v1", "", "203.0.113.7 is not on this machine or a private network"),
        ("https://8.8.8.8/v1", "allow_remote: false", "personal data"),
        ("http://8.8.8.8/v1", "allow_remote: true", "in the clear; use https"),
        ("http://169.254.169.254/latest", "", "not on this machine"),
        ("http://[2001:4860:4860::8888]/v1", "", "not on this machine"),
        ("http://[::ffff:8.8.8.8]/v1", "", "not on this machine"),
        ("http://me:secret@127.0.0.1/v1", "", "holds a user name or password"),
        ("ftp://127.0.0.1/v1", "", "is not an http or https URL"),
        ("127.0.0.1:8080", "", "is not an http or https URL"),
        ("http://127.0.0.1:99999/v1", "", "is not a URL"),
        ("'http://127.0.0.1/v1 x'", "", "is not an http or https URL"),
    ],
)
def test_judge_file_an_address_elsewhere_is_refused(tmp_path, url, more, said):
    found = faults(tmp_path, f"kind: llm\nurl: {url}\nmodel: m\n{more}\n")
    assert any(fault.startswith("url: ") and said in fault for fault in found)
    assert "secret" not in " ".join(found)


def test_judge_file_an_address_elsewhere_may_be_allowed_by_name(tmp_path):
    read = read_judge(written(tmp_path, "kind: llm\nurl: https://8.8.8.8/v1\nmodel: m\nallow_remote: true\n"))
    assert read.allow_remote is True


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.9", "fd12::1"])
def test_judge_file_this_machine_and_private_networks_are_near(address):
    assert is_near(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "169.254.169.254", "fe80::1%eth0", "0.0.0.0", "::"])
def test_judge_file_others_are_not(address):
    assert not is_near(address)


def test_judge_file_the_key_is_never_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("OUR_KEY", "sk-very-secret")
    read = read_judge(written(tmp_path, LLM + "api_key_env: OUR_KEY\n"))
    assert read.api_key == "sk-very-secret"
    assert "secret" not in repr(read) + repr(load_judge(tmp_path / "judge.yaml"))
    monkeypatch.setenv("OUR_KEY", "sk-very-secret\nX-Other: 1")
    [fault] = faults(tmp_path, LLM + "api_key_env: OUR_KEY\n")
    assert "control characters" in fault
    assert "secret" not in fault
