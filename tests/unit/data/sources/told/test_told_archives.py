"""What comes of archives, and is said of them, whole and as it was looked at; what they may grow to, at the bound."""

import gzip
import io
import tarfile

from data_helpers import make_tar, make_zip, tar_bytes, tree, zip_bytes
from golden import checked_rows, told_by

from apr.basics.problems import Problem
from apr.data.sources import archives
from apr.data.sources.archive_members import Damaged, _chunks
from apr.data.sources.archives import Tally, unpack_all

said = told_by(Problem, Damaged)

TAR = tar_bytes({"a.txt": b"abc"})


def of_archives(root):
    def told(title, paths, **options):
        folder = root / title
        report = said(unpack_all, paths, folder, **options)
        files = sorted((name, len(data)) for name, data in tree(folder).items()) if folder.exists() else None
        return title, str(report).replace(str(root), ""), files

    inner = zip_bytes({"x/1.png": b"1"})
    plain = make_zip(root / "plain.zip", {"a/1.png": b"12", "a/b/2.png": b"345", "Icon\r": b"", "c/": b""})
    yield told("plain", [plain])
    holding = {"in/more.zip": inner, "in/t.tar.gz": gzip.compress(TAR, 0, mtime=0), "n.npz": inner, "one.gz": b"x"}
    nested = make_zip(
        root / "nested.zip", holding | {"no.zip": b"no archive", ".h/a.zip": inner, "__MACOSX/b.zip": inner}
    )
    yield told("left", [nested])
    yield told("nested", [nested], nested=True)
    yield told("taken", [make_zip(root / "t.zip", {"more.zip": inner, "more/1.png": b"1"})], nested=True)
    (root / "table.csv").write_text("a,b")
    yield told("beside", [plain, root / "table.csv", make_tar(root / "b.tar", {"d.txt": b"d"})])
    yield told("twice", [root / "table.csv", make_zip(root / "c.zip", {"table.csv": b"x"})])
    yield told("link twice", [make_zip(root / "c.zip", {"table.csv": b"x"}), root / "table.csv"])
    yield told("nothing", [make_zip(root / "n.zip", {"c/": b""})])
    for name, data in (("a.zst", b"\x28\xb5\x2f\xfdx"), ("a.zip.001", b"PK"), ("page.zip", b"<html>"), ("e.zip", b"")):
        (root / name).write_bytes(data)
        yield told(f"of {name}", [root / name])
    deep = make_zip(root / "d.zip", {"a\nb": b"1"}), make_zip(root / "e2.zip", {"../b" * 30: b"1"})
    yield told("odd name", deep[:1]), told("climbs", deep[1:])
    special = tarfile.TarInfo("l" * 90)
    special.type, special.linkname = tarfile.SYMTYPE, "t" * 90
    yield told("link", [make_tar(root / "l.tar", {}, odd=special)])
    tally = Tally(allowed=10_000, free=20_000, files=2, bytes=100, members=3, folders=1)
    yield [tally.too_much(more, 1) for more in (1_708, 1_709)], tally.too_much(0, 6), tally.too_much(16_000)
    yield Tally(allowed=10**9, free=7_267, bytes=100, members=3, folders=1).too_much() is None
    yield Tally(allowed=10**9, free=7_268, bytes=100, members=3, folders=1).too_much() is None
    yield [archives._is_archive(root / name) for name in ("a.zst", "table.csv", "a.zip.001", "plain.zip")]
    for size in (4, 5, 6):
        yield size, said(lambda size=size: list(_chunks(io.BytesIO(b"12345"), size, "x" * 90)))
    yield list(_chunks(io.BytesIO(bytes((1 << 20) + 1))))[1]


def test_archives_are_told_as_they_were(tmp_path):
    checked_rows("reading/sources/archives", of_archives(tmp_path), tmp_path)
