#!/usr/bin/env bash
# Real Keras 3 and tf-keras open what Strata writes, predict the same and train on; and the reverse.
# STRATA_PEERS names a Python environment with tensorflow, tf-keras and h5py; without it one is made in the build folder.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

peers=${STRATA_PEERS:-$BUILD/peers}
if [ ! -x "$peers/bin/python" ]; then
    python3 -m venv "$peers"
    "$peers/bin/pip" install --quiet tensorflow-cpu tf-keras h5py
fi

python() { "$peers/bin/python" "$SOURCE/tests/python/$1.py" "${@:2}"; }

python write_models .
for flavour in keras3 keras2; do
    for name in mlp cnn nested; do
        base=$name.$flavour

        # ---- Keras's files in Strata ----
        for file in "$base.keras" "$base.h5"; do
            expect_code 0 "$STRATA" predict "$file" --data data.npz -o got.npy
            python read_models near got.npy "$base.y.npy"
        done
        weights=$base.weights.h5
        [ "$flavour" = keras3 ] || weights=${base}_weights.h5
        expect_code 0 "$STRATA" convert "$weights" loaded.keras --model "$base.h5"
        expect_code 0 "$STRATA" weights loaded.keras --diff "$base.keras"
        expect_text out 'no bit differs'

        # ---- Strata's files in both Kerases ----
        expect_code 0 "$STRATA" convert "$base.keras" ours.keras
        expect_code 0 "$STRATA" convert "$base.keras" ours3.h5 --flavour keras3
        expect_code 0 "$STRATA" convert "$base.keras" ours2.h5 --flavour keras2
        expect_code 0 "$STRATA" convert "$base.keras" ours.weights.h5
        expect_code 0 "$STRATA" convert "$base.keras" ours_weights.h5
        python read_models model keras3 ours.keras data.npz "$base.y.npy"
        python read_models model keras3 ours.keras data.npz "$base.y.npy" ours.weights.h5
        python read_models model keras3 ours3.h5 data.npz "$base.y.npy"
        python read_models model keras2 ours2.h5 data.npz "$base.y.npy"
        python read_models model keras2 ours2.h5 data.npz "$base.y.npy" ours_weights.h5
    done
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
expect_code 0 "$STRATA" predict run/last.keras --data data.npz -o got.npy
python read_models trained run/last.keras data.npz got.npy 12
for file in run/checkpoints/*.keras; do
    [ ! -e "$file" ] || "$peers/bin/python" -c 'import keras, sys; keras.models.load_model(sys.argv[1])' "$file"
done
