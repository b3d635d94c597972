"""What goes into each layer and, with the reason, what is left out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath


@dataclass(frozen=True)
class Layer:
    """A layer: a dependency group of pyproject.toml of the name `layer-<name>`, less what is named here.

    `without` are distributions that are not installed, `drop` are paths below `python/` that are removed afterwards
    and `keep` are the exceptions to them; `built` are distributions that are published as source only and are built
    here, in pure Python: machine code would be this machine's. The text beside each is its reason.
    """

    name: str
    on_top_of: tuple[str, ...] = ()
    without: Mapping[str, str] = field(default_factory=dict)
    drop: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    built: Mapping[str, str] = field(default_factory=dict)
    # The project's own package goes here, so that all functions of a deployment run the same one.
    with_socialflow: bool = False

    @property
    def group(self) -> str:
        """The dependency group in pyproject.toml."""
        return f"layer-{self.name}"


_RUNTIME = "the Lambda runtime has it"
_HUB = "loads tokenizers of models from the Hugging Face hub, which nothing here uses"
_SDK = "the SDK imports it"

CORE = Layer("core", with_socialflow=True)
MEDIA = Layer(
    "media",
    on_top_of=("core",),
    built={"pyvips": "the binding of libvips; the library and its extension module are in pyvips-binary"},
)
VIDEO = Layer("video", on_top_of=("core", "media"))
AI = Layer(
    "ai",
    on_top_of=("core",),
    without={
        "boto3": _RUNTIME,
        "botocore": _RUNTIME,
        "jmespath": _RUNTIME,
        "python-dateutil": _RUNTIME,
        "s3transfer": _RUNTIME,
        "six": _RUNTIME,
        "filelock": _HUB,
        "fsspec": _HUB,
        "hf-xet": _HUB,
        "huggingface-hub": _HUB,
        "tokenizers": _HUB,
    },
    drop={
        "litellm/proxy": "the proxy server: 43 MB of pages and routes",
        "litellm/rust_bridge/_native.abi3.so": "32 MB; LiteLLM falls back to Python without it",
    },
    keep={
        "litellm/proxy/__init__.py": _SDK,
        "litellm/proxy/_types.py": _SDK,
        "litellm/proxy/_experimental/mcp_server/stdio_gate.py": _SDK,
        "litellm/proxy/common_utils/config_sync_pubsub.py": _SDK,
        "litellm/proxy/common_utils/encrypt_decrypt_utils.py": _SDK,
        "litellm/proxy/guardrails/exception_utils.py": _SDK,
        "litellm/proxy/openai_files_endpoints/common_utils.py": _SDK,
        "litellm/proxy/pass_through_endpoints/llm_provider_handlers": _SDK,
        "litellm/proxy/spend_tracking/cold_storage_handler.py": _SDK,
        "litellm/proxy/spend_tracking/savings.py": _SDK,
        "litellm/proxy/types_utils/utils.py": _SDK,
    },
)

BILLING = Layer("billing", on_top_of=("core",))

LAYERS: Mapping[str, Layer] = {layer.name: layer for layer in (CORE, MEDIA, VIDEO, AI, BILLING)}

# Python runs these at start, before any code of ours: the way in of every supply-chain attack so far.
REFUSED_NAMES = ("sitecustomize", "usercustomize")
REFUSED_SUFFIX = ".pth"

# Notes of the installer about itself: they differ from machine to machine and nothing reads them.
INSTALLER_NOTES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")


def is_dropped(layer: Layer, path: PurePosixPath) -> bool:
    """Whether the file at `path`, below `python/`, stays out of the layer."""
    if path.parts[0] in {"bin", ".lock"} or "__pycache__" in path.parts:
        return True
    if path.parent.suffix == ".dist-info" and path.name in INSTALLER_NOTES:
        return True
    return _below(path, layer.drop) and not _below(path, layer.keep)


def is_refused(path: PurePosixPath) -> bool:
    """Whether a file of that name would be run at the start of every Python process."""
    return path.suffix == REFUSED_SUFFIX or path.name.split(".")[0] in REFUSED_NAMES


def _below(path: PurePosixPath, places: Mapping[str, str]) -> bool:
    return any(path == PurePosixPath(place) or PurePosixPath(place) in path.parents for place in places)
