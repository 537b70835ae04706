#!/usr/bin/env bash
# A rank killed in the middle of an epoch: the job ends and names it, and after --resume every bit is as if nothing had been.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

# shellcheck disable=SC2016
cat >job.json <<'END'
{ "model": [ {"Input": {"shape": [28, 28, 1]}},
             {"Conv2D": {"filters": 4, "kernel_size": 3, "activation": "relu"}}, {"MaxPooling2D": {}},
             {"Flatten": {}}, {"Dropout": {"rate": 0.25}}, {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 3000}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}},
              "metrics": ["accuracy"]},
  "fit":     {"batch_size": 32, "epochs": 3, "seed": 3},
  "run":     {"dir": "whole", "checkpoint": {"every_steps": 7}} }
END

fit() { timeout 200 mpirun -n 2 "$STRATA" fit job.json "$@"; }

expect_code 0 fit --json

# kill_at STEP: starts the job in `broken`, and kills one of its ranks once that checkpoint is there
kill_at() {
    fit --set run.dir=broken "${@:2}" >log 2>&1 &
    local job=$! began children=() rank
    for _ in {1..1200}; do
        [ ! -e "broken/checkpoints/step-$1.keras" ] || break
        sleep 0.05
    done
    [ -e "broken/checkpoints/step-$1.keras" ] || { cat log; fail "no checkpoint of step $1"; }
    read -ra children <<<"$(pgrep -f -- "$STRATA fit job.json --set run.dir=broken" | xargs)"
    for rank in "${children[@]}"; do
        [ "$(cat "/proc/$rank/comm")" = strata ] && break
    done
    began=$SECONDS
    kill -9 "$rank"
    wait "$job" && fail "the job ends well though a rank was killed"
    [ $((SECONDS - began)) -le 5 ] || fail "mpirun ends $((SECONDS - began)) s after a rank was killed"
    grep -qE 'process rank [01] .*signal 9' log || { cat log; fail "nobody says which rank was killed"; }
}

kill_at 21
kill_at 133 --resume
expect_code 0 fit --set run.dir=broken --resume --json
expect_code 0 "$STRATA" weights whole/last.keras --diff broken/last.keras

# the history is one, whatever the stops: three epochs with the same numbers
for run in whole broken; do
    cut -d, -f1-3 "$run/history.csv" >"$run.csv"
done
diff whole.csv broken.csv || fail "the histories differ"

# a checkpoint that is damaged is passed over for the one before it
newest=$(ls -v broken/checkpoints | tail -n 1)
size=$(stat -c %s "broken/checkpoints/$newest")
printf 'x' | dd of="broken/checkpoints/$newest" bs=1 seek=$((size / 2)) conv=notrunc status=none
expect_code 0 fit --set run.dir=broken --resume --json
expect_text err "$newest"
expect_code 0 "$STRATA" weights whole/last.keras --diff broken/last.keras
