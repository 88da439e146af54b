import shutil, sys
from pathlib import Path

folder = Path(sys.argv[1], "s")
folder.mkdir()
shutil.copy(Path(__file__).parent.with_name("honest.py"), folder / "submission.py")
names = ["a\n::error::b", "\x1b[2J\x1b]0;x\x07", "=cmd|' '!A0", "<script>xgh", "\u202etxt.exe", "é" * 120]
for number, name in enumerate(names):
    (folder / f"{name.replace('/', '')}.py").write_text(f"print('module {number}')\n")
