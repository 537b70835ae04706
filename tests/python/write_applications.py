"""The bases of keras.applications with seeded weights, what Keras computes of two inputs, and what it learns in a step.

    write_applications.py FOLDER [--steps] NAME...

For each NAME.keras, NAME.h5, NAME.x.npz and NAME.y.npy; with --steps also NAME.tuned.keras, the base without its top under a
new classifier, NAME.train.npz, and for KIND of head (the base is frozen), tail (but for its last layers) and whole a job
NAME.KIND.json and its loss before and after a step in NAME.KIND.loss.

Weights come fresh from the initializers; what these leave flat (biases, scales, statistics) is drawn too. What a network of
random weights makes of a rounding is another matter than what a trained one does: where each BatchNormalization halves
its channels at zero, two samples drift apart by a fifth with each, a thousandfold through forty. So the scales have
their zero where few activations are cut off, the moving statistics are nearly those of a batch, and the inputs differ
as pictures do, in large areas, where noise looks alike to deep layers.
"""
import json
import sys

from peers import keras, np

SMALLEST = {"Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75}
TOPLESS = ("VGG16", "VGG19")  # the first Dense alone has more weights than everything else here
CLASSES = 7
BATCH = 12
RATES = {"head": 0.02, "tail": 0.02, "whole": 0.0002}


def layers_of(model):
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)


def draw(model, random):
    for layer in layers_of(model):
        for weight in layer.weights if not isinstance(layer, keras.Model) else []:
            kind = weight.path.split("/")[-1]
            scale = {"gamma": (0.7, 1.3), "beta": (-0.2, 0.2), "bias": (-0.2, 0.2)}.get(kind)
            if isinstance(layer, keras.layers.BatchNormalization) and kind == "beta":
                scale = (0.3, 1.3)
            elif isinstance(layer, keras.layers.Normalization):
                scale = {"mean": (0.3, 0.6), "variance": (0.1, 0.2)}.get(kind)
            elif type(layer).__name__ == "LayerScale":
                scale = (0.2, 0.5)
            if scale:
                weight.assign(random.uniform(*scale, weight.shape))
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def pictures(random, size):
    """Of 0 to 255: random values on coarse grids, drawn smooth, and on finer ones with less weight."""
    batch = np.zeros((BATCH, size, size, 3))
    for cells, weight in ((2, 1.0), (5, 0.7), (11, 0.5), (size, 0.2)):
        grid = random.uniform(-weight, weight, (BATCH, cells + 1, cells + 1, 3))
        at = np.linspace(0, cells, size, endpoint=False)
        i, f = at.astype(int), at % 1
        rows = grid[:, i] * (1 - f)[:, None, None] + grid[:, i + 1] * f[:, None, None]
        batch += rows[:, :, i] * (1 - f)[:, None] + rows[:, :, i + 1] * f[:, None]
    return ((batch - batch.min()) / np.ptp(batch) * 255).astype("float32")


def settle(model, batch):
    norms = [layer for layer in layers_of(model) if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    model(batch, training=True)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
        # a channel that hardly varies is not blown up: rounding would be, too, in Keras as here
        variance = norm.moving_variance.numpy()
        norm.moving_variance.assign(np.maximum(variance, variance.mean() / 4))


def make(name):
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(1)
    size = SMALLEST.get(name, 64)
    more = {} if name in TOPLESS else {"classes": CLASSES, "classifier_activation": None}
    model = getattr(keras.applications, name)(
        weights=None, input_shape=(size, size, 3), include_top=name not in TOPLESS, **more
    )
    draw(model, random)
    batch = pictures(random, size)
    if not any(isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization)) for layer in layers_of(model)):
        batch = batch / 127.5 - 1
    settle(model, batch)
    return model, batch


# ---- a step of training -------------------------------------------------------------------------------------------------


def tuned(model):
    """Up to where its top begins, and without what is random, under pooling and a classifier."""
    for layer in layers_of(model):
        if hasattr(layer, "rate"):
            layer.rate = 0.0
    last = next(layer for layer in reversed(model.layers) if len(layer.output.shape) == 4)
    base = keras.Model(model.inputs, last.output, name="base")
    top = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(CLASSES, name="logits")]
    return keras.Sequential([keras.Input(model.input_shape[1:]), base, *top])


def freeze(model, kind):
    """Returns the rules that say the same."""
    base = model.get_layer("base")
    with_weights = [layer for layer in base.layers if layer.weights]
    trained = {"head": [], "tail": with_weights[-8:], "whole": with_weights}[kind]
    for layer in with_weights:
        layer.trainable = layer in trained
    if kind == "whole":
        return [["*", True]]
    return [["base/*", False], *([f"base/{layer.name}", True] for layer in trained)]


def losses(model, x, y, rate):
    """Before and after a step of all samples."""
    model.compile(
        optimizer=keras.optimizers.SGD(rate), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True
    )
    return model.fit(x, y, batch_size=BATCH, epochs=2, shuffle=False, verbose=0).history["loss"]


def write_steps(model, x, base):
    y = np.arange(BATCH, dtype="int32") % CLASSES
    np.savez(f"{base}.train.npz", x=x, y=y)
    model = tuned(model)
    model.save(f"{base}.tuned.keras")
    weights = model.get_weights()
    for kind, rate in RATES.items():
        model.set_weights(weights)
        job = {
            "model": f"{base}.tuned.keras",
            "trainable": freeze(model, kind),
            "data": {"train": f"{base}.train.npz"},
            "compile": {
                "optimizer": {"SGD": {"learning_rate": rate}},
                "loss": {"SparseCategoricalCrossentropy": {"from_logits": True}},
            },
            "fit": {"batch_size": BATCH, "epochs": 2, "shuffle": False, "seed": 1},
            "run": {"dir": None},
        }
        with open(f"{base}.{kind}.json", "w") as file:
            json.dump(job, file)
        with open(f"{base}.{kind}.loss", "w") as file:
            print(*losses(model, x, y, rate), file=file)


def main():
    folder, *names = sys.argv[1:]
    steps = "--steps" in names
    for name in (name for name in names if name != "--steps"):
        model, x = make(name)
        base = f"{folder}/{name}"
        model.save(f"{base}.keras")
        model.save(f"{base}.h5")
        np.savez(f"{base}.x.npz", x=x[:2], y=np.arange(2, dtype="int32"))
        np.save(f"{base}.y.npy", model.predict(x[:2], verbose=0))
        if steps:
            write_steps(model, x, base)
        keras.backend.clear_session()


main()
