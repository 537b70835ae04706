#!/usr/bin/env bash
# Signals at random moments, to one rank, to all, or to mpirun: all ranks save and leave after the same step with 75, and
# the run that goes on from there ends with the bits of one that was never stopped. MOMENTS: how many signals.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

RANDOM=${SEED:-7}
moments=${MOMENTS:-4}

# shellcheck disable=SC2016
cat >job.json <<'END'
{ "model": [ {"Input": {"shape": [28, 28, 1]}},
             {"Conv2D": {"filters": 4, "kernel_size": 3, "activation": "relu"}}, {"MaxPooling2D": {}},
             {"BatchNormalization": {}}, {"Flatten": {}}, {"Dropout": {"rate": 0.25}}, {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 3000},
              "validation": {"source": "fashion-mnist:test", "limit": 500}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}},
              "metrics": ["accuracy"]},
  "fit":     {"batch_size": 8, "epochs": 6, "seed": 3},
  "run":     {"dir": "whole"} }
END

fit() { exec timeout 200 mpirun -n 2 "$STRATA" fit job.json --progress line "$@"; }

(expect_code 0 fit)
cut -d, -f1-5 whole/history.csv >whole.csv

# Whatever the stops were: the same bits, and one history.
same_as_whole() {
    expect_code 0 "$STRATA" weights whole/last.keras --diff broken/last.keras
    expect_text out 'no bit differs'
    cut -d, -f1-5 broken/history.csv >broken.csv
    diff whole.csv broken.csv || fail "the histories differ"
    [ -z "$(find broken -name '*.part-*')" ] || fail "files are left aside: $(find broken -name '*.part-*')"
}

# children PROCESS: in $found
children() {
    read -ra found <<<"$(cat /proc/"$1"/task/*/children 2>/dev/null | tr -d '\n')"
}

# find_job PROCESS: what it started with fit: its $mpirun, and that one's $ranks
find_job() {
    local found=()
    mpirun='' ranks=()
    for _ in {1..600}; do
        children "$1"
        mpirun=${found[0]:-}
        [ -z "$mpirun" ] || children "$mpirun"
        ranks=("${found[@]}")
        [ ${#ranks[@]} -ne 2 ] || return 0
        sleep 0.05
    done
    fail "no ranks: $(cat log)"
}

kinds=(USR1 TERM USR2 INT)
stops=0
for ((i = 0; i < moments; i++)); do
    : >log # what the one before said is not this one's
    fit --set run.dir=broken --resume >log 2>&1 &
    job=$!
    find_job $job
    for _ in {1..600}; do
        grep -q 'samples, batches of' log && break
        sleep 0.05
    done
    sleep "$(printf "%d.%03d" $((RANDOM % 2)) $((RANDOM % 1000)))"
    signal=${kinds[i % 4]}
    case $((i / 4 % 3)) in
        0) kill -"$signal" "${ranks[i % 2]}" 2>/dev/null || true ;;
        1) kill -"$signal" "${ranks[@]}" 2>/dev/null || true ;;
        2) kill -USR2 "$mpirun" 2>/dev/null || true ;;
    esac
    status=0
    wait $job || status=$?
    # mpirun no longer hands signals on when its ranks are done, and dies of them itself
    [ $status -ne $((128 + $(kill -l USR2))) ] || ! grep -q 'the run is in' log || status=0
    case $status in
        75)
            stops=$((stops + 1))
            expect_text log 'go on with: mpirun .. strata fit job.json'
            ;;
        0)
            same_as_whole
            rm -rf broken
            ;;
        *)
            cat log
            fail "exit code $status after SIG$signal"
            ;;
    esac
done
[ $stops -gt 0 ] || fail "no signal stopped anything"
(expect_code 0 fit --set run.dir=broken --resume)
same_as_whole

# without mpirun: the signal's name, and the code from the command itself
: >log
"$STRATA" fit job.json --set run.dir=alone --set fit.epochs=1000 >log 2>&1 &
job=$!
for _ in {1..600}; do
    grep -q 'Epoch 1/' log && break
    sleep 0.05
done
expect_code 65 "$STRATA" fit job.json --set run.dir=alone
expect_text err "alone/lock: another job trains here: process $job on $(hostname), since "
kill -TERM $job
status=0
wait $job || status=$?
[ $status -eq 75 ] || fail "exit code $status after SIGTERM"
expect_text log 'stopped: SIGTERM: epoch '

# a second signal ends at once, even where the step cannot end because another rank does not move
: >log
fit --set run.dir=twice --set fit.epochs=1000 >log 2>&1 &
job=$!
find_job $job
for _ in {1..600}; do
    grep -q 'Epoch 1/' log && break
    sleep 0.05
done
kill -STOP "${ranks[1]}"
sleep 0.3
kill -TERM "${ranks[0]}"
sleep 0.7
[ -e "/proc/${ranks[0]}/stat" ] || fail "the first signal ends a rank at once"
kill -TERM "${ranks[0]}"
status=0
wait $job || status=$?
[ $status -eq 143 ] || fail "exit code $status after two signals"
