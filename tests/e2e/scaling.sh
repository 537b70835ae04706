#!/usr/bin/env bash
# A batch and a learning rate that grow with the ranks: the same as one rank told so.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}}, {"Flatten": {}}, {"Dense": {"units": 13, "activation": "tanh"}},
             {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 300}},
  "compile": {"optimizer": {"SGD": {"learning_rate": 0.03125}}, "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit":     {"batch_size": 10, "epochs": 3, "seed": 3},
  "run":     {"dir": "run"} }
JSON

# fit RANKS DIR OPTION...
fit() {
    expect_code 0 timeout 250 mpirun -n "$1" "$STRATA" fit job.json --set "run.dir=$2" "${@:3}"
}
largest() {
    sed -nE "s/.*\"$2\": *([-+0-9.eE]+).*/\\1/p" "$1" | sort -g | tail -n 1
}
alike() {
    "$STRATA" weights "$1/last.keras" --json >weights
    "$STRATA" weights "$1/last.keras" --diff "$2/last.keras" --json >differences || true
    expect_number "$(largest differences largest) <= 1e-5 * $(largest weights max)"
}
per_rank=(--set fit.batch_per_rank=true)
rate=compile.optimizer.SGD.learning_rate

fit 1 faster --set fit.batch_size=20 --set $rate=0.0625
fit 2 linear "${per_rank[@]}" --set fit.rate_scaling=linear
expect_text err 'batches of 20, 2 ranks'
alike faster linear

# 15 steps an epoch: over two epochs from the rate to twice that, then it stays
fit 1 grown --set fit.batch_size=20 \
    --set "$rate={\"PolynomialDecay\": {\"initial_learning_rate\": 0.03125, \"decay_steps\": 30, \"end_learning_rate\": 0.0625}}"
fit 2 warm "${per_rank[@]}" --set fit.rate_scaling=linear --set fit.warmup_epochs=2
alike grown warm
expect_code 1 "$STRATA" weights linear/last.keras --diff warm/last.keras

expect_code 78 "$STRATA" fit job.json --set fit.rate_scaling=linear
expect_text err 'set batch_per_rank too'
expect_code 78 "$STRATA" fit job.json --set fit.rate_scaling=cubic
expect_text err 'null, "linear" or "sqrt" is expected'
expect_code 78 "$STRATA" fit job.json --set fit.warmup_epochs=2
expect_text err 'is for rate_scaling'
