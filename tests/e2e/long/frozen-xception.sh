#!/usr/bin/env bash
# Xception 71x71 frozen under a Dense of 1000, batches of 8: only the head changes, bit for bit, with the outputs of the base cached
# or not, on one rank and on two.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

awk 'BEGIN { for (j = 0; j < 15123; j++) printf "p%d,", j; print "label"; srand(1)
    for (i = 0; i < 16; i++) { for (j = 0; j < 15123; j++) printf "%.3f,", 2 * rand() - 1; print (i * 61) % 1000 } }' >pictures.csv
cat >job.json <<END
{ "model": [ {"Input": {"shape": [15123]}}, {"Reshape": {"target_shape": [71, 71, 3]}},
             {"Model": {"file": "$SOURCE/tests/golden/files/xception_keras3.h5", "name": "base", "trainable": false}},
             {"Dense": {"units": 1000, "name": "logits"}} ],
  "data": {"train": "pictures.csv"},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit": {"batch_size": 8, "epochs": 2, "seed": 1}, "run": {"dir": "run", "checkpoint": null} }
END
expect_code 0 "$STRATA" fit job.json -q --set run.dir=before --set fit.epochs=0
for ranks in 1 2; do
    for cache in false true; do
        expect_code 0 mpirun -n "$ranks" "$STRATA" fit job.json -q --set "run.cache_frozen=$cache"
        expect_code 1 "$STRATA" weights before/last.keras --diff run/last.keras --json
        [ "$(sed -nE '/"differing":0,/d; s/.*"layer":"([^"]*)","name":"([^"]*)".*/\1 \2/p' out | tr '\n' ' ')" = \
            'logits kernel logits bias ' ] || fail "$ranks ranks, cache $cache: not the head alone was changed"
    done
done
