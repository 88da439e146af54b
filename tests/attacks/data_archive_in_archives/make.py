import io, sys, zipfile
from pathlib import Path

inner = b""
for depth in range(5):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"inner{depth}.zip", inner) if inner else archive.writestr("x", "x")
        archive.writestr("notes.bin", bytes(150 * 2**20))
    inner = packed.getvalue()
Path(sys.argv[1], "s.zip").write_bytes(inner)
