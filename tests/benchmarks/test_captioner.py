"""The captioner: what the gateway adds to a bare call of LiteLLM, and what its layer saves at a start.

The full install is this project's own environment, the pruned one the layer; both are imported in turns, each in a
process of its own, by the interpreter that runs this. The function imports it with the garbage collector at rest
(`gateway.litellm`), which a plain import does not; both ways of both are told.
"""

import json
import statistics
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from infra_cdk.local.offline_ai.server import answered
from layers.build import build
from layers.target import AWS, here
from socialflow.ai import asking, gateway
from socialflow.ai.asking import Account
from socialflow.ai.gateway import Question
from socialflow.captions import prompt
from socialflow.captions.model import Draft
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant
from tests.benchmarks.conftest import Tell
from tests.integration.ai.providers import VENDORS
from tests.integration.ai.servers import server
from tests.pictures import photo

pytestmark = pytest.mark.benchmark

CALLS = 150
STARTS = 5
SAID = json.dumps({"caption": "A boat", "alt_text": "A boat at sea", "hashtags": ["sea"], "description": "d"})
RESTING = "gc.disable()"
_IMPORT = """
import gc, resource, sys
sys.path[:0] = {path!r}
{collecting}
import litellm
used = resource.getrusage(resource.RUSAGE_SELF)
# The process's own: ru_maxrss would be that of whoever started it.
(peak,) = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(used.ru_utime + used.ru_stime, int(peak) / 1024)
"""


def test_what_the_gateway_adds_to_a_bare_call(acme: Tenant, tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = prompt.Subject(photo(900, 600), "image/jpeg")
    question = Question(prompt.messages(subject), prompt.CaptionAnswer, prompt.MAX_TOKENS)
    vendor, account = VENDORS["openai"], Account(acme, "caption", new_id())
    bare, ours = [], []

    def read(content: str) -> list[Draft]:
        return prompt.read(content, subject)

    with server() as wire:
        wire.answers(200, vendor.says(SAID, ""))
        route = vendor.route(wire.base)
        monkeypatch.setattr(asking, "routes", lambda _tenant: [route])
        completion = gateway.litellm().completion
        for _ in range(CALLS):
            began = time.perf_counter()
            completion(
                model=route.model.name,
                messages=question.messages,
                max_tokens=question.max_tokens,
                response_format=question.form,
                api_base=route.base,
                api_key=route.key,
                num_retries=0,
                max_retries=0,
            )
            middle = time.perf_counter()
            asking.ask(account, question, read)
            bare.append((middle - began) * 1_000)
            ours.append((time.perf_counter() - middle) * 1_000)
    added = [one - other for one, other in zip(ours, bare, strict=True)]
    tell("A call of a model on loopback", {"bare LiteLLM": bare, "the gateway": ours, "what it adds": added})


def test_a_caption_without_a_network(tell: Tell) -> None:
    raw = json.dumps({"messages": prompt.messages(prompt.Subject(photo(900, 600), "image/jpeg"))}, default=str).encode()
    spent = []
    for _ in range(CALLS):
        began = time.perf_counter()
        answered(raw)
        spent.append((time.perf_counter() - began) * 1_000)
    tell("The offline captioner", {"one photo": spent})


def test_what_the_layer_saves_at_a_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("core", "ai"):
        with zipfile.ZipFile(build(name, here()).path) as opened:
            opened.extractall(tmp_path / name)
    site = next(path for path in sys.path if path.endswith("site-packages"))
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    for name in ("boto3", "botocore", "jmespath", "dateutil", "s3transfer", "six.py", "urllib3"):
        (runtime / name).symlink_to(Path(site) / name)
    pruned = [str(tmp_path / name / "python") for name in ("core", "ai")] + [str(runtime)]
    without = ["-X", f"pycache_prefix={tmp_path / 'none'}", "-B"]
    ways = {
        "pruned, as the function imports it": ([], pruned, RESTING),
        "pruned, plainly": ([], pruned, ""),
        "full, with bytecode, collector at rest": ([], [site], RESTING),
        "full, with bytecode, plainly": ([], [site], ""),
        "full, without, plainly": (without, [site], ""),
    }
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(STARTS):
        for name, way in ways.items():
            took[name].append(_imported(*way))
    with zipfile.ZipFile(build("ai", AWS).path) as layer:
        size = sum(entry.file_size for entry in layer.infolist()) / 1e6
    with capsys.disabled():
        sys.stdout.write(f"\nThe AI layer for arm64: {size:.1f} MB unzipped\n")
        for name, each in took.items():
            cpu, memory = (statistics.median(values) for values in zip(*each, strict=True))
            sys.stdout.write(f"{name:40} {cpu:6.2f} s of CPU, {memory:6.0f} MB\n")


def _imported(options: list[str], path: list[str], collecting: str) -> tuple[float, float]:
    program = _IMPORT.format(path=path, collecting=collecting)
    command = [sys.executable, "-I", "-S", *options, "-c", program]
    environment = {"PATH": "/usr/bin:/bin", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    cpu, memory = done.stdout.split()
    return float(cpu), float(memory)
