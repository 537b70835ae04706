#!/usr/bin/env bash
# Batch normalization that is synchronized takes the statistics of the whole batch: the number of ranks changes nothing but
# roundings. One that is not takes those of each rank's part, and what moves is averaged by samples: all ranks save the same.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

# batches of 20 and a last one of 1, whose share is empty on most ranks
cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}},
             {"Conv2D": {"filters": 6, "kernel_size": 5, "strides": 2, "use_bias": false}},
             {"BatchNormalization": {"synchronized": true, "momentum": 0.8, "name": "first"}}, {"Activation": {"activation": "tanh"}},
             {"Flatten": {}}, {"Dense": {"units": 13}}, {"BatchNormalization": {"synchronized": true, "scale": false, "name": "second"}},
             {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 161}, "validation": {"source": "fashion-mnist:test", "limit": 50}},
  "compile": {"optimizer": {"SGD": {"learning_rate": 0.05, "momentum": 0.9}},
              "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}, "metrics": ["accuracy"]},
  "fit":     {"batch_size": 20, "epochs": 2, "seed": 3},
  "run":     {"dir": "run"} }
JSON

fit() {
    expect_code 0 timeout 250 mpirun -n "$1" "$STRATA" fit job.json --json --set "run.dir=$2" "${@:3}"
}

# far A B: the largest difference of a weight
far() {
    "$STRATA" weights "$1/last.keras" --diff "$2/last.keras" --json >differences || true
    sed -nE 's/.*"largest": *([-+0-9.eE]+).*/\1/p' differences | sort -g | tail -n 1
}

fit 1 one
fit 2 two
fit 3 three
fit 3 given --set 'run.balance=[1, 5, 2]'
for run in two three given; do
    expect_number "$(far one $run) <= 1e-4"
done

# the parts of a batch have other means than the whole
fit 2 apart --set model.2.BatchNormalization.synchronized=false --set model.6.BatchNormalization.synchronized=false
expect_number "$(far one apart) > 1e-3"
