"""Weights by hub name and token, from a hub on this machine that gives them to those who have accepted its terms."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.errors import ListeningError
from pipeline.listen.diarize import choose_diarizer
from pipeline.listen.hub import hub_answers, hub_token
from pipeline.listen.pyannote_weights import WeightsMissing, load_pyannote
from pipeline.settings import ListenSettings

NAME, REVISION, TOKEN = "someone/seeded", "5eed" * 10, "hf_accepted"


class Hub(BaseHTTPRequestHandler):
    """As much of the model hub as a download asks for; `folder` holds the repository's files."""

    folder: Path

    def do_HEAD(self) -> None:
        self._answer(b"" if self.path == "/" else self._content(), send=False)

    def do_GET(self) -> None:
        self._answer(self._content(), send=True)

    def _content(self) -> bytes | None:
        files = {file.relative_to(self.folder).as_posix(): file for file in self.folder.rglob("*") if file.is_file()}
        if self.path.startswith(f"/api/models/{NAME}/revision/"):
            listed = [{"rfilename": name} for name in sorted(files)]
            return json.dumps({"id": NAME, "sha": REVISION, "siblings": listed}).encode()
        if self.path.startswith(f"/api/models/{NAME}/tree/{REVISION}"):
            sizes = {name: file.stat().st_size for name, file in sorted(files.items())}
            tree = [{"type": "file", "oid": "0" * 40, "path": name, "size": size} for name, size in sizes.items()]
            return json.dumps(tree).encode()
        name = self.path.removeprefix(f"/{NAME}/resolve/{REVISION}/")
        return files[name].read_bytes() if name in files else None

    def _answer(self, content: bytes | None, *, send: bool) -> None:
        allowed = self.path == "/" or self.headers.get("Authorization") == f"Bearer {TOKEN}"
        body = content if allowed and content is not None else b""
        self.send_response(401 if not allowed else 404 if content is None else 200)
        if not allowed:
            self.send_header("X-Error-Code", "GatedRepo")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json" if self.path.startswith("/api") else "application/binary")
        self.send_header("ETag", f'"{hashlib.sha256(self.path.encode()).hexdigest()}"')
        self.send_header("X-Repo-Commit", REVISION)
        self.end_headers()
        if send:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def hub(pyannote_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    from huggingface_hub import constants

    handler = type("SeededHub", (Hub,), {"folder": pyannote_folder})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    yield address
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_pipeline_is_fetched_once_by_its_name_and_token(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hub_answers()
    diarizer = load_pyannote(ListenSettings(diarization_model=NAME, hub_token=TOKEN, device="cpu"))
    assert diarizer.models == ((f"pyannote {NAME}", REVISION),)
    assert diarizer.trust == "high"
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    again = load_pyannote(ListenSettings(diarization_model=NAME, device="cpu"))
    assert again.models == diarizer.models


@pytest.mark.parametrize(
    ("token", "message"),
    [(None, r"could not be fetched \(GatedRepoError; no token is set\)"), ("hf_other", r"fetched \(GatedRepoError\)")],
)
def test_whoever_has_not_accepted_the_terms_is_told_how(hub: str, token: str | None, message: str) -> None:
    settings = ListenSettings(diarization_model=NAME, hub_token=token)
    with pytest.raises(WeightsMissing, match=message):
        load_pyannote(settings)
    with pytest.raises(ListeningError, match="accept the terms") as caught:
        choose_diarizer(settings, speakers=(2, 2))
    assert "hf_other" not in str(caught.value)


def test_the_token_is_the_setting_s_else_the_environment_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_environment")
    assert hub_token(ListenSettings()) == "hf_environment"
    assert hub_token(ListenSettings(hub_token="hf_setting")) == "hf_setting"
    monkeypatch.delenv("HF_TOKEN")
    assert hub_token(ListenSettings()) is None


def test_a_hub_that_is_switched_off_is_not_knocked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert not hub_answers()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert not hub_answers()
