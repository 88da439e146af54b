"""
attack: looks for golden outputs and the lab file all over the file system
verdict: full
targets: fixtures/lab.yaml, fixtures/golden/manifest.json, fixtures/golden/reference/arrays.safetensors
"""

from honest import attempt, class_activation_map, top_predictions

import os
import pathlib
import sys

def search():
    found = []
    for top in (".", "..", "../..", "/", "/tmp", "/work", "/home", "/root", "/var", "/mnt", os.environ.get("HARNESS_MATERIALS", "/")):
        for folder, folders, files in os.walk(top):
            folders[:] = folders[:50] if folder.count("/") < 6 else []
            found += [os.path.join(folder, f) for f in files if f in ("lab.yaml", "manifest.json", "grade.json", "arrays.safetensors")]
    return found

attempt("files of the grader", search)
checkout = pathlib.Path(sys.modules["harness"].__file__).parents[1]
if checkout.name not in ("site-packages", "dist-packages"):
    attempt("folders of the checkout", lambda: [p.name for p in checkout.iterdir()])
for name in ("lab.yaml", "../lab.yaml", "fixtures/lab.yaml", checkout / "fixtures" / "golden" / "manifest.json"):
    attempt(name, lambda: pathlib.Path(name).read_text())
