"""Every function starts from what is deployed and nothing else: its own archive, its layers, the runtime's boto3."""

import subprocess
import sys
import zipfile
from pathlib import Path

import botocore
import pytest

from infra_cdk.node import ROOT
from layers import archive
from layers.build import build
from layers.contents import LAYERS
from layers.target import here
from tests.infra.test_functions import EXTRA_LAYERS, FOLDERS

# What the Lambda runtime for Python brings: boto3 and what it stands on.
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3")
# Isolated and without site-packages, so that only what is named can be found.
START = """
import importlib, sys
sys.path[:0] = {path!r}
module = importlib.import_module({module!r})
assert callable(module.handler), "no handler"
outside = sorted(
    name for name, each in list(sys.modules.items())
    if (getattr(each, "__file__", None) or "").startswith({root!r})
)
assert not outside, f"taken from the project's folder: {{outside}}"
{more}
"""
CAPTION = """
import http.server, json, threading
import litellm

class Provider(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = "a photo" if asked["messages"][0]["content"][1]["type"] == "image_url" else "no photo"
        body = json.dumps({"id": "1", "object": "chat.completion", "created": 1, "model": "offline", "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}"
photo = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
messages = [{"role": "user", "content": [{"type": "text", "text": "describe"}, photo]}]
options = {"messages": messages, "num_retries": 0, "timeout": 10}
mocked = litellm.completion(model="openai/offline", mock_response="a mocked answer", **options)
assert mocked.choices[0].message.content == "a mocked answer"
answer = litellm.completion(model="openai/offline", api_base=f"{base}/v1", api_key="none", **options)
assert answer.choices[0].message.content == "a photo", answer
server.shutdown()
# Bedrock's way, as far as the first byte: nothing answers on the discard port.
try:
    litellm.completion(model="bedrock/amazon.nova-lite-v1:0", aws_region_name="us-east-1", aws_access_key_id="none",
                       aws_secret_access_key="none", aws_bedrock_runtime_endpoint="http://127.0.0.1:9", **options)
except litellm.exceptions.APIConnectionError as error:
    assert "refused" in str(error), error
else:
    raise AssertionError("Bedrock answered")
"""


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Layers for this machine, unpacked as the runtime does below /opt, and a stand-in for the runtime's own boto3."""
    folder = tmp_path_factory.mktemp("opt")
    for name in LAYERS:
        with zipfile.ZipFile(build(name, here()).path) as opened:
            opened.extractall(folder / name)
    installed = Path(botocore.__file__).parent.parent
    runtime = folder / "runtime"
    runtime.mkdir()
    for name in RUNTIME:
        (runtime / name).symlink_to(installed / name)
    return folder


def _start(function: str, unpacked: Path, folder: Path, more: str = "") -> subprocess.CompletedProcess[str]:
    package, _ = archive.function(function)
    with zipfile.ZipFile(package) as opened:
        opened.extractall(folder)
    layers = [unpacked / name / "python" for name in ("core", *sorted(EXTRA_LAYERS.get(function, ())))]
    path = [str(each) for each in (folder, *layers, unpacked / "runtime")]
    code = START.format(path=path, module=f"functions.{function}.handler", root=str(ROOT / "shared"), more=more)
    # Nothing of the environment either: importing needs none.
    settings = {"PATH": "/usr/bin:/bin", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
    command = [sys.executable, "-I", "-S", "-W", "error::SyntaxWarning", "-c", code]
    return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("function", FOLDERS)
def test_a_function_starts_from_its_own_package_alone(function: str, unpacked: Path, tmp_path: Path) -> None:
    done = _start(function, unpacked, tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_function_without_its_layer_does_not_start(unpacked: Path, tmp_path: Path) -> None:
    package, _ = archive.function("task_process_media")
    with zipfile.ZipFile(package) as opened:
        opened.extractall(tmp_path)
    path = [str(tmp_path), str(unpacked / "core" / "python"), str(unpacked / "runtime")]
    code = START.format(path=path, module="functions.task_process_media.handler", root=str(ROOT / "shared"), more="")
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], env={}, capture_output=True, text=True, check=False)
    assert "No module named 'blurhash'" in done.stderr


def test_the_pruned_captioner_answers_with_a_mock_over_http_and_on_the_way_to_bedrock(
    unpacked: Path, tmp_path: Path
) -> None:
    done = _start("task_write_caption", unpacked, tmp_path, CAPTION)
    assert done.returncode == 0, done.stderr


def test_an_archive_holds_its_own_function_and_no_other(tmp_path: Path) -> None:
    for function in FOLDERS:
        with zipfile.ZipFile(archive.function(function)[0]) as opened:
            names = set(opened.namelist())
        assert f"functions/{function}/handler.py" in names
        assert names - {"functions/__init__.py"} == {
            name for name in names if name.startswith(f"functions/{function}/")
        }


def test_the_same_sources_make_the_same_bytes(tmp_path: Path) -> None:
    files = [(path.name, path) for path in archive.source_files(ROOT / "functions" / "api_system")]
    one = archive.place(tmp_path / "one", "it.zip", files).read_bytes()
    assert archive.place(tmp_path / "other", "it.zip", files).read_bytes() == one
    assert archive.digest(files) != archive.digest(files, "more") != archive.digest(files[:-1], "more")
