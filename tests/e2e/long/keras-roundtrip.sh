#!/usr/bin/env bash
# Real Keras 3 and tf-keras open what Strata writes, predict the same and train on; and the reverse.
# STRATA_PEERS names a Python environment with tensorflow, tf-keras and h5py; without it one is made in the build folder.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

peers=$("$SOURCE/launch/peers")

# python SCRIPT ARGUMENT...
python() {
    "$peers/bin/python" "$SOURCE/tests/python/$1.py" "${@:2}" 2>noise || { cat noise >&2; fail "$1.py failed"; }
}

python write_models .
for flavour in keras3 keras2; do
    for name in mlp cnn nested functional; do
        base=$name.$flavour

        # ---- Keras's files in Strata ----
        for form in keras h5; do
            expect_code 0 "$STRATA" predict "$base.$form" --data data.npz -o "$base.$form.npy"
            echo "near $base.$form.npy $base.y.npy" >>checks
        done
        weights=$base.weights.h5
        [ "$flavour" = keras3 ] || weights=${base}_weights.h5
        expect_code 0 "$STRATA" convert "$weights" loaded.keras --model "$base.h5"
        expect_code 0 "$STRATA" weights loaded.keras --diff "$base.keras"
        expect_text out 'no bit differs'

        # ---- Strata's files in both Kerases ----
        ours=ours.$base
        expect_code 0 "$STRATA" convert "$base.keras" "$ours.keras"
        expect_code 0 "$STRATA" convert "$base.keras" "$ours.3.h5" --flavour keras3
        expect_code 0 "$STRATA" convert "$base.keras" "$ours.2.h5" --flavour keras2
        expect_code 0 "$STRATA" convert "$base.keras" "$ours.weights.h5"
        expect_code 0 "$STRATA" convert "$base.keras" "${ours}_weights.h5"
        expect_code 0 "$STRATA" convert "$base.keras" "$ours.3.json" --flavour keras3
        expect_code 0 "$STRATA" convert "$base.keras" "$ours.2.json" --flavour keras2
        expect_code 0 "$STRATA" convert "$base.keras" "$ours.npz"
        cat >>checks <<END
parts keras3 $ours.3.json $ours.npz data.npz $base.y.npy
parts keras2 $ours.2.json $ours.npz data.npz $base.y.npy
model keras3 $ours.keras data.npz $base.y.npy
model keras3 $ours.keras data.npz $base.y.npy $ours.weights.h5
model keras3 $ours.3.h5 data.npz $base.y.npy
model keras2 $ours.2.h5 data.npz $base.y.npy
model keras2 $ours.2.h5 data.npz $base.y.npy ${ours}_weights.h5
END
    done
done

# ---- in the midst of training: what Keras reads of our file is what it reads of its own ----

golden=$SOURCE/tests/golden/files
for name in resume_adam resume_momentum; do
    expect_code 0 "$STRATA" convert "$golden/${name}_keras3.keras" "$name.keras"
    expect_code 0 "$STRATA" convert "$golden/${name}_keras2.h5" "$name.h5" --flavour keras2
    echo "same keras3 $golden/${name}_keras3.keras $name.keras" >>checks
    echo "same keras2 $golden/${name}_keras2.h5 $name.h5" >>checks
done

# ---- a model that Strata trained, with its optimizer's state ----

cat >job.json <<'END'
{ "model": [ {"Input": {"shape": [10, 9, 2]}}, {"Conv2D": {"filters": 4, "kernel_size": 3, "activation": "relu"}},
             {"MaxPooling2D": {}}, {"Flatten": {}}, {"Dense": {"units": 4, "activation": "softmax"}} ],
  "data": {"train": "data.npz"},
  "compile": {"optimizer": {"Adam": {"learning_rate": 0.01}}, "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]},
  "fit": {"batch_size": 16, "epochs": 3, "seed": 1}, "run": {"dir": "run"} }
END
expect_code 0 "$STRATA" fit job.json
expect_code 0 "$STRATA" predict run/last.keras --data data.npz -o trained.npy
echo "trained run/last.keras data.npz trained.npy 12" >>checks
for file in run/checkpoints/*.keras; do
    [ ! -e "$file" ] || echo "opens $file" >>checks
done

python read_models checks
