#!/usr/bin/env bash
# The number of ranks changes nothing but roundings: shares that are uneven or empty, clipping by norm, regularizers.
# And the same ranks give the same bits twice.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

# batches of 20 and a last one of 1, whose share is empty on most ranks
cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}},
             {"Conv2D": {"filters": 4, "kernel_size": 5, "strides": 2, "activation": "tanh", "kernel_regularizer": "l2"}},
             {"Flatten": {}}, {"Dense": {"units": 13, "activation": "tanh", "kernel_constraint": {"MaxNorm": {"max_value": 0.9}}}},
             {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 201}, "validation": {"source": "fashion-mnist:test", "limit": 101}},
  "compile": {"optimizer": {"SGD": {"learning_rate": 0.05, "momentum": 0.9, "global_clipnorm": 1.0}},
              "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}, "metrics": ["accuracy"]},
  "fit":     {"batch_size": 20, "epochs": 5, "seed": 3},
  "run":     {"dir": "run"} }
JSON

# fit RANKS DIR OPTION...
fit() {
    expect_code 0 timeout 250 mpirun -n "$1" "$STRATA" fit job.json --json --set "run.dir=$2" "${@:3}"
}

# largest FILE KEY: the largest of a number in JSON lines
largest() {
    sed -nE "s/.*\"$2\": *([-+0-9.eE]+).*/\\1/p" "$1" | sort -g | tail -n 1
}

# ---- SGD: the weights after 55 steps ----

for ranks in 1 2 3 4; do
    fit "$ranks" "sgd$ranks"
done
"$STRATA" weights sgd1/last.keras --json >weights
size=$(largest weights max)
for ranks in 2 3 4; do
    "$STRATA" weights sgd1/last.keras --diff "sgd$ranks/last.keras" --json >differences || true
    expect_number "$(largest differences largest) <= 1e-5 * $size"
    expect_number "$(tail -n 1 sgd1/history.csv | cut -d, -f4) - $(tail -n 1 "sgd$ranks/history.csv" | cut -d, -f4) < 1e-5"
done

# ---- Adam: the first twenty losses ----

adam=(--set 'compile.optimizer={"Adam": {"clipnorm": 0.5}}' --set fit.steps_per_epoch=1 --set fit.epochs=20)
for ranks in 1 2 3 4; do
    fit "$ranks" "adam$ranks" "${adam[@]}"
    cut -d, -f2 "adam$ranks/history.csv" >"losses$ranks"
    [ "$(wc -l <"losses$ranks")" -eq 21 ] || fail "$ranks ranks: not twenty losses"
    paste -d ' ' losses1 "losses$ranks" | tail -n +2 | while read -r one many; do
        expect_number "$one - $many < 1e-4 && $many - $one < 1e-4"
    done
done

# ---- twice the same ranks ----

fit 3 again
expect_code 0 "$STRATA" weights sgd3/last.keras --diff again/last.keras
expect_text out 'no bit differs'

# ---- ranks of one host look for no networks, unless somebody chose one ----

# components RANKS [VARIABLE=VALUE]: those of Open MPI that are looked at for messages between ranks
components() {
    env OMPI_MCA_pml_base_verbose=100 OMPI_MCA_btl_base_verbose=100 "${@:2}" \
        timeout 250 mpirun -n "$1" "$STRATA" fit job.json --json --set run.dir=talk --set fit.epochs=1 2>&1 |
        sed -nE 's/.*initializing (pml|btl) component //p' | sort -u | tr '\n' ' '
}
[ "$(components 2)" = 'ob1 self vader ' ] || fail 'networks are looked for on one host'
[[ "$(components 2 OMPI_MCA_btl=self,tcp)" == *tcp* ]] || fail 'a chosen transport was not taken'
