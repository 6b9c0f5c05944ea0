"""Probes: as scikit-learn on the same features, the strength chosen by validation, and the run that comes of it."""

import numpy as np
import pytest
import torch
from probes import prepare, put_weights, run
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from apr.basics.files import file_digest
from apr.data.packed import open_packed
from apr.data.views import view_indices


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def noise(tmp_path):
    """A folder with packed images, a view and weights; the manifest; and plainly extracted features and labels."""
    manifest = prepare(tmp_path, wrong=12)
    network = put_weights(tmp_path / "weights")
    packed = open_packed(tmp_path / "noise", "pixels")
    indices = view_indices(manifest, packed.index)
    features = {part: plain_features(network, packed, indices[part]) for part in ("train", "validation", "test")}
    labels = {part: indices[f"{part}_labels"] for part in features}
    return tmp_path, manifest, features, labels


@torch.no_grad()
def plain_features(network, packed, rows):
    """One picture after another, scaled to the input as `torch.nn.functional` does it."""
    mean, sd = (torch.tensor(network.pretrained_cfg[key])[:, None, None] for key in ("mean", "std"))
    found = []
    for row in rows:
        picture = torch.from_numpy(packed.read(int(row)).copy()).permute(2, 0, 1)[None] / 255
        resized = torch.nn.functional.interpolate(picture, (32, 32), mode="bilinear", align_corners=False)
        found.append(network((resized[0] - mean)[None] / sd)[0].numpy())
    return np.stack(found)


def test_a_logistic_probe_is_that_of_scikit_learn_on_the_same_features(noise):
    folder, _, features, labels = noise
    made, outputs = run(folder, {"strengths": [1.0, 0.01]})
    kept = np.load(next((folder / "features").glob("*.npz")), allow_pickle=False)
    for part, own in features.items():
        np.testing.assert_allclose(kept[part], own, atol=1e-5)
    scaler = StandardScaler().fit(kept["train"].astype(float))
    best, accuracies = None, {}
    for strength in (0.01, 1.0):
        model = LogisticRegression(C=strength, max_iter=2000)
        model.fit(scaler.transform(kept["train"].astype(float)), labels["train"])
        inputs = {part: scaler.transform(kept[part].astype(float)) for part in features}
        accuracies[strength] = model.score(inputs["validation"], labels["validation"])
        if best is None or accuracies[strength] > best[0]:
            best = accuracies[strength], strength, {part: model.predict_log_proba(own) for part, own in inputs.items()}
    assert made["outcome"]["chosen"] == {"strength": best[1]}
    assert [entry["strength"] for entry in made["history"]] == [0.01, 1.0]
    for entry in made["history"]:
        counts = entry["parts"]["validation"]
        assert counts["correct_top1"] / counts["n"] == accuracies[entry["strength"]]
    for part in ("validation", "test"):
        np.testing.assert_allclose(outputs[f"{part}_scores"], best[2][part], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(outputs[f"{part}_labels"], labels[part])
    assert made["outputs"] == file_digest(folder / "run.npz")
    assert set(outputs) == {f"{part}_{what}" for part in ("validation", "test") for what in ("scores", "labels")}
