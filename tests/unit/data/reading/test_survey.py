"""Which folder is read: it has to be there, to hold files, and the root has to lie within it."""

import pytest
from data_helpers import JPEG, put, refused_as

from apr.basics.problems import Problem
from apr.data.formats import read_listing
from apr.data.reading.survey import survey_folder


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
