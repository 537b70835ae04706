#!/usr/bin/env bash
# launch/run: a job that loses a rank goes on by itself and ends with the same bits; told to stop, it saves and says 75; what
# another try would not mend is not tried again.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

export STRATA
run=$SOURCE/launch/run
cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}}, {"Flatten": {}}, {"Dense": {"units": 20, "activation": "relu"}},
             {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 2000}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit":     {"batch_size": 4, "epochs": 6, "seed": 3},
  "run":     {"dir": "whole", "checkpoint": {"every_steps": 100}} }
JSON
expect_code 0 "$run" -n 2 job.json

# begin DIR: in the background, until the second checkpoint is there
begin() {
    "$run" -n 2 job.json --set "run.dir=$1" >log 2>&1 &
    running=$!
    for _ in {1..600}; do
        [ ! -e "$1/checkpoints/step-200.keras" ] || return 0
        sleep 0.05
    done
    cat log >&2
    fail 'no checkpoint within 30 s'
}

# ---- a lost rank ----
begin killed
for rank in $(pgrep -f -- "$STRATA fit job.json --set run.dir=killed"); do
    [ "$(cat "/proc/$rank/comm")" != strata ] || break
done
kill -9 "$rank"
wait "$running" || { cat log >&2; fail 'the job did not go on'; }
expect_text log 'again in 1 s, from step-'
expect_code 0 "$STRATA" weights whole/last.keras --diff killed/last.keras

# ---- told to stop ----
begin stopped
kill -TERM "$running"
code=0
wait "$running" || code=$?
[ "$code" -eq 75 ] || { cat log >&2; fail "exit code $code instead of 75"; }
expect_code 0 "$run" -n 2 job.json --set run.dir=stopped --resume
expect_code 0 "$STRATA" weights whole/last.keras --diff stopped/last.keras

# ---- nothing to try again ----
expect_code 65 "$run" -n 2 job.json --set data.train=missing.npz
! grep -q 'again in' err || fail 'a job without data was tried again'
expect_code 1 "$run" -n 2
expect_text err 'which job?'
