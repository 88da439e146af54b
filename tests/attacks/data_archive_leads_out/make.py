import io, sys, tarfile
from pathlib import Path

with tarfile.open(Path(sys.argv[1], "s.tar.gz"), "w:gz") as archive:
    link = tarfile.TarInfo("golden")
    link.type, link.linkname = tarfile.SYMTYPE, "../../../../fixtures/golden"
    archive.addfile(link)
    for name in ("golden/manifest.json", "../../pwned", "/tmp/pwned", "submission.py"):
        info = tarfile.TarInfo(name)
        info.size = 4
        archive.addfile(info, io.BytesIO(b"evil"))
