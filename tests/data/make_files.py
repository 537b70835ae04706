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

# the same numbers in every way in which HDF5 keeps them: element i is i % 100
same = (np.arange(23 * 5 * 7) % 100).reshape(23, 5, 7)
for name, version in (("kinds.h5", "earliest"), ("kinds_latest.h5", "latest")):
    with h5py.File(HERE / name, "w", libver=version) as file:
        for kind in ("u1", "i1", "<u2", ">i2", "<i4", ">u4", "<i8", ">i8", "<f2", "<f4", ">f4", "<f8", ">f8"):
            file[f"plain/{kind}"] = same.astype(kind)
        file.create_dataset("chunks/whole", data=same.astype("f4"), chunks=same.shape, compression="gzip")
        file.create_dataset("chunks/rows", data=same.astype("<i8"), chunks=(4, 5, 7), compression="gzip", shuffle=True)
        file.create_dataset("chunks/parts", data=same.astype(">f8"), chunks=(3, 2, 4), compression="gzip", shuffle=True,
                            fletcher32=True)
        file.create_dataset("chunks/bare", data=same.astype("u1"), chunks=(5, 5, 3))
        file.create_dataset("chunks/summed", data=same.astype("i2"), chunks=(2, 5, 7), fletcher32=True)
        file.create_dataset("chunks/grown", data=same.astype("f4"), chunks=(4, 3, 7), maxshape=(None, 5, 7))
        file.create_dataset("partly", shape=(23, 5, 7), chunks=(4, 5, 7), dtype="f4")[:4] = 1
        file.create_dataset("squeezed", data=same.astype("f4"), chunks=(4, 5, 7), compression="lzf")
        file["table"] = np.zeros(3, dtype=[("a", "f4"), ("b", "i4")])
        file["table"].attrs["of"] = np.zeros(2, dtype=[("a", "f4")])
        file["plain/u1"].attrs["dims"] = np.zeros(2, dtype=[("a", "f4")])
        file["elsewhere"] = h5py.ExternalLink("named.h5", "x")
np.savez_compressed(HERE / "kinds.npz", x=same, y=same[:, 0, 0])
