import os, shutil, socket, sys
from pathlib import Path

folder = Path(sys.argv[1], "s")
folder.mkdir()
shutil.copy(Path(__file__).parent.with_name("honest.py"), folder / "submission.py")
(folder / "answers.md").symlink_to("/etc/passwd")
(folder / "golden").symlink_to("/")
(folder / "loop").symlink_to(folder)
os.mkfifo(folder / "data.csv")
os.mkfifo(folder / "kit.json")
here = os.getcwd()
os.chdir(folder)  # a socket's path is short
with socket.socket(socket.AF_UNIX) as listening:
    listening.bind("listening")
os.chdir(here)
