"""What children are given of the lab: copies, in folders apart from everything else of it.

Images of hidden cases are never among them; they come with the call, one case at a time. Models of
hidden cases are in a folder of their own, which only a child for hidden cases may read.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

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
        secret = {case.model for case in lab.cases if case.hidden}
        if lab.public_lab is None:
            secret -= {case.model for case in lab.cases if not case.hidden}
        materials, hidden = self.folders
        for name, spec in lab.models.items():
            if name in secret:
                self._hidden[name] = _copy(spec, name, hidden)
            elif lab.public_lab is None:
                self._public[name] = _copy(spec, name, materials)
        known = dict(self._public)
        if lab.public_lab is not None:
            known = {n: _copy(spec, n, materials) for n, spec in public.models.items()}
        shown = _shown_images(public)
        images = {name: shutil.copy(file, materials / file.name) for name, file in shown.items()}
        text = json.dumps({"models": known, "images": {n: str(p) for n, p in images.items()}})
        (materials / "materials.json").write_text(text, "utf-8")


def _copy(spec: ModelSpec, name: str, folder: Path) -> dict[str, Any]:
    if spec.file is not None:
        spec = replace(spec, file=Path(shutil.copy(spec.file, folder / f"{name}.keras")))
    return spec.to_json()


def _shown_images(lab: Lab) -> dict[str, Path]:
    """Images that no hidden case is about."""
    secret = {case.arguments.get("image") for case in lab.cases if case.hidden}
    return {name: image.file for name, image in lab.images.items() if name not in secret}
