"""What children are given of the lab: copies, in folders apart from everything else of it.

Images and data sets of hidden cases are never among them; they come with the call, one case at a
time. Models of hidden cases are in a folder of their own, which only a child for hidden cases may
read.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.disclosure import public_datasets, public_images, public_models
from harness.execution.applications import saved
from harness.lab import Lab
from harness.models import ModelSpec


class Staged:
    """Copies of a lab's models and images.

    Args:
        folder: where the folders of the copies are made.
    """

    def __init__(self, folder: Path) -> None:
        self.folders = [folder / "materials", folder / "hidden"]
        for made in self.folders:
            made.mkdir()
        self._public: dict[str, Any] = {}
        self._hidden: dict[str, Any] = {}

    def models(self, hidden: bool) -> dict[str, Any]:
        """Name → description of the models that calls name, those of hidden cases if asked for."""
        return {**self._public, **(self._hidden if hidden else {})}

    def take(self, lab: Lab) -> None:
        """Copy what a lab's submissions need; `harness.student` reads `materials.json`."""
        public = lab.public_lab or lab
        materials, hidden = self.folders
        shown = {spec.name: _copy(spec, spec.name, materials) for spec in public_models(public)}
        if lab.public_lab is None:
            self._public = shown
        for name, spec in lab.models.items():
            if name not in self._public and any(c.hidden for c in lab.cases if c.model == name):
                self._hidden[name] = _copy(spec, name, hidden)
        images = [(image.name, image.file) for image in public_images(public)]
        files = {name: _copy_file(path, materials) for name, path in images}
        sets = {name: _copy_file(path, materials) for name, path in public_datasets(public)}
        text = json.dumps({"models": shown, "images": files, "datasets": sets})
        (materials / "materials.json").write_text(text, "utf-8")


def _copy_file(path: Path, folder: Path) -> str:
    """Copy a file under a name that no other has: two of a lab's folders may have the same."""
    number = len(list(folder.iterdir()))
    return str(shutil.copy(path, folder / f"{number}-{path.name}"))


def _copy(spec: ModelSpec, name: str, folder: Path) -> dict[str, Any]:
    copied = Path(shutil.copy(spec.file or saved(spec), folder / f"{name}.keras"))
    return replace(spec, file=copied, application=None, weights=None).to_json()
