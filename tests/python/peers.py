"""What the scripts here share: both Kerases, quietly, and the formats of each."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import logging
import warnings

logging.disable(logging.WARNING)
warnings.simplefilter("ignore")

import keras
import numpy as np
import tf_keras

FLAVOURS = {"keras3": keras, "keras2": tf_keras}

# As the README of tests/golden has it for layers: float32 sums in another order.
TOLERANCE = 1e-5


def distance(got, expected):
    """How far apart two arrays are, relative to the larger of 1 and the largest expected number."""
    if got.shape != expected.shape:
        raise SystemExit(f"shapes {got.shape} and {expected.shape} differ")
    return float(np.abs(got - expected).max() / max(1.0, np.abs(expected).max()))


def must_be_near(what, got, expected):
    far = distance(got, expected)
    if not far <= TOLERANCE:
        raise SystemExit(f"{what}: {far:g} away")
    print(f"{what}: {far:.1e} away")
