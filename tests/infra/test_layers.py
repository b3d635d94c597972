"""The layers for AWS, looked at byte by byte: they are built here and cannot be run here."""

import importlib.util
import json
import struct
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from layers import archive
from layers.build import Built, LayerError, build, refuse, requirements
from layers.contents import LAYERS, Layer, is_dropped, is_refused
from layers.target import AWS, Target
from tests.infra.conftest import ROOT, Assembly
from tests.infra.test_functions import EXTRA_LAYERS, FOLDERS

LIMIT = 250_000_000
AARCH64 = 183  # EM_AARCH64 in the ELF header
ON_AWS = {
    "python_version": "3.13",
    "python_full_version": "3.13.0",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "aarch64",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
    "os_name": "posix",
    "extra": "",
}
BY_THE_RUNTIME = {"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"}


@dataclass(frozen=True)
class Content:
    """An unpacked layer."""

    built: Built
    files: dict[str, bytes]

    @property
    def size(self) -> int:
        """Bytes unzipped: what Lambda counts."""
        return sum(map(len, self.files.values()))


@pytest.fixture(scope="session")
def arm64() -> dict[str, Content]:
    """The layers as prod gets them."""
    found = {}
    for name in LAYERS:
        built = build(name, AWS)
        with zipfile.ZipFile(built.path) as opened:
            found[name] = Content(built, {each: opened.read(each) for each in opened.namelist()})
    return found


@pytest.mark.parametrize("function", FOLDERS)
def test_a_function_and_its_layers_fit(arm64: dict[str, Content], function: str) -> None:
    with zipfile.ZipFile(archive.function(function)[0]) as opened:
        own = sum(entry.file_size for entry in opened.infolist())
    total = own + sum(arm64[name].size for name in {"core"} | EXTRA_LAYERS.get(function, set()))
    assert total < LIMIT


def test_the_pruned_captioner_is_a_third_of_what_the_lock_installs(arm64: dict[str, Content]) -> None:
    assert arm64["ai"].size < 90_000_000
    assert not [name for name in arm64["ai"].files if "/tokenizers/" in name and name.endswith(".so")]
    assert "python/litellm/rust_bridge/_native.abi3.so" not in arm64["ai"].files


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_machine_code_is_for_graviton(arm64: dict[str, Content], name: str) -> None:
    libraries = {path: data for path, data in arm64[name].files.items() if ".so" in PurePosixPath(path).suffixes}
    assert libraries
    for path, data in libraries.items():
        assert data[:4] == b"\x7fELF", path
        assert struct.unpack_from("<H", data, 18)[0] == AARCH64, path
        assert "x86_64" not in path


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_nothing_in_a_layer_runs_at_the_start_of_python(arm64: dict[str, Content], name: str) -> None:
    assert [path for path in arm64[name].files if is_refused(PurePosixPath(path))] == []


@pytest.mark.parametrize(
    "name", ["litellm.pth", "sitecustomize.py", "sitecustomize.pyc", "usercustomize.py", "a/b.pth"]
)
def test_what_would_run_at_the_start_of_python_is_refused(tmp_path: Path, name: str) -> None:
    refuse(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("")
    with pytest.raises(LayerError, match="would run at the start"):
        refuse(tmp_path)


def _compiled(content: Content) -> dict[str, bytes]:
    return {path: data for path, data in content.files.items() if path.endswith(".pyc")}


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_compiled_code_is_for_the_runtime_and_never_compared_with_dates(arm64: dict[str, Content], name: str) -> None:
    content = arm64[name]
    interpreter = AWS.interpreter
    assert content.built.compiled is (interpreter is not None)
    if interpreter is None:
        assert not _compiled(content)
        return
    question = "import importlib.util; print(importlib.util.MAGIC_NUMBER.hex())"
    magic = bytes.fromhex(subprocess.check_output([interpreter, "-I", "-c", question], text=True).strip())
    compiled = _compiled(content)
    assert compiled
    for path, data in compiled.items():
        assert data[:4] == magic, path
        assert struct.unpack_from("<I", data, 4)[0] == 0b01, f"{path} is not unchecked-hash"


def _distributions(contents: list[Content]) -> dict[str, list[Requirement]]:
    """What is installed, and what each asks for on AWS."""
    found: dict[str, list[Requirement]] = {}
    for content in contents:
        for path, data in content.files.items():
            if path.endswith(".dist-info/METADATA"):
                metadata = HeaderParser().parsestr(data.decode())
                asked = [Requirement(text) for text in metadata.get_all("Requires-Dist", [])]
                wanted = [each for each in asked if _applies(each.marker)]
                found[canonicalize_name(metadata["Name"])] = wanted
    return found


def _applies(marker: Marker | None) -> bool:
    return marker is None or marker.evaluate(ON_AWS)


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_nothing_is_missing_that_a_layer_asks_for(arm64: dict[str, Content], name: str) -> None:
    layer = LAYERS[name]
    installed = _distributions([arm64[each] for each in (*layer.on_top_of, name)])
    given = set(installed) | BY_THE_RUNTIME | set(layer.without)
    missing = {
        f"{who} needs {each}"
        for who, asked in installed.items()
        for each in asked
        if canonicalize_name(each.name) not in given
    }
    assert missing == set()


def test_a_layer_repeats_nothing_of_the_layers_below_it(arm64: dict[str, Content]) -> None:
    for name in ("media", "video", "ai"):
        below = set(_distributions([arm64[other] for other in LAYERS[name].on_top_of]))
        assert not below & set(_distributions([arm64[name]]))


def test_the_core_holds_the_projects_own_package_with_its_sources_and_migrations(arm64: dict[str, Content]) -> None:
    names = set(arm64["core"].files)
    sources = Path(importlib.util.find_spec("socialflow").submodule_search_locations[0])  # type: ignore[union-attr,index] # it is a package
    for path in archive.source_files(sources):
        assert f"python/socialflow/{path.relative_to(sources).as_posix()}" in names
    assert any(name.endswith(".sql") for name in names)
    assert not any(name.startswith("python/socialflow/") for name in arm64["ai"].files)


def test_pruning_drops_the_proxy_but_for_what_is_kept() -> None:
    ai = LAYERS["ai"]
    assert is_dropped(ai, PurePosixPath("litellm/proxy/proxy_server.py"))
    assert not is_dropped(ai, PurePosixPath("litellm/proxy/_types.py"))
    assert not is_dropped(ai, PurePosixPath("litellm/proxy/pass_through_endpoints/llm_provider_handlers/any.py"))
    assert not is_dropped(ai, PurePosixPath("litellm/main.py"))
    assert is_dropped(ai, PurePosixPath("bin/litellm"))
    assert is_dropped(ai, PurePosixPath("openai-2.0.dist-info/RECORD"))


def test_every_path_that_is_kept_is_there(arm64: dict[str, Content]) -> None:
    names = {name.removesuffix("c") for name in arm64["ai"].files}
    for kept in LAYERS["ai"].keep:
        assert any(name == f"python/{kept}" or name.startswith(f"python/{kept}/") for name in names), kept


def test_leaving_out_what_the_lock_does_not_hold_is_an_error() -> None:
    with pytest.raises(LayerError, match="pilow"):
        requirements(Layer("media", without={"pilow": "a slip of the pen"}))


def test_an_interpreter_of_a_version_that_nobody_has_is_not_found() -> None:
    assert Target("nowhere", "3.99").interpreter is None


def test_prods_archives_are_those_that_were_looked_at(arm64: dict[str, Content], prod: Assembly) -> None:
    for version in prod.service.of_type("Lambda::LayerVersion").values():
        name = version["LayerName"].split("-")[-1]
        deployed = prod.folder / f"asset.{version['Content']['S3Key']}"
        with zipfile.ZipFile(deployed) as opened:
            assert set(opened.namelist()) == set(arm64[name].files)


SYNTHESIS = """
import os
from pathlib import Path
from infra_cdk.node import find
os.environ["JSII_NODE"] = str(find())
from aws_cdk import App, Stack
from infra_cdk.constructs.layers import refuse_uncompiled
from layers.build import Built
from layers.target import AWS
app = App(outdir={outdir!r}, analytics_reporting=False)
for name, compiled in (("Compiled", True), ("Uncompiled", False)):
    built = {{"core": Built(Path("core.zip"), "0", True), "ai": Built(Path("ai.zip"), "1", compiled)}}
    refuse_uncompiled(Stack(app, name), built, AWS)
app.synth()
"""


def test_a_deployment_of_layers_that_are_not_compiled_is_refused_by_the_template_itself(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", SYNTHESIS.format(outdir=str(tmp_path))], cwd=ROOT, check=True)
    rules = {
        name: json.loads((tmp_path / f"{name}.template.json").read_text())["Rules"]
        for name in ("Compiled", "Uncompiled")
    }
    assert "LayersAreCompiled" not in rules["Compiled"]
    (assertion,) = rules["Uncompiled"]["LayersAreCompiled"]["Assertions"]
    left, right = assertion["Assert"]["Fn::Equals"]
    assert left != right
    assert "put python3.13 on PATH" in assertion["AssertDescription"]
