#!/usr/bin/env bash
# run.exact: the number of ranks and their shares change no bit of the weights, the optimizer's state or the history; neither do a
# stop and a resumption on another number of ranks.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

# 361 samples: batches of 33 in 7 grains of 5, the last of 3, and a last batch of 31 in 7; of 50 in 8 grains of 7, the last of 1, and
# a last one of 11 in 2; of 176 in 11 grains of 16, and a last one of 9 in 1
cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}},
             {"Conv2D": {"filters": 6, "kernel_size": 5, "strides": 2, "use_bias": false, "kernel_regularizer": "l2"}},
             {"BatchNormalization": {"momentum": 0.8}}, {"Activation": {"activation": "tanh"}},
             {"Flatten": {}}, {"Dropout": {"rate": 0.25}}, {"Dense": {"units": 13, "activation": "relu"}},
             {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 361}, "validation": {"source": "fashion-mnist:test", "limit": 77}},
  "compile": {"optimizer": {"Adam": {"learning_rate": 0.003, "global_clipnorm": 0.7}},
              "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}, "metrics": ["accuracy"]},
  "fit":     {"batch_size": 33, "epochs": 3, "seed": 3},
  "run":     {"exact": true, "dir": "run", "checkpoint": {"every_epochs": 1}} }
JSON

fit() {
    expect_code 0 timeout 250 mpirun -n "$1" "$STRATA" fit job.json --json --set "run.dir=$2" \
                --set "fit.batch_size=${BATCH:-33}" "${@:3}"
}

# same DIR: no bit differs from one rank
same() {
    expect_code 0 "$STRATA" weights one/last.keras --diff "$1/last.keras"
    expect_text out 'no bit differs'
    diff one/history.csv "$1/history.csv" || fail "$1: another history"
}

fit 1 one
for ranks in ${RANKS:-2 3 4}; do
    fit "$ranks" "ranks$ranks"
    same "ranks$ranks"
done

fit 3 given --set 'run.balance=[1, 7, 3]'
same given
STRATA_SLOW=0:8 fit 2 slow
same slow

# two epochs on two ranks, the last on three
fit 2 stopped --set fit.epochs=2
fit 3 stopped --resume
same stopped

# batches taken whole are not cut into grains: exact runs are another way of adding
fit 1 plain --set run.exact=false
expect_code 1 "$STRATA" weights one/last.keras --diff plain/last.keras

expect_code 78 "$STRATA" fit job.json --set run.dir=null --set model.2.BatchNormalization.synchronized=true
expect_text err 'cannot be synchronized'
