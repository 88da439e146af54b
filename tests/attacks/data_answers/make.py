import shutil, sys
from pathlib import Path

folder = Path(sys.argv[1], "s")
folder.mkdir()
shutil.copy(Path(__file__).parent.with_name("honest.py"), folder / "submission.py")
quotes = ">" * 2000 + "a\n" + "b\n" * 40_000
lists = "".join("- " * depth + "a\n" for depth in range(300))
(folder / "answers.md").write_text("# zones\n" + quotes + lists + "[" * 20_000 + "`" * 20_000)
