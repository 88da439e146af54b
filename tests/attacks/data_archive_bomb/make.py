import sys, zipfile
from pathlib import Path

with zipfile.ZipFile(Path(sys.argv[1], "s.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("submission.py", "print('here')\n")
    for number in range(1):
        with archive.open(f"data/{number}.bin", "w", force_zip64=True) as stream:
            for _ in range(1024):
                stream.write(bytes(2**20))
