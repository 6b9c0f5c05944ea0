"""Members of archives by hand: what each is taken for, where each bound lies, and what is said of the odd ones."""

import errno
import io
import sys
import tarfile
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from data_helpers import refused_as, zip_bytes

from apr.data.sources import archive_members, npz
from apr.data.sources.archive_members import Damaged, members_of
from apr.data.sources.member_names import BY_HAND, OddName, safe_parts
from apr.data.sources.tar_headers import BoundedHeaders


def members(path, kind, encoding=None, too_much=lambda more, members: None):
    return list(members_of(path, kind, encoding, "an archive", too_much))


@pytest.fixture
def two(tmp_path):
    """A zip of two members, whose table of contents takes twice 46 bytes and the names."""
    path = tmp_path / "a.zip"
    path.write_bytes(zip_bytes({"a": b"123", "bc": b"4567"}))
    return path


def test_a_zip_s_table_of_contents_has_bounds(two, monkeypatch):
    for bound, least, words in (("DIRECTORY_BYTES", 95, "95 bytes of names"), ("ENTRIES", 2, "2")):
        with monkeypatch.context() as patch:
            patch.setattr(archive_members, bound, least)
            assert [member.name for member in members(two, "zip")] == ["a", "bc"]
            patch.setattr(archive_members, bound, least - 1)
            with refused_as(f"an archive: holds too many members ({words}); {BY_HAND}"):
                members(two, "zip")


@pytest.mark.parametrize("told", [(0, 2), (7, 0)])
def test_what_a_zip_announces_is_weighed_before_anything_is_read(two, told):
    asked = []

    def too_much(more, count):
        asked.append((more, count))
        return "is a bomb" if asked[-1] == told else None

    with refused_as("an archive: is a bomb; nothing was unpacked"):
        next(members_of(two, "zip", None, "an archive", too_much))
    assert asked == [(0, 2), (7, 0)][: asked.index(told) + 1]


def test_arrays_make_no_more_bytes_than_a_file_of_that_size_may_hold(tmp_path, monkeypatch):
    npz.save_npz(tmp_path / "a.npz", {"x": np.arange(3, dtype=np.uint8), "y": np.zeros(9, np.uint8)})
    size = 128 + 3  # of x: its header and its values
    monkeypatch.setattr(npz, "allowed_bytes", lambda packed: size)
    assert npz.load_npz(tmp_path / "a.npz", ["x"])["x"].tolist() == [0, 1, 2]
    with refused_as(
        f"{tmp_path}/a.npz: makes {size + 128 + 9} bytes, where a file of its size may hold {size}: it is a bomb"
    ):
        npz.load_npz(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["a/{}", "{}/a"])
def test_no_part_of_a_name_is_longer_than_a_file_system_takes(name):
    assert len(safe_parts(name.format("x" * 255))) == 2
    with pytest.raises(OddName, match=r"^is a name of 256 bytes, where a file system takes 255$"):
        safe_parts(name.format("x" * 256))


def info_of(method=8, flags=0, mode=0, size=0):
    info = zipfile.ZipInfo("x")
    info.compress_type, info.flag_bits, info.external_attr, info.file_size = method, flags, mode << 16, size
    return info


@pytest.mark.parametrize("flags", [1, 1 << 6, 1 << 13])
def test_each_mark_of_encryption_counts(flags):
    with refused_as(f"an archive: member '{'x' * 79} is encrypted; {BY_HAND}"):
        archive_members._require_readable(info_of(flags=flags), "x" * 90, "an archive")
    archive_members._require_readable(info_of(flags=~(1 | 1 << 6 | 1 << 13) & 0xFFFF), "x", "an archive")


@pytest.mark.parametrize(
    ("method", "called"),
    [
        *((1, "shrink"), (6, "implode"), (9, "Deflate64"), (93, "zstd"), (95, "xz"), (96, "JPEG"), (97, "WavPack")),
        *((98, "PPMd"), (2, "an unknown method")),
    ],
)
def test_each_method_that_is_not_read_is_called_by_its_name(method, called):
    with refused_as(
        f"an archive: member 'x' is compressed by {called} (method {method}), which is not read here; {BY_HAND}"
    ):
        archive_members._require_readable(info_of(method), "x", "an archive")


@pytest.mark.parametrize("method", [0, 8, 12, 14])
def test_methods_that_are_read(method):
    assert archive_members._require_readable(info_of(method), "x", "an archive") is None
    with refused_as(f"an archive: member 'x' is encrypted; {BY_HAND}"):
        archive_members._require_readable(info_of(99), "x", "an archive")


@pytest.mark.parametrize(
    ("mode", "name", "size", "kind"),
    [
        (0, "a", 0, "file"),
        (0o100644, "a", 0, "file"),
        (0o040755, "a/", 0, "folder"),
        (0, "a\\", 0, "folder"),
        (0, "a/", 1, "file"),
        (0o120777, "a/", 0, "link"),
        (0o010644, "a", 0, "device"),
    ],
)
def test_what_a_member_of_a_zip_is(mode, name, size, kind):
    assert archive_members._zip_kind(info_of(mode=mode, size=size), name) == kind


@pytest.mark.parametrize(("size", "shown"), [(199, 199), (4_999, 200), (5_000, 0)])
def test_where_a_link_in_a_zip_leads_is_read_if_it_may_be_a_path(tmp_path, size, shown):
    info = zipfile.ZipInfo("l")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, b"t" * size)
    (link,) = members(tmp_path / "a.zip", "zip")
    assert (link.kind, link.target) == ("link", "t" * shown)


def test_what_a_member_of_a_tar_is():
    kinds = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "folder", tarfile.SYMTYPE: "link", tarfile.LNKTYPE: "hard link"}
    kinds |= {tarfile.FIFOTYPE: "device", tarfile.AREGTYPE: "file", tarfile.CHRTYPE: "device"}
    for kind, said in kinds.items():
        info = tarfile.TarInfo("x")
        info.type = kind
        assert archive_members._tar_kind(info) == said


ZERO, JOINED = bytes(512), bytes(257) + b"ustar" + bytes(250)


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (ZERO, None),
        (ZERO * 20, None),
        (ZERO * 129 + JOINED, None),  # so far behind nobody looks
        (b"", "has no end mark; if it was truncated, fetch it again"),
        (ZERO + b"signature", "has bytes after its end mark; they were left out"),
    ],
)
def test_the_end_of_a_tar(rest, said, caplog):
    archive_members._check_end(BoundedHeaders(io.BytesIO(b"x" * 512 + rest)), 512, "a.tar")
    assert caplog.messages == ([f"a.tar: {said}"] if said else [])


@pytest.mark.parametrize("between", [ZERO, ZERO * 2, ZERO * 128])
def test_joined_tars_are_refused(between):
    with refused_as(f"a.tar: continues after its end mark, as joined tars do; {BY_HAND}"):
        archive_members._check_end(BoundedHeaders(io.BytesIO(between + JOINED)), 0, "a.tar")
    with pytest.raises(tarfile.ReadError, match=r"^a header in the middle that makes no sense$"):
        archive_members._check_end(BoundedHeaders(io.BytesIO(b"x" + between)), 0, "a.tar")


@pytest.mark.parametrize(("length", "right"), [(65_536 - 7, True), (65_536 - 6, False)])
def test_what_a_tar_gives_to_all_its_members_has_a_bound(tmp_path, length, right):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "x" * length}) as archive:
        archive.addfile(tarfile.TarInfo("a"))
    if right:
        assert [member.name for member in members(path, "tar")] == ["a"]
    else:
        with pytest.raises(Damaged, match=r"^a header that makes no sense, of 'a'$"):
            members(path, "tar")


def test_the_headers_of_a_tar_are_weighed(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("n" * 600))
    told = []
    members(path, "tar", too_much=lambda more, count: told.append((more, count)))
    assert told == [(1024, 0)]
    with refused_as("an archive: its headers: a bomb; nothing was unpacked"):
        members(path, "tar", too_much=lambda more, count: "a bomb")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError(" two\n words "), "two words"),
        (EOFError(), "EOFError"),
        (OSError("no number"), "no number"),
        (OSError(errno.EINVAL, "before the file"), "[Errno 22] before the file"),
        (OSError(errno.EIO, "the disk"), None),
        (KeyError("ours"), None),
    ],
)
def test_what_is_damage(error, said):
    with pytest.raises(Damaged if said else type(error)) as caught, archive_members._damage():
        raise error
    assert said is None or str(caught.value) == said


def entry(pathname, blocks=(b"1",), **kinds):
    kinds = dict.fromkeys(("issym", "islnk", "isfile", "isdir"), False) | {"linkpath": None} | kinds
    return SimpleNamespace(pathname=pathname, get_blocks=lambda size: iter(blocks), **kinds)


@pytest.fixture
def libarchive(monkeypatch):
    """A library that gives such entries, and may fail."""
    made = SimpleNamespace(ArchiveError=type("ArchiveError", (Exception,), {"msg": None}), entries=[])

    class Reader:
        def __init__(self, path):
            assert path == "a.rar"

        def __enter__(self):
            return iter(made.entries)

        def __exit__(self, *_):
            return None

    made.file_reader = Reader
    monkeypatch.setitem(sys.modules, "libarchive", made)
    return made


def test_members_that_libarchive_tells(libarchive):
    libarchive.entries = [
        entry("a", isfile=True),
        entry(b"\xc3\xa9", isdir=True),
        entry("l", issym=True, isfile=True, linkpath="there"),
        entry("h", islnk=True, isfile=True, linkpath="here"),
        entry("d", linkpath="x"),
    ]
    found = members("a.rar", "rar")
    assert [(one.name, one.kind, one.target) for one in found] == [
        ("a", "file", ""),
        ("é", "folder", ""),
        ("l", "link", "there"),
        ("h", "hard link", "here"),
        ("d", "device", ""),
    ]
    assert list(found[0].chunks) == [b"1"]
    libarchive.entries = [entry(None)]
    with refused_as("an archive: has a name that cannot be told in this locale; set LC_ALL=C.UTF-8"):
        members("a.rar", "7z")


def test_an_archive_beyond_libarchive_is_not_damaged(libarchive):
    for text in ("Encrypted file", "passphrase", "PASSWORD", "unsupported x", "is not supported", "multi-volume"):
        error = libarchive.ArchiveError(f"{text}\n here")
        assert str(archive_members._of_libarchive(error, "a.rar")) == (
            f"a.rar: cannot be read here ({text} here); {BY_HAND}"
        )
    error = libarchive.ArchiveError("x")
    error.msg = "Truncated\ninput"

    def fail(size):
        raise error
        yield

    libarchive.entries = [entry("a", isfile=True)]
    libarchive.entries[0].get_blocks = fail
    (one,) = members("a.rar", "rar")
    with pytest.raises(Damaged, match=r"^Truncated input$"):
        list(one.chunks)
    libarchive.file_reader.__enter__ = lambda self: fail(1)
    with pytest.raises(Damaged, match=r"^Truncated input$"):
        members("a.rar", "rar")


def test_without_libarchive_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "libarchive", None)
    with refused_as(
        "an archive: reading this kind of archive needs the system library libarchive, which is missing: install "
        "libarchive13 (Debian, Ubuntu), libarchive (Fedora, conda-forge, Homebrew), or set LIBARCHIVE to its path"
    ):
        members("a.rar", "rar")
