"""Models of both Kerases, trained for an epoch, in every format.

    write_models.py FOLDER

FOLDER/data.npz (arrays x, y), NAME.FLAVOUR.y.npy (what the model predicts for x), and the model as
NAME.keras3.{keras,h5,weights.h5}, NAME.keras2.{keras,h5} and NAME.keras2_weights.h5.
"""
import sys

from peers import FLAVOURS, np

CLASSES = 4
SHAPE = (10, 9, 2)


def mlp(K):
    L = K.layers
    return K.Sequential([K.Input(SHAPE), L.Flatten(), L.Dense(12, activation="relu"), L.Dropout(0.25),
                         L.Dense(CLASSES, activation="softmax")])


def cnn(K):
    L = K.layers
    return K.Sequential([K.Input(SHAPE), L.Rescaling(0.5), L.Conv2D(6, 3, padding="same"), L.BatchNormalization(),
                         L.Activation("relu"), L.MaxPooling2D(), L.Conv2D(5, (3, 2), strides=(1, 2), activation="relu"),
                         L.GlobalAveragePooling2D(), L.Dense(CLASSES)])


def nested(K):
    L = K.layers
    base = K.Sequential([K.Input(SHAPE), L.Conv2D(4, 3, name="conv_a"), L.BatchNormalization(name="bn_a"),
                         L.Conv2D(4, 3, name="conv_b"), L.GlobalMaxPooling2D()], name="base")
    base.get_layer("conv_b").trainable = False
    return K.Sequential([K.Input(SHAPE), base, L.Dense(CLASSES, activation="softmax", name="head")])


def functional(K):
    L = K.layers
    picture = K.Input(SHAPE, name="picture")
    a = L.Conv2D(4, 3, padding="same", name="conv_c")(picture)
    b = L.SeparableConv2D(4, 3, padding="same", name="separable")(L.ReLU(name="relu")(a))
    both = L.Concatenate(name="both")([L.Add(name="add")([a, b]), b])
    base = K.Model(picture, L.BatchNormalization(name="bn_c")(both), name="branches")
    return K.Sequential([K.Input(SHAPE), base, L.GlobalAveragePooling2D(), L.Dense(CLASSES, name="head")])


def data():
    rng = np.random.default_rng(7)
    y = rng.integers(0, CLASSES, 64)
    x = rng.normal(0, 1, (64, *SHAPE)) + y[:, None, None, None] / 2
    return x.astype(np.float32), y.astype(np.int32)


def write(folder, build, flavour, x, y):
    K = FLAVOURS[flavour]
    K.utils.set_random_seed(3)
    model = build(K)
    logits = model.layers[-1].get_config()["activation"] == "linear"
    model.compile(optimizer=K.optimizers.Adam(0.01), metrics=["accuracy"],
                  loss=K.losses.SparseCategoricalCrossentropy(from_logits=logits))
    model.fit(x, y, batch_size=16, epochs=1, verbose=0)
    name = f"{folder}/{build.__name__}.{flavour}"
    # .keras first: Keras 3 drops the optimizer from its config once it has written an .h5
    model.save(f"{name}.keras")
    model.save(f"{name}.h5")
    model.save_weights(f"{name}.weights.h5" if flavour == "keras3" else f"{name}_weights.h5")
    np.save(f"{name}.y.npy", model.predict(x, verbose=0))


def main():
    folder = sys.argv[1]
    x, y = data()
    np.savez(f"{folder}/data.npz", x=x, y=y)
    for flavour in FLAVOURS:
        for build in (mlp, cnn, nested, functional):
            write(folder, build, flavour, x, y)


main()
