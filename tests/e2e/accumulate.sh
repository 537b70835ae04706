#!/usr/bin/env bash
# fit.accumulate: a batch in parts gives the update of the whole, on any number of ranks, with less memory.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

# batches of 20 and a last one of 1, which has fewer samples than parts
cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}},
             {"Conv2D": {"filters": 4, "kernel_size": 5, "strides": 2, "activation": "tanh", "kernel_regularizer": "l2"}},
             {"Flatten": {}}, {"Dropout": {"rate": 0.25}}, {"Dense": {"units": 13, "activation": "tanh"}},
             {"ActivityRegularization": {"l2": 0.001}}, {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 201}},
  "compile": {"optimizer": {"SGD": {"learning_rate": 0.05, "momentum": 0.9, "global_clipnorm": 1.0}},
              "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}, "metrics": ["accuracy"]},
  "fit":     {"batch_size": 20, "epochs": 3, "seed": 3},
  "run":     {"dir": "run"} }
JSON

# fit RANKS DIR OPTION...
fit() {
    expect_code 0 timeout 250 mpirun -n "$1" "$STRATA" fit job.json --json --set "run.dir=$2" "${@:3}"
}
largest() {
    sed -nE "s/.*\"$2\": *([-+0-9.eE]+).*/\\1/p" "$1" | sort -g | tail -n 1
}

fit 1 whole
"$STRATA" weights whole/last.keras --json >weights
for case in '1 4' '2 7'; do
    read -r ranks parts <<<"$case"
    fit "$ranks" "parts-$ranks-$parts" --set "fit.accumulate=$parts"
    "$STRATA" weights whole/last.keras --diff "parts-$ranks-$parts/last.keras" --json >differences || true
    expect_number "$(largest differences largest) <= 1e-5 * $(largest weights max)"
    for epoch in 2 3 4; do
        one=$(sed -n ${epoch}p whole/history.csv | cut -d, -f2) other=$(sed -n ${epoch}p "parts-$ranks-$parts/history.csv" | cut -d, -f2)
        expect_number "$one - $other < 1e-5 && $other - $one < 1e-5"
    done
done

# what a large batch needs, a part does not
memory() { "$STRATA" check job.json --json --set fit.batch_size=2000 "$@" | sed -nE 's/.*"bytes": *([0-9]+).*/\1/p'; }
expect_number "$(memory --set fit.accumulate=10) < 0.3 * $(memory)"

expect_code 78 "$STRATA" fit job.json --set fit.accumulate=0
expect_text err 'accumulate'
expect_code 78 "$STRATA" fit job.json --set run.dir=null --set fit.accumulate=2 \
    --set 'model.5={"BatchNormalization": {"synchronized": true}}'
expect_text err 'cannot be synchronized'
