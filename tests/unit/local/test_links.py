"""Layers as links, read as the engine's workers read them."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra_cdk.local import links

# What the engine's worker does with a layer, in so many words.
WORKER = """
import os, site, sys
layer = sys.argv[1]
sys.path.insert(0, os.path.join(layer, "python"))
for version in os.listdir(os.path.join(layer, "python", "lib")):
    site.addsitedir(os.path.join(layer, "python", "lib", version, "site-packages"))
import json
print(json.WHO)
"""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "layer.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("python/json.py", "WHO = 'the layer'\n")
    return path


def test_a_worker_finds_the_layer_before_everything_else(archive: Path, tmp_path: Path) -> None:
    layer = links.unpacked(archive, "one", tmp_path / "layers")
    (tmp_path / "link.zip").write_bytes(links.link_to(layer))
    with zipfile.ZipFile(tmp_path / "link.zip") as opened:
        opened.extractall(tmp_path / "opt")

    told = subprocess.run(
        [sys.executable, "-I", "-c", WORKER, str(tmp_path / "opt")], capture_output=True, text=True, check=False
    )

    assert (told.stdout, told.stderr) == ("the layer\n", "")


def test_what_is_unpacked_once_stays(archive: Path, tmp_path: Path) -> None:
    layer = links.unpacked(archive, "one", tmp_path / "layers")
    archive.unlink()

    assert links.unpacked(archive, "one", tmp_path / "layers") == layer


def test_layers_of_before_are_forgotten(archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "layers"
    for name in ("old", "new"):
        links.unpacked(archive, name, folder)

    links.forget(folder, but={"new"})

    assert [each.name for each in folder.iterdir()] == ["new"]


def test_a_function_is_no_layer(tmp_path: Path) -> None:
    path = tmp_path / "function.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("functions/__init__.py", "")

    assert not links.is_layer(path)
    assert not links.is_layer(Path(__file__))
