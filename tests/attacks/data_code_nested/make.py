import sys
from pathlib import Path

folder = Path(sys.argv[1], "s")
folder.mkdir()
(folder / "submission.py").write_text(
    "x = " + "(" * 50_000 + "1" + ")" * 50_000 + "\n"
    + "y = a" + ".b" * 60_000 + "\n"
    + "z = " + "-" * 60_000 + "1\n"
)
