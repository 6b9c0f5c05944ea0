import errno
import gzip
import hashlib
import json
import logging
import os
import zipfile

import pytest
from data_helpers import real, refused_as
from downloads import DATA, left

from apr.basics.problems import Problem
from apr.data.sources.download import by_hand, check_file, download, verify


def entry(url, name="data.bin", **more):
    return {"name": name, "url": url, **more}


def fetch(source, target, waits=None, **more):
    more.setdefault("root", target.parent)
    download(source, target, sleep=(waits if waits is not None else []).append, **more)


def test_fetches_and_checks(server, tmp_path):
    target = tmp_path / "raw" / "data.bin"
    fetch(entry(f"{server.address}/data.bin", sha256=hashlib.sha256(DATA).hexdigest(), bytes=len(DATA)), target)
    assert target.read_bytes() == DATA
    assert left(target.parent) == ["data.bin"]


def test_resumes_after_an_interruption(server, tmp_path):
    server.plan = ["cut"]
    target, waits = tmp_path / "data.bin", []
    fetch(entry(f"{server.address}/data.bin"), target, waits)
    assert target.read_bytes() == DATA
    assert server.requests[1][1]["Range"] == f"bytes={len(DATA) // 2}-"
    assert waits == [1.0]


def test_resumes_in_a_later_run(server, tmp_path):
    target = tmp_path / "data.bin"
    server.plan = ["cut", 503, 503, 503, 503]
    with pytest.raises(Problem, match="5 attempts failed"):
        fetch(entry(f"{server.address}/data.bin"), target)
    assert not target.exists()
    fetch(entry(f"{server.address}/data.bin"), target)
    assert target.read_bytes() == DATA
    assert server.requests[-1][1]["Range"] == f"bytes={len(DATA) // 2}-"


@pytest.mark.parametrize("change", ["ignores ranges", "has a new file", "cannot tell"])
def test_starts_again_when_the_server_cannot_resume(server, tmp_path, change):
    target = tmp_path / "data.bin"
    server.plan = ["cut", 404]
    server.etag = None if change == "cannot tell" else server.etag
    with pytest.raises(Problem):
        fetch(entry(f"{server.address}/data.bin"), target)
    if change == "ignores ranges":
        server.ranges = False
    if change == "has a new file":
        server.files["/data.bin"], server.etag = DATA[::-1], '"two"'
    fetch(entry(f"{server.address}/data.bin"), target)
    assert target.read_bytes() == server.files["/data.bin"]


def test_backs_off_and_gives_up(server, tmp_path):
    server.plan = [503] * 9
    waits = []
    with pytest.raises(Problem, match=r"data\.bin: could not be fetched.*503.*set `mirror`"):
        fetch(entry(f"{server.address}/data.bin"), tmp_path / "data.bin", waits)
    assert waits == [1.0, 2.0, 4.0, 8.0]


def test_a_missing_page_is_not_asked_for_twice(server, tmp_path):
    with pytest.raises(Problem, match="404"):
        fetch(entry(f"{server.address}/gone.bin"), tmp_path / "data.bin")
    assert len(server.requests) == 1


def test_progress_is_logged(server, tmp_path, monkeypatch, caplog):
    ticks = iter(range(0, 10_000, 11))
    monkeypatch.setattr("apr.data.sources.web.time.monotonic", lambda: next(ticks))
    with caplog.at_level(logging.INFO, "apr"):
        fetch(entry(f"{server.address}/data.bin"), tmp_path / "data.bin")
    assert "data.bin: 1 of 1 MB" in caplog.text


def test_mirror_comes_first_and_the_address_next(server, tmp_path):
    server.files["/mirror/my%20data.bin"] = b"from the mirror"
    source = entry(f"{server.address}/data.bin", name="my data.bin")
    fetch(source, tmp_path / "a" / "my data.bin", mirror=f"{server.address}/mirror/")
    assert (tmp_path / "a" / "my data.bin").read_bytes() == b"from the mirror"
    del server.files["/mirror/my%20data.bin"]
    fetch(source, tmp_path / "b" / "my data.bin", mirror=f"{server.address}/mirror")
    assert (tmp_path / "b" / "my data.bin").read_bytes() == DATA


def test_a_mirror_may_hold_a_folder_for_each_source(tmp_path):
    (tmp_path / "mirror/tables").mkdir(parents=True)
    (tmp_path / "mirror/tables/a.csv").write_text("a,b\n1,2\n")
    entry = {"name": "a.csv", "url": None}
    places = {"root": tmp_path, "mirror": (tmp_path / "mirror").as_uri()}
    download(entry, tmp_path / "out/a.csv", source="tables", **places)
    assert (tmp_path / "out/a.csv").read_text() == "a,b\n1,2\n"
    with pytest.raises(Problem, match=r"mirror/others/a\.csv"):
        download(entry, tmp_path / "out/b.csv", source="others", **places)


def test_a_wrong_file_on_the_mirror_is_passed_over(server, tmp_path):
    server.files["/mirror/data.bin"] = b"<html>please log in</html>"
    fetch(entry(f"{server.address}/data.bin"), tmp_path / "data.bin", mirror=f"{server.address}/mirror")
    assert (tmp_path / "data.bin").read_bytes() == DATA


def test_file_addresses_are_relative_to_the_root(tmp_path):
    (tmp_path / "base" / "in").mkdir(parents=True)
    (tmp_path / "base" / "in" / "my data.bin").write_bytes(DATA)
    for number, url in enumerate(["file:in/my%20data.bin", f"file://{tmp_path}/base/in/my data.bin"]):
        target = tmp_path / str(number) / "data.bin"
        fetch(entry(url), target, root=tmp_path / "base")
        assert target.read_bytes() == DATA
    remedy = "Check the address and the network, or set `mirror`."
    missing = f"file:in/nothing: there is no file {tmp_path}/base/in/nothing"
    with refused_as(f"data.bin: could not be fetched. {missing}. {remedy}"):
        fetch(entry("file:in/nothing"), tmp_path / "x", root=tmp_path / "base")
    with refused_as(
        "file://far/x: a file: address names a path of this machine (file:data/x.zip or file:///data/x.zip)"
    ):
        fetch(entry("file://far/x"), tmp_path / "x")
    fetch(entry(f"file://localhost{tmp_path}/base/in/my data.bin"), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == DATA


def test_bundled_images_are_made(tmp_path):
    fetch(entry("bundled:faces", name="faces.npz"), tmp_path / "faces.npz")
    assert zipfile.is_zipfile(tmp_path / "faces.npz")


def test_unknown_address_and_no_address(tmp_path):
    with refused_as("data.bin: address 'ftp://x/data.bin': use https:, http:, file: or bundled:"):
        fetch(entry("ftp://x/data.bin"), tmp_path / "data.bin")
    with pytest.raises(Problem, match=r"^data\.bin: address 'http://\[x': is not an address \(.+\); correct it$"):
        fetch(entry("http://[x"), tmp_path / "data.bin")
    with refused_as(
        f"data.bin: has to be fetched by hand: Log in at X. Put the file at {tmp_path}/data.bin, then run again."
    ):
        fetch(entry(None), tmp_path / "data.bin", login="Log in at X.")


FAULTS = {
    "html": (b"\n<!DOCTYPE html><html>", "HTML page"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git-LFS pointer"),
    "truncated gzip": (gzip.compress(os.urandom(9000))[:-500], "truncated gzip"),
    "damaged gzip": (gzip.compress(b"a" * 9000)[:-8] + b"12345678", "damaged gzip"),
    "empty": (b"", "is empty"),
    "other": (b"\x89PNG....", "not the gzip file that its name promises"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_wrong_content_is_named_and_set_aside(server, tmp_path, fault):
    data, words = FAULTS[fault]
    server.files["/data.gz"] = data
    with pytest.raises(Problem, match=f"data.gz: .*{words}"):
        fetch(entry(f"{server.address}/data.gz", name="data.gz"), tmp_path / "data.gz")
    assert left(tmp_path) == ["data.gz.rejected"]


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"sha256": "A" * 64}, f"its sha256 is {hashlib.sha256(DATA).hexdigest()}, but {'a' * 64} is declared"),
        ({"md5": "0" * 32}, f"its md5 is {hashlib.md5(DATA).hexdigest()}, but {'0' * 32} is declared"),
        ({"bytes": 7000000}, "has 1,048,576 bytes, but 7,000,000 are declared"),
    ],
)
def test_wrong_digest_is_named_and_set_aside(server, tmp_path, declared, words):
    with refused_as(
        f"{tmp_path}/data.bin: {words}. It was set aside as data.bin.rejected; fetch it again or correct the "
        "registry's entry."
    ):
        fetch(entry(f"{server.address}/data.bin", **declared), tmp_path / "data.bin")
    assert left(tmp_path) == ["data.bin.rejected"]


def test_truncated_zip(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", os.urandom(5000))
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(Problem, match="truncated zip"):
        check_file(path, {"name": "a.zip"})


def test_real_broken_downloads_are_each_named(tmp_path):
    with zipfile.ZipFile(*real("broken_downloads.zip")) as archive:
        archive.extractall(tmp_path)
    expected = {
        "html_instead_of_gz/train-images-idx3-ubyte.gz": "HTML page",
        "html_instead_of_gz/t10k-labels-idx1-ubyte.gz": "HTML page",
        "truncated_gzip/t10k-images-idx3-ubyte.gz": "truncated gzip",
        "lfs_pointers_png/colored_images/Mild/00cb6555d108.png": "Git-LFS pointer",
        "lfs_pointers_tif/UCMerced_LandUse/Images/river/river00.tif": "Git-LFS pointer",
    }
    for name, words in expected.items():
        path = tmp_path / name
        with pytest.raises(Problem, match=words):
            check_file(path, {"name": path.name})
        assert path.with_name(path.name + ".rejected").exists()
    whole = tmp_path / "truncated_gzip/t10k-labels-idx1-ubyte.gz"
    check_file(whole, {"name": whole.name})


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only")])
def test_a_disk_that_takes_nothing(server, tmp_path, monkeypatch, number, words):
    replace = os.replace

    def refuse(source, target):
        if os.path.basename(target) == "data.bin":
            raise OSError(number, "no")
        replace(source, target)

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(Problem, match=f"data.bin: cannot be written: .*{words}"):
        fetch(entry(f"{server.address}/data.bin"), tmp_path / "data.bin")
    assert not (tmp_path / "data.bin").exists()


def test_no_room_is_said_before_the_download(server, tmp_path, monkeypatch):
    monkeypatch.setattr("apr.data.sources.web.shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(Problem, match="10 are free"):
        fetch(entry(f"{server.address}/data.bin"), tmp_path / "data.bin")


def test_trust_on_first_use(tmp_path, caplog):
    trusted = tmp_path / "raw.trusted.json"
    (tmp_path / "a.csv").write_text("a,b")
    files = [{"name": "a.csv"}]
    first = verify("d", files, tmp_path, trusted)
    assert first["files"][0]["checked_against"] == "first use"
    assert first["files"][0]["sha256"] == hashlib.sha256(b"a,b").hexdigest()
    assert verify("d", files, tmp_path, trusted)["files"][0]["checked_against"] == "earlier download"
    (tmp_path / "a.csv").write_text("a,c")
    old, new = (hashlib.sha256(text).hexdigest() for text in (b"a,b", b"a,c"))
    with refused_as(
        f"{tmp_path}/a.csv: its sha256 is {new}, but at the first download it was {old}. Delete the file to fetch it "
        f"again; if the publisher did change it, delete {trusted} as well."
    ):
        verify("d", files, tmp_path, trusted)
    # A digest that the publisher declares outweighs what was seen before.
    caplog.set_level(logging.INFO, "apr")
    assert verify("d", [{"name": "a.csv", "sha256": new}], tmp_path, trusted)["files"][0]["checked_against"] == "sha256"
    row = {"name": "a.csv", "bytes": 3, "sha256": new, "checked_against": "made here"}
    assert verify("d", files, tmp_path, None) == {"dataset": "d", "files": [row]}
    assert caplog.messages == [f"a.csv: 3 bytes, checked against: {how}" for how in ("sha256", "made here")]
    assert json.loads(trusted.read_text()) == {"a.csv": new}


def test_verify_asks_for_missing_files(tmp_path):
    with refused_as(f"a.zip: has to be fetched by hand: Log in. Put the file at {tmp_path}/a.zip, then run again."):
        verify("d", [{"name": "a.zip"}], tmp_path, tmp_path / "t.json", logins={"a.zip": "Log in."})
    assert not (tmp_path / "t.json").exists()
    assert by_hand("a.zip", tmp_path, None) == (
        f"a.zip: has to be fetched by hand: its publisher gives no open address. Put the file at {tmp_path}, "
        "then run again."
    )


def test_a_part_that_led_to_a_wrong_file_is_fetched_from_the_start(tmp_path, monkeypatch, caplog):
    came = [b"wrong", b"right"]
    monkeypatch.setattr(
        "apr.data.sources.download.fetch_web", lambda address, partial, part, **more: part.write_bytes(came.pop(0))
    )
    right = entry("http://a/data.bin", sha256=hashlib.sha256(b"right").hexdigest())
    (tmp_path / "data.bin.partial").write_bytes(b"x")
    fetch(right, tmp_path / "data.bin")
    assert caplog.messages == ["data.bin: the resumed file is not right; fetching it from the start"]
    assert (tmp_path / "data.bin").read_bytes() == b"right"
    (tmp_path / "data.bin.partial").unlink()
    came += [b"wrong", b"right"]
    with pytest.raises(Problem, match="is declared"):
        fetch(right, tmp_path / "data.bin")


def test_what_is_asked_of_the_web(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "apr.data.sources.download.fetch_web",
        lambda *places, **more: (asked.append((places, more)), places[2].write_bytes(b"right")),
    )
    fetch(entry("http://a/data.bin", sha256=hashlib.sha256(b"right").hexdigest(), bytes=5), tmp_path / "data.bin")
    fetch(entry("http://a/data.bin"), tmp_path / "other.bin")
    (places, more), (_, bare) = asked
    assert places[:2] == ("http://a/data.bin", tmp_path / "data.bin.partial")
    assert (more["name"], more["declared"], bare["declared"], bare["is_right"]) == ("data.bin", 5, None, None)
    assert more["is_right"](tmp_path / "data.bin") is True
    (tmp_path / "data.bin").write_bytes(b"wrong")
    assert more["is_right"](tmp_path / "data.bin") is False
