"""Makes tests/data/pictures: a small folder of class folders, and in pictures.npz what Keras makes of it.

Needs TensorFlow and Keras; the tests do not."""
import pathlib
import shutil
import struct
import zlib

import keras
import numpy as np
import tensorflow as tf

HERE = pathlib.Path(__file__).parent / "pictures"
HEIGHT, WIDTH = 12, 15
random = np.random.default_rng(5)


def scene(channels):
    """Something smooth with an edge and a little noise, so that JPEG has work to do."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    planes = [127 + 90 * np.sin(x / (2 + c) + y / 3 + random.uniform(0, 6)) + 30 * (x > y) for c in range(channels)]
    noisy = np.stack(planes, -1) + random.integers(-9, 9, (HEIGHT, WIDTH, channels))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(depth, kind, rows, extra=b"", interlaced=0):
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, kind, 0, 0, interlaced)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(b"".join(rows)))
            + chunk(b"IEND", b""))


def packed(values, depth):
    bits = "".join(format(v, f"0{depth}b") for v in values)
    bits += "0" * (-len(bits) % 8)
    return b"\0" + bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def palette(colours, clear=b""):
    indices = random.integers(0, len(colours), (HEIGHT, WIDTH))
    extra = chunk(b"PLTE", colours.tobytes()) + (chunk(b"tRNS", clear) if clear else b"")
    return png(4, 3, [packed(row, 4) for row in indices], extra)


def interlaced(image):
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = [b"\0" + row.tobytes() for y, x, dy, dx in passes for row in image[y::dy, x::dx] if row.size]
    return png(8, 2, rows, interlaced=1)


def write(name, data):
    path = HERE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.numpy())


def load(folder, size, mode):
    pairs = keras.utils.image_dataset_from_directory(HERE / folder, image_size=size, color_mode=mode, shuffle=False,
                                                     batch_size=100, verbose=False)
    x, y = next(iter(pairs))
    return x.numpy(), y.numpy()


shutil.rmtree(HERE, ignore_errors=True)
sixteen = random.integers(0, 65536, (HEIGHT, WIDTH, 3)).astype(np.uint16)
colours = random.integers(0, 256, (13, 3)).astype(np.uint8)
write("mixed/10/colour.png", tf.io.encode_png(scene(3)))
write("mixed/10/colour.jpg", tf.io.encode_jpeg(scene(3), quality=85))
write("mixed/10/grey.JPEG", tf.io.encode_jpeg(scene(1), format="grayscale"))
write("mixed/10/deeper/grey.png", tf.io.encode_png(scene(1)))
write("mixed/10/notes.txt", b"no picture")
write("mixed/9/interlaced.png", interlaced(scene(3)))
write("mixed/9/misnamed.jpg", tf.io.encode_png(scene(4)))
write("mixed/9/palette.png", palette(colours))
write("mixed/9/progressive.jpg", tf.io.encode_jpeg(scene(3), quality=70, progressive=True, chroma_downsampling=False))
write("mixed/b c/bits.png", png(2, 0, [packed(row, 2) for row in random.integers(0, 4, (HEIGHT, WIDTH))]))
write("mixed/b c/sixteen.png", tf.io.encode_png(sixteen))
write("mixed/.hidden/other.png", tf.io.encode_png(scene(3)))
write("tall.png", tf.io.encode_png(scene(3)[:5, :4]))
write("opaque/a/clear.png", palette(colours, bytes([0, 80, 255])))
write("opaque/a/colour.png", tf.io.encode_png(scene(3)))
write("opaque/b/grey_opacity.png", tf.io.encode_png(scene(2)))
write("opaque/b/opacity.png", tf.io.encode_png(scene(4)))

rgb, labels = load("mixed", (HEIGHT, WIDTH), "rgb")
grey = load("mixed", (HEIGHT, WIDTH), "grayscale")[0]
smaller = load("mixed", (7, 11), "rgb")[0]
larger = load("mixed", (29, 16), "grayscale")[0]
opaque, opaque_labels = load("opaque", (HEIGHT, WIDTH), "rgba")
np.savez_compressed(HERE / "keras.npz", rgb=rgb, grey=grey, smaller=smaller, larger=larger, labels=labels,
                    opaque=opaque, opaque_labels=opaque_labels)
