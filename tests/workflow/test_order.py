"""A dataset that is bad shows before anything is trained, and holds up nobody."""

from .conftest import changed, snakemake


def test_a_bad_dataset_fails_first_and_the_others_are_trained(tmp_path, coloured_folder):
    (coloured_folder / "red/3.png").write_bytes(b"no picture")
    study = changed(
        tmp_path / "study.yaml",
        datasets={"bad": {"folder": str(coloured_folder), "format": "class_folders"}},
        tasks={"bad": {"train": "tiny", "role": "variant", "metric": "top1_error"}},
    )
    folder = tmp_path / "study"
    runs = ["results/runs/bad/a000.json", "results/runs/digits/a000.json"]
    done = snakemake(*runs, "-c2", directory=folder, configs=[study], check=False)
    assert done.returncode != 0
    assert "3.png" in done.output
    assert done.output.index("Error in rule pack_dataset") < done.output.index("rule train:")
    assert [(folder / run).exists() for run in runs] == [False, True]
    status = (folder / "results/STATUS").read_text()
    assert "1 job(s) failed; their logs say why:\n  pack_dataset bad: logs/pack_dataset/bad.log" in status
    assert "1 of 37 runs done" in status
    assert "Images not prepared yet: bad, " in status
