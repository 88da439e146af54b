import sys
from pathlib import Path

folder = Path(sys.argv[1], "s")
lab = """\
format_version: 1
title: Mine
models: {}
images: {loot: {file: /etc/passwd}}
cases: {}
checks: [{id: all, metric: class_activation_maps.agreement, points: 1000, threshold: {iou: 0}}]
"""
for name in ("lab.yaml", "fixtures/lab.yaml"):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(lab)
(folder / "submission.py").write_text(
    "def top_predictions(model, image, k=5):\n    return [['ball', 1.0]] * k\n"
    "def class_activation_map(model, image, class_index, layer_name, modifier=None):\n"
    "    return image[..., 0] * 0.0\n"
)
