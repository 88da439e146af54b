import sys
from pathlib import Path

deep = "[" * 100_000 + "]" * 100_000
Path(sys.argv[1], "submission.ipynb").write_text(
    '{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [{"cell_type": "code", '
    f'"metadata": {{}}, "outputs": [], "execution_count": null, "source": {deep}}}]}}'
)
