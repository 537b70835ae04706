#!/usr/bin/env bash
# Two makes of device in one job: Intel's CPU runtime beside PoCL. They round differently, so what this shows is that
# every weight has one owner, and that a rank may be of any make.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

vendors=$("$SOURCE/launch/intel-runtime")

# ---- what Keras computed, on Intel's runtime alone ----
for class in cpu gpu; do
    OCL_ICD_VENDORS=$(dirname "$vendors")/alone expect_code 0 \
        "$BUILD/tests/run-golden" "$SOURCE/tests/golden/layers" "$SOURCE/tests/golden/training" --device-class "$class"
    tail -n 1 out
done

# ---- and all that plans promise, such as bits that do not depend on how many samples there are ----
for test in device layers model train; do
    OCL_ICD_VENDORS=$(dirname "$vendors")/alone expect_code 0 "$BUILD/tests/test-$test"
done

export OCL_ICD_VENDORS=$vendors
expect_code 0 "$STRATA" devices
expect_text out Intel
expect_text out 'Portable Computing Language'

# ---- a rank of one core makes threads for one, whatever else is installed ----
expect_code 0 taskset -c 0 "$STRATA" devices
grep -qE '1 +Portable Computing Language +cpu +1 ' out || { cat out; fail 'PoCL has more cores than the rank'; }

# ---- two makes equal one device ----
cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}},
             {"Conv2D": {"filters": 8, "kernel_size": 3, "activation": "tanh"}}, {"Dropout": {"rate": 0.25}},
             {"AveragePooling2D": {}}, {"Flatten": {}}, {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 500}},
  "compile": {"optimizer": {"SGD": {"learning_rate": 0.05, "momentum": 0.9}},
              "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}, "metrics": ["accuracy"]},
  "fit":     {"batch_size": 20, "epochs": 2, "seed": 3},
  "run":     {"dir": "run"} }
JSON
# fit RANKS DEVICES DIR JOB OPTION...
fit() {
    expect_code 0 timeout 1500 mpirun -n "$1" "$STRATA" fit "$4" --devices "$2" --set "run.dir=$3" "${@:5}"
}
fit 1 Portable one job.json
fit 2 Intel,Portable two job.json
fit 3 Portable,Intel,Portable three job.json
largest() {
    sed -nE "s/.*\"$2\": *([-+0-9.eE]+).*/\\1/p" "$1" | sort -g | tail -n 1
}
"$STRATA" weights one/last.keras --json >norms
for run in two three; do
    "$STRATA" weights one/last.keras --diff $run/last.keras --json >differences || true
    expect_number "$(largest differences largest) <= 1e-5 * $(largest norms max)"
done

# Shares that follow measured speeds are never quite the same; given ones are, and then so is every bit.
fit 2 Intel,Portable given job.json --set run.balance=equal
fit 2 Intel,Portable again job.json --set run.balance=equal
expect_code 0 "$STRATA" weights given/last.keras --diff again/last.keras
expect_text out 'no bit differs'

# An exact run's are the same for any number of ranks of one make, whichever it is.
sed 's/{"AveragePooling2D": {}},/& {"UnitNormalization": {}},/' job.json >exact.json
list=Intel
fit 1 $list exact exact.json --set run.exact=true
for ranks in 2 3; do
    list=$list,Intel
    fit $ranks $list exact$ranks exact.json --set run.exact=true
    expect_code 0 "$STRATA" weights exact/last.keras --diff exact$ranks/last.keras
    expect_text out 'no bit differs'
done

# ---- the quickstart's job ----
fit 2 Intel,Portable fashion "$SOURCE/launch/jobs/fashion-mnist.json"
expect_code 0 "$STRATA" evaluate fashion/last.keras --data fashion-mnist:test --devices Portable --json
echo "accuracy of the mixed job: $(number out accuracy)"
expect_number "$(number out accuracy) >= 0.90"
