"""Makes tests/data/files: small datasets as NumPy and h5py write them. Needs numpy and h5py; the tests do not."""
import pathlib

import h5py
import numpy as np

HERE = pathlib.Path(__file__).parent / "files"
x = np.arange(30, dtype=np.float32).reshape(5, 2, 3) / 8
y = np.array([3, 1, 4, 1, 5], dtype=np.int64)
weight = np.array([1, 0.5, 2, 1, 0.25])
images = (np.arange(36) * 7 % 256).astype(np.uint8).reshape(4, 3, 3, 1)
labels = np.array([[0], [2], [1], [2]], dtype=np.int32)

np.savez(HERE / "named.npz", x=x, y=y, sample_weight=weight)
np.savez_compressed(HERE / "images.npz", images=images, labels=labels)
np.savez(HERE / "doubles.npz", x=x.astype(np.float64), y=np.eye(5))
np.savez(HERE / "fortran.npz", x=np.asfortranarray(x))
np.savez(HERE / "swapped.npz", x=x.astype(">f4"))
np.savez(HERE / "uneven.npz", x=x, y=y[:4])
np.savez(HERE / "wide.npz", x=np.array([[1], [2 ** 40]]))

with h5py.File(HERE / "named.h5", "w") as file:
    file["x"] = x.astype(np.float64)
    file["y"] = y
    file["sample_weight"] = weight
with h5py.File(HERE / "images.h5", "w") as file:
    file.create_dataset("train/images", data=images, chunks=(2, 3, 3, 1), compression="gzip")
    file["train/labels"] = labels
    file["text"] = "not numbers"
with h5py.File(HERE / "unfilled.h5", "w") as file:
    file.create_dataset("x", shape=(1000000, 1000), dtype="f4", chunks=(1000, 1000))
