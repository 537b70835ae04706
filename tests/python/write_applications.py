"""The bases of keras.applications with seeded weights, two inputs, and what Keras computes of them.

    write_applications.py FOLDER NAME...      NAME.keras, NAME.h5, NAME.x.npz, NAME.y.npy, NAME.far.npy for each

The last holds how far Keras itself is from what it computes in float64, relative to the largest output.

Weights come fresh from the initializers; what these leave flat (biases, scales, statistics) is drawn too, and the moving
statistics of every BatchNormalization are nearly those of a batch, so that activations keep their size through two hundred layers.
"""
import sys

from peers import keras, np

SMALLEST = {"Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75}
TOPLESS = ("VGG16", "VGG19")  # the first Dense alone has more weights than everything else here


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
            if isinstance(layer, keras.layers.Normalization):
                scale = {"mean": (0.3, 0.6), "variance": (0.1, 0.2)}.get(kind)
            elif type(layer).__name__ == "LayerScale":
                scale = (0.2, 0.5)
            if scale:
                weight.assign(random.uniform(*scale, weight.shape))
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


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
    more = {} if name in TOPLESS else {"classes": 7, "classifier_activation": None}
    model = getattr(keras.applications, name)(
        weights=None, input_shape=(size, size, 3), include_top=name not in TOPLESS, **more
    )
    draw(model, random)
    batch = random.uniform(0, 255, (12, size, size, 3)).astype("float32")
    if not any(isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization)) for layer in layers_of(model)):
        batch = batch / 127.5 - 1
    settle(model, batch)
    return model, batch[:2]


def distance_to_float64(model, x, y):
    keras.backend.set_floatx("float64")
    exact = keras.models.model_from_json(model.to_json().replace('"float32"', '"float64"'))
    exact.set_weights(model.get_weights())
    expected = exact(x.astype("float64")).numpy()
    keras.backend.set_floatx("float32")
    return np.abs(y - expected).max() / np.abs(expected).max()


def main():
    folder = sys.argv[1]
    for name in sys.argv[2:]:
        model, x = make(name)
        base = f"{folder}/{name}"
        model.save(f"{base}.keras")
        model.save(f"{base}.h5")
        np.savez(f"{base}.x.npz", x=x, y=np.arange(2, dtype="int32"))
        y = model.predict(x, verbose=0)
        np.save(f"{base}.y.npy", y)
        np.save(f"{base}.far.npy", distance_to_float64(model, x, y))
        keras.backend.clear_session()


main()
