"""Which folder is read, and what in it: what a root has to be, what is counted, what is junk, what lies outside."""

from pathlib import Path

import pytest
from data_helpers import JPEG, encoded, picture, put, refused_as

from apr.basics.problems import Problem
from apr.data.formats import read_listing
from apr.data.reading.checked import checked
from apr.data.reading.decoding import Undecodable
from apr.data.reading.listing import Item, Listing, Span
from apr.data.reading.matching import Files
from apr.data.reading.snippets import Snippet
from apr.data.reading.survey import survey_folder
from apr.data.reading.walking import LeftOut, is_junk, refuse_broken_links


def test_what_the_folder_and_the_root_have_to_be(tmp_path):
    put(tmp_path, "set.zip", "in/cat/1.png", "in/dog/1.png")
    place = tmp_path / "set.zip"
    with refused_as(f'x: folder {place}: is a file; for an archive write url: "file:{place}" in place of folder'):
        survey_folder("x", place)
    with refused_as(f"x: folder {tmp_path}/no: there is no such folder; correct `folder` in the study"):
        survey_folder("x", tmp_path / "no")
    (tmp_path / "none" / ".hidden").mkdir(parents=True)
    with refused_as(f"x: folder {tmp_path}/none: holds no file; put the pictures there, or name another folder"):
        survey_folder("x", tmp_path / "none")
    put(tmp_path / "in", "notes.txt", data=b"12345")
    assert survey_folder("x", tmp_path / "in") == {
        "dataset": "x",
        "folder": f"{tmp_path}/in",
        "count": 3,
        "bytes": 2 * len(JPEG) + 5,
        "files": [],
    }
    with refused_as(
        "options: root: '/cat' is no folder within the dataset; name one as it is called below it, without a / in front"
    ):
        read_listing(tmp_path / "in", "class_folders", {"root": "/cat"})
    with pytest.raises(Problem, match=r"root: 'a/\.\./\.\.' is no folder within the dataset"):
        read_listing(tmp_path / "in", "class_folders", {"root": "a/../.."})
    there, none = f"{tmp_path}/in/cow: there is no such folder (cat, dog)", "there is no such folder (nor any other)"
    with refused_as(f"{there}; correct options: root"):
        read_listing(tmp_path / "in", "class_folders", {"root": "cow"})
    (tmp_path / "in.json").write_text("{}")
    with refused_as(f"{there}; correct options: root, or delete {tmp_path}/in.json to unpack again"):
        read_listing(tmp_path / "in", "class_folders", {"root": "cow"})
    with refused_as(f"{tmp_path}/away: {none}; correct options: root"):
        read_listing(tmp_path / "away", "class_folders")
    with pytest.raises(
        Problem, match=r"depht: class_folders has no such option \(did you mean depth\?\); it has .*depth"
    ):
        read_listing(tmp_path / "in", "class_folders", {"depht": 2})


def test_files_of_no_kind_that_is_read_are_counted_over_all_folders():
    left = LeftOut()
    left.settle(lenient=False)
    left.unread(Path("a"), [Path("a/1.heic"), Path("a/2.HEIC")], 1)
    left.unread(Path("b"), [Path("b/1.x y")], 4)
    words = "a and 1 more folders: 3 of 8 files are of no kind that is read (.heic 2, '.x y' 1): convert or rename them"
    with refused_as(f"{words}, move them elsewhere, or set options: others: ignore"):
        left.settle(lenient=False)
    assert left.notes == []
    left.settle(lenient=True)
    assert left.notes == [f"{words}, move them elsewhere"]


def test_notes_are_kept_once_and_name_what_is_below_the_root():
    left = LeftOut()
    for note in ("/in/a: odd", "/in: odd", "/in/a: odd", "b\udcff"):
        left.note(note)
    left.name_within(Path("/in"))
    assert left.notes == ["a: odd", "odd", "b\\udcff"]


@pytest.mark.parametrize(
    "name",
    [
        *("__MACOSX", "Thumbs.db", "ehthumbs.db", "desktop.ini", "Icon\r", "Picasa.ini", "Network Trash Folder", ".x"),
        *(
            "$RECYCLE.BIN",
            "RECYCLER",
            "System Volume Information",
            "@eaDir",
            "#recycle",
            "#snapshot",
            "@tmp",
            "~$a.doc",
        ),
        *("@Recycle", "@Recently-Snapshot", "@__thumb", "lost+found", "__pycache__", "Temporary Items"),
    ],
)
def test_leftovers_of_each_system_are_junk(name):
    assert is_junk(name)
    assert not is_junk(f"a{name}")


@pytest.mark.parametrize(("row", "column"), [(-1, 0), (0, -1), (4, 0), (0, 5)])
def test_a_point_outside_its_picture_is_named(tmp_path, row, column):
    put(tmp_path, "a.png", data=encoded(picture(1, (4, 3)), "PNG"))
    assert Snippet(tmp_path / "a.png", 3, 4, 2).decode().image.size == (2, 2)
    with pytest.raises(Undecodable, match=f"^lies at row {row}, column {column}, outside the picture of 3 x 4 pixels$"):
        Snippet(tmp_path / "a.png", row, column, 2).decode()


def test_a_class_without_a_name_is_refused():
    item = Item("1.png", "", Span(Path("/in/1.png")))
    with refused_as("/in: a class has an empty name; name it"):
        checked(Listing([item], [""]), Path("/in"), "csv_labels", {})


def test_a_file_without_a_suffix_is_there_but_not_read():
    files = Files(Path("/in"), [Path("/in/a.png")], [Path("/in/note")])
    with refused_as(
        "t.csv: 1 of 1 images are missing: note (is there, but a file without a suffix is no kind that is read: "
        "convert it); correct or remove their lines, or add them"
    ):
        files.match_all(Path("t.csv"), {2: "note"}, False, LeftOut())


def test_links_that_lead_nowhere_are_refused_where_they_may_have_been_folders(tmp_path):
    for name in ("a.png", "notes.txt", "cat"):
        (tmp_path / name).symlink_to("/nowhere")
    refuse_broken_links([tmp_path / "a.png", tmp_path / "notes.txt", tmp_path / "absent"])
    with refused_as(f"{tmp_path}/cat: is a link that leads nowhere (/nowhere); correct it, or remove it"):
        refuse_broken_links([tmp_path / "cat"])
