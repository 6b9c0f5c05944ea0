"""What the readers of publishers' own layouts make of small datasets and say, whole, as it was looked at."""

import json

import pytest
from data_helpers import put, tar_bytes
from golden import checked_rows
from listings_told import PNG, told


def of_points(root):
    def case(title, text, **options):
        put(root / title, "d/1.png", "d/2.png", "lonely.png", data=PNG)
        for number in (1, 2):
            put(root / title, f"d/{number}.png.txt", data=text.encode())
        return title, told(root / title, "point_annotations", **{"classes": ["Turf", "CCA"], "size": 3} | options)

    text = "# Row; Col; Label\n0; 1; turf\n\n1; 2; Off\n2; 3; cca\n2; 0; CCA \n1; 1; Off\n"
    yield case("plain", text)
    yield case("drawn", text, per_image=2, seed=4)
    yield case("drawn again", text, per_image=2, seed=5)
    yield case("odd", text.replace("2; 3", "2; x"))
    yield case("short", text.replace("2; 3; cca", "2; 3"))
    yield case("columns", text.replace("Col", "X"))
    yield case("other columns", text.replace("Row; Col", "y; x"), row="y", column="x")
    put(root / "plain", "d/3.png.txt", "d/4.png.txt")
    yield "lists alone", told(root / "plain", "point_annotations", classes=["Turf", "CCA"], size=3)


def of_hpa(root):
    rows = {"i1": "16 0", "i2": "0", "i3": "2"}

    def case(title, table=rows, split=None, absent=(), **options):
        place = root / title
        for image in rows:
            for colour in ("red", "green", "blue", "yellow"):
                if f"{image}_{colour}" not in absent:
                    put(place, f"train/{image}_{colour}.png", data=PNG)
        lines = list(table.items()) if isinstance(table, dict) else table
        put(place, "train.csv", data=("Id,Target\n" + "".join(f"{i},{t}\n" for i, t in lines)).encode())
        if split:
            text = "Id,Target,Split\n" + "".join(f"{i},{t},{s}\n" for i, t, s in split)
            put(place, "split.csv", data=text.encode())
            options["split_table"] = "split.csv"
        return title, told(place, "hpa", **options)

    parts = [("i1", "0 16", "train"), ("i2", "0", "test"), ("i3", "2", "dev"), ("i4", "2", "test")]
    yield case("plain")
    yield case("yellow", yellow="add")
    yield case("no yellow", absent=["i1_yellow", "i2_yellow", "i3_yellow"])
    yield case("names", labels=[f"l{number}" for number in range(17)])
    yield case("too few names", labels=["l0", "l1"])
    yield case("twice", [*rows.items(), ("i2", "0"), ("i1", "2")])
    yield case("absent", absent=["i1_red", "i1_blue", "i3_green"])
    yield case("absent yellow", absent=["i2_yellow"], yellow="add")
    yield case("fewer rows", {"i1": "16 0", "i2": "0"})
    yield case("parts", split=parts, validation_values="dev")
    yield case("odd parts", split=parts)
    yield case("parts lack", split=parts[:1], validation_values="dev")
    yield case("parts differ", split=[("i1", "0", "train"), *parts[1:]], validation_values="dev")
    yield case("no table", table=rows, split=None) and ("no table", told(root / "plain", "hpa", table="u.csv"))
    put(root / "plain", "more/i1_red.jpg", data=PNG)
    yield "one name", told(root / "plain", "hpa")


def of_imagenet(root):
    def case(title, files, **options):
        for name, data in files.items():
            put(root / title, name, data=data)
        return title, told(root / title, "ilsvrc", **options)

    val = [f"ILSVRC2012_val_{number:08d}" for number in (1, 2)]
    train = {f"train/{wnid}/{wnid}_1.JPEG": PNG for wnid in ("n02", "n01")}
    folders = train | {f"val/{wnid}/{name}.JPEG": PNG for wnid, name in zip(("n02", "n01"), val, strict=True)}
    flat = train | {f"val/{name}.JPEG": PNG for name in val} | {"train/odd.txt": b"", "val/odd.txt": b""}
    table = f"ImageId,PredictionString\n{val[1]},n01 1 2 3 4 n09 1 2 3 4\n{val[0]}.JPEG,n02\n"
    yield case("folders", folders)
    yield case("beside", folders | {"val/1.JPEG": PNG, "train/2.JPEG": PNG})
    yield case("table", flat | {"LOC_val_solution.csv": table.encode()})
    yield case("table twice", flat | {"LOC_val_solution.csv": (table + f"{val[0]},n02\n").encode()})
    yield case("table that differs", flat | {"LOC_val_solution.csv": (table + f"{val[0]},n01\n").encode()})
    yield case("empty cell", flat | {"LOC_val_solution.csv": table.replace("n02", " ").encode()})
    yield case("no row", flat | {"LOC_val_solution.csv": table.replace("0002", "0003").encode()})
    numbers = {"x/map_clsloc.txt": b"n02 1 fox\nn01 2 setter\n", "x/ILSVRC2012_validation_ground_truth.txt": b"1\n2\n"}
    yield case("numbers", flat | numbers)
    yield case("odd numbers", flat | numbers | {"x/ILSVRC2012_validation_ground_truth.txt": b"1\n3\n"})
    yield case("no labels", flat)
    yield case("no train", {name: data for name, data in folders.items() if name.startswith("val")})
    yield case("val alone", {name: data for name, data in folders.items() if name.startswith("val")}, train=False)
    yield case("no val", train)
    yield case("an empty class", folders | {"train/n03/x.txt": b""})
    inner = {f"{wnid}.tar": tar_bytes({f"{wnid}_1.JPEG": PNG, "notes.txt": b"x"}) for wnid in ("n02", "n01")}
    tars = {"ILSVRC2012_img_train.tar": tar_bytes(inner | {"readme": b"x"})}
    tars["ILSVRC2012_img_val.tar"] = tar_bytes({f"{name}.JPEG": PNG for name in val})
    yield case("tars", tars | {"LOC_val_solution.csv": table.encode()})
    whole = tars["ILSVRC2012_img_val.tar"]
    yield case("cut", tars | {"ILSVRC2012_img_val.tar": whole[:700], "LOC_val_solution.csv": table.encode()})
    tiny = {"train/n1/images/1.JPEG": PNG, "train/n2/images/1.JPEG": PNG, "val/images/v1.JPEG": PNG}
    for title, text in {"tiny": "v1.JPEG\tn2\t0\t0\t1\t1\n", "tiny lacks": "v2.JPEG\tn2\t0\t0\t1\t1\n"}.items():
        for name, data in (tiny | {"val/val_annotations.txt": text.encode()}).items():
            put(root / title, name, data=data)
        yield title, told(root / title, "tiny_imagenet")


def of_camera_traps(root):
    kinds = {1: "opossum", 6: "bobcat", 30: "empty", 99: "rodent"}

    def part(boxes, **image):
        return {
            "images": [{"id": one, "file_name": f"{one}.jpg", "seq": f"q{one[-1]}"} | image for one in boxes],
            "categories": [{"id": number, "name": name} for number, name in kinds.items()],
            "annotations": [
                {"id": f"{one}-{box}", "image_id": one, "category_id": number}
                for one, numbers in boxes.items()
                for box, number in enumerate(numbers)
            ],
        }

    first, second = {"t0": [1], "t1": [6, 6], "t2": [30], "t3": [1, 6], "t4": []}, {"s0": [6], "s1": [1, 30]}

    def case(title, train=None, test=None, **options):
        place = root / title
        put(place, *(f"sm/{name}.jpg" for name in (*first, *second, "more")), data=PNG)
        for name, value in (("train", train or part(first)), ("test", test or part(second))):
            put(place, f"{name}.json", data=json.dumps(value).encode())
        common = {"train": "train.json", "test": "test.json", "categories": [6, 1], "leave_out": [30]}
        return title, told(place, "coco_camera_traps", **common | options)

    yield case("plain")
    yield case("boxes", sample="annotation")
    yield case("groups", group="seq")
    yield case("no groups", train=part(first, seq=""), group="seq")
    yield case("validation", validation="test.json", test="train.json", train="train.json")
    yield case("category of none", train=part(first | {"t0": [99]}))
    yield case("all left out", leave_out=[30, 1])
    yield case("no such category", categories=[6, 2])
    yield case("category twice", categories=[6, 6])
    yield case("one name twice", train=part(first) | {"categories": [{"id": 6, "name": "x"}, {"id": 1, "name": "x"}]})
    yield case("no file", train=part(first | {"t9": [1]}))
    yield case("no image", train=part(first) | {"images": part(first)["images"][1:]})
    yield case("lacks", train=part(first) | {"images": [{"id": "t0"}]})
    yield case("no list", train=part(first) | {"annotations": {}})


KINDS = {"points": of_points, "hpa": of_hpa, "imagenet": of_imagenet, "camera_traps": of_camera_traps}


@pytest.mark.parametrize("kind", KINDS)
def test_layouts_make_and_say_what_they_did(kind, tmp_path):
    checked_rows(f"reading/formats/{kind}", KINDS[kind](tmp_path), tmp_path)
