"""What is published of the retests: the score tables from the archives of predictions, and printed accuracies."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from data_helpers import real

from apr.data.sources.archives import unpack_all
from apr.scores.predictions import import_predictions

REGISTRY = Path(__file__).resolve().parents[2] / "resources" / "predictions.yaml"


def published_scores() -> dict[str, pd.DataFrame]:
    """Score tables of all test sets, indexed by model; the test skips where an archive is absent."""
    registry = yaml.safe_load(REGISTRY.read_text(encoding="utf-8"))
    names = ("imagenetv2_predictions", "cifar10.1_predictions", "cifar10_labels")
    return _imported(*real(*(registry[name]["files"][0]["name"] for name in names)))


def frame(rows) -> pd.DataFrame:
    """Rows of a score table as a data frame, unknown numbers as NaN."""
    return pd.DataFrame(rows).replace({None: np.nan})


@cache
def _imported(imagenet: Path, cifar: Path, labels: Path) -> dict[str, pd.DataFrame]:
    registry = yaml.safe_load(REGISTRY.read_text(encoding="utf-8"))
    tables = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, archive in (("imagenetv2_predictions", imagenet), ("cifar10.1_predictions", cifar)):
            unpack_all([archive], Path(folder, name))
            tables |= import_predictions(
                Path(folder, name), registry[name], dict.fromkeys(registry[name]["sets"], "top1_accuracy"), labels
            )
    return {name: frame(rows).set_index("model") for name, rows in tables.items()}


# Top-1 accuracies (%) on Threshold0.7 as the authors print them: the output of
# notebooks/prediction_data_class_example.ipynb of modestyachts/ImageNetV2 at commit 0b0c3fe.
PRINTED_THRESHOLD_TOP1 = {
    "alexnet": 51.31,
    "bninception": 71.29,
    "cafferesnet101": 72.88,
    "densenet121": 70.54,
    "densenet161": 74.55,
    "densenet169": 72.26,
    "densenet201": 73.93,
    "dpn107": 76.65,
    "dpn131": 76.57,
    "dpn68": 72.95,
    "dpn68b": 73.81,
    "dpn92": 76.31,
    "dpn98": 76.33,
    "fbresnet152": 74.82,
    "inception_resnet_v2_tf": 77.90,
    "inception_v1_tf": 66.43,
    "inception_v2_tf": 71.07,
    "inception_v3": 74.71,
    "inception_v3_tf": 75.03,
    "inception_v4_tf": 77.79,
    "inceptionresnetv2": 78.00,
    "inceptionv3": 74.50,
    "inceptionv4": 77.86,
    "mobilenet_v1_tf": 66.11,
    "nasnet_large_tf": 80.09,
    "nasnet_mobile_tf": 69.95,
    "nasnetalarge": 80.00,
    "nasnetamobile": 70.91,
    "pnasnet5large": 80.31,
    "pnasnet_large_tf": 80.16,
    "pnasnet_mobile_tf": 70.59,
    "polynet": 78.52,
    "resnet101": 74.49,
    "resnet152": 75.35,
    "resnet18": 66.60,
    "resnet34": 70.15,
    "resnet50": 72.70,
    "resnet_v1_101_tf": 73.37,
    "resnet_v1_152_tf": 73.73,
    "resnet_v1_50_tf": 71.92,
    "resnet_v2_101_tf": 73.99,
    "resnet_v2_152_tf": 75.21,
    "resnet_v2_50_tf": 72.29,
    "resnext101_32x4d": 75.40,
    "resnext101_64x4d": 75.60,
    "se_resnet101": 75.83,
    "se_resnet152": 76.11,
    "se_resnet50": 74.20,
    "se_resnext101_32x4d": 77.64,
    "se_resnext50_32x4d": 76.52,
    "senet154": 78.66,
    "squeezenet1_0": 53.39,
    "squeezenet1_1": 54.39,
    "vgg11": 64.65,
    "vgg11_bn": 66.40,
    "vgg13": 65.97,
    "vgg13_bn": 67.32,
    "vgg16": 67.95,
    "vgg16_bn": 70.25,
    "vgg19": 68.71,
    "vgg19_bn": 71.38,
    "vgg_16_tf": 67.60,
    "vgg_19_tf": 67.41,
    "xception": 76.37,
}

MEASURED_IMAGES = {
    "results-imagenet.csv": 50_000,
    "results-imagenet-real.csv": 46_837,
    "results-imagenetv2-matched-frequency.csv": 10_000,
    "results-sketch.csv": 50_889,
    "results-imagenet-a.csv": 7_500,
    "results-imagenet-a-clean.csv": 10_000,
    "results-imagenet-r.csv": 30_000,
    "results-imagenet-r-clean.csv": 10_000,
}
