#!/usr/bin/env bash
# Where a gradient that is not finite came from is told: rank, layer and step. Training goes on, unless
# TerminateOnNaN ends it on all ranks; no checkpoint is written of what is worth nothing.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

cat >job.json <<'END'
{ "model": [ {"Input": {"shape": [28, 28, 1]}}, {"AveragePooling2D": {"pool_size": 4}}, {"Flatten": {}},
             {"Dense": {"units": 8, "activation": "relu", "name": "low"}}, {"Dense": {"units": 10, "name": "high"}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 96}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit":     {"batch_size": 8, "epochs": 2, "seed": 3},
  "callbacks": ["TerminateOnNaN"],
  "run":     {"dir": "run", "checkpoint": {"every_steps": 1}} }
END

# fit RANKS FAULT OPTION...: 0, and its words in err
fit() {
    rm -rf run
    expect_code 0 env STRATA_FAULT="$2" timeout 100 mpirun -n "$1" "$STRATA" fit job.json --json "${@:3}"
}

# told TEXT: once, by whoever speaks for all
told() {
    expect_text err "$1"
    [ "$(grep -c 'is not finite on rank' err)" -eq 1 ] || { cat err >&2; fail 'it is told more than once'; }
}

# the weight in the middle of a step's four, in the order in which backward finishes them: high's two, low's two
fit 2 grad:5:nan@1
told 'epoch 1, step 5: the gradient of low/kernel is not finite on rank 1'
expect_text out '"epochs":1'
[ "$(find run/checkpoints -name '*.keras' | sort -V | tail -n 1)" = run/checkpoints/step-4.keras ] || fail "$(ls run/checkpoints)"
expect_code 0 "$STRATA" weights run/checkpoints/step-4.keras
expect_code 0 "$STRATA" weights run/last.keras --json
expect_text out '"norm":null'
expect_code 1 "$STRATA" weights run/last.keras --diff run/checkpoints/step-4.keras --json
expect_text out '"largest":null'

fit 3 grad:7:nan@2,grad:7:nan@1 --set run.exact=true
told 'epoch 1, step 7: the gradient of low/kernel is not finite on rank 1'

# the last step of an epoch, without a later one that could tell; and without anybody to stop the run
fit 2 grad:12:nan@0 --set 'callbacks=[]' --set run.dir=null
told 'epoch 1, step 12: the gradient of low/kernel is not finite on rank 0'
expect_text out '"epochs":2'

# the norm of all gradients
fit 2 grad:3:nan@1 --set 'compile.optimizer={"Adam": {"global_clipnorm": 1.0}}'
told 'epoch 1, step 3: the gradient of low/kernel is not finite on rank 1'
