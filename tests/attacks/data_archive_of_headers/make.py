import io, sys, tarfile
from pathlib import Path

with tarfile.open(Path(sys.argv[1], "s.tar.gz"), "w:gz", format=tarfile.PAX_FORMAT) as archive:
    for number in range(3000):
        info = tarfile.TarInfo(f"{number}")
        info.pax_headers = {"comment": "x" * 100_000}
        archive.addfile(info, io.BytesIO(b""))
