import shutil, sys
from pathlib import Path

folder = Path(sys.argv[1], "s")
evil = "import os; open('pwned', 'w').close(); os._exit(1)\n"
for name in (
    *("conftest.py", "sitecustomize.py", "setup.py", "noxfile.py", ".pythonrc.py", "harness/__init__.py"),
    *(".venv/lib/python3/site-packages/evil.pth", "node_modules/a/index.js", "tests/conftest.py"),
):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(evil)
for name, text in {
    "pytest.ini": "[pytest]\naddopts = -p evil\n",
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-p evil'\n",
    ".git/config": "[core]\nfsmonitor = touch pwned\n",
    ".git/hooks/post-checkout": "#!/bin/sh\ntouch pwned\n",
    ".gitattributes": "* filter=evil\n",
    ".gitmodules": "[submodule \"x\"]\npath = x\nurl = -u./evil\n",
    "students.csv": "submission,submitted_at\ns,1970-01-01 00:00:00\n",
    "grade.json": '{"points": 20}',
}.items():
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
shutil.copy(Path(__file__).parent.with_name("honest.py"), folder / "submission.py")
