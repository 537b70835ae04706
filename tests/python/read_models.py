"""Opens what Strata wrote with the Keras whose format it is.

    read_models.py CHECKS       a line each, as Keras takes seconds to start:

    near GOT.npy EXPECTED.npy
    model FLAVOUR FILE DATA.npz EXPECTED.npy [WEIGHTS.h5]    the same predictions, then an epoch more
    parts FLAVOUR FILE.json WEIGHTS.npz DATA.npz EXPECTED.npy   the same of layers and weights that come apart
    trained FILE DATA.npz EXPECTED.npy STEPS                 of a compiled model: its optimizer went STEPS
    same FLAVOUR ORIGINAL FILE      of compiled models: weights, optimizer's variables and compile config, bit for bit
    opens FILE

With WEIGHTS.h5 the model's weights are set to zero first and then loaded from that file.
"""
import sys

from peers import FLAVOURS, must_be_near, np


def train_on(model, K, x, y):
    """One more epoch: the loss is a number and the trained weights move."""
    if getattr(model, "optimizer", None) is None:
        model.compile(optimizer=K.optimizers.SGD(0.01), loss=K.losses.SparseCategoricalCrossentropy())
    before = [w.numpy().copy() for w in model.trainable_weights]
    loss = model.fit(x, y, batch_size=16, epochs=1, verbose=0).history["loss"][-1]
    if not np.isfinite(loss):
        raise SystemExit(f"the loss of another epoch is {loss}")
    if all((w.numpy() == b).all() for w, b in zip(model.trainable_weights, before)):
        raise SystemExit("another epoch changed no weight")


def recompile(model, K):
    """Keras 3 cannot go on with the optimizer of an .h5 (its variables are others), whoever wrote the file."""
    config = model.optimizer.get_config()
    model.compile(optimizer=type(model.optimizer).from_config(config), loss=model.loss)


def check_model(flavour, file, data, expected, weights=None):
    K = FLAVOURS[flavour]
    arrays = np.load(data)
    model = K.models.load_model(file)
    if weights:
        model.set_weights([np.zeros_like(w) for w in model.get_weights()])
        model.load_weights(weights)
    must_be_near(f"{weights or file} in {flavour}", model.predict(arrays["x"], verbose=0), np.load(expected))
    if flavour == "keras3" and file.endswith(".h5") and model.optimizer is not None:
        recompile(model, K)
    train_on(model, K, arrays["x"], arrays["y"])


def check_parts(flavour, file, weights, data, expected):
    K = FLAVOURS[flavour]
    arrays = np.load(data)
    model = K.models.model_from_json(open(file).read())
    given = np.load(weights)
    model.set_weights([given[name] for name in given.files])
    must_be_near(f"{file} and {weights} in {flavour}", model.predict(arrays["x"], verbose=0), np.load(expected))
    if getattr(model, "optimizer", None) is not None:
        raise SystemExit(f"{file}: it is compiled, and Strata says that it is not")
    train_on(model, K, arrays["x"], arrays["y"])


def check_trained(file, data, expected, steps):
    K = FLAVOURS["keras3"]
    arrays = np.load(data)
    model = K.models.load_model(file)
    went = int(model.optimizer.iterations.numpy())
    if went != int(steps):
        raise SystemExit(f"{file}: the optimizer went {went} steps, not {steps}")
    moments = [v for v in model.optimizer.variables if v.path.endswith("_velocity")]
    if not moments or all((v.numpy() == 0).all() for v in moments):
        raise SystemExit(f"{file}: the optimizer's state did not arrive")
    must_be_near(f"{file} in keras3", model.predict(arrays["x"], verbose=0), np.load(expected))
    train_on(model, K, arrays["x"], arrays["y"])


def check_same(flavour, original, file):
    K = FLAVOURS[flavour]
    a, b = (K.models.load_model(path) for path in (original, file))
    variables = [model.optimizer.variables for model in (a, b)]
    if flavour == "keras2":
        variables = [v() if callable(v) else v for v in variables]
    pairs = [*zip(a.weights, b.weights, strict=True), *zip(*variables, strict=True)]
    if not all((x.numpy() == y.numpy()).all() for x, y in pairs):
        raise SystemExit(f"{file}: weights or the optimizer's variables differ from those of {original}")
    if a.optimizer.get_config() != b.optimizer.get_config() or a.loss != b.loss:
        raise SystemExit(f"{file}: compiled in another way than {original}")
    print(f"{file} in {flavour}: the same as {original}")


def near(got, expected):
    must_be_near(got, np.load(got), np.load(expected))


def main():
    kinds = dict(near=near, model=check_model, parts=check_parts, trained=check_trained, same=check_same,
                 opens=FLAVOURS["keras3"].models.load_model)
    for line in open(sys.argv[1]):
        kind, *arguments = line.split()
        kinds[kind](*arguments)


main()
