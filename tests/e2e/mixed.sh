#!/usr/bin/env bash
# compile.dtype_policy: halves train on any number of ranks alike, a scaled loss leaves steps out on all of them, what is saved comes back, and
# a device without half is refused.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}},
             {"Conv2D": {"filters": 6, "kernel_size": 5, "strides": 2, "use_bias": false, "kernel_regularizer": "l2"}},
             {"BatchNormalization": {"momentum": 0.8}}, {"ReLU": {}}, {"MaxPooling2D": {}},
             {"Flatten": {}}, {"Dropout": {"rate": 0.25}}, {"Dense": {"units": 13, "activation": "relu"}},
             {"Dense": {"units": 10, "dtype": "float32"}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 361}, "validation": {"source": "fashion-mnist:test", "limit": 77}},
  "compile": {"optimizer": {"Adam": {"learning_rate": 0.003, "global_clipnorm": 0.7}}, "dtype_policy": "mixed_bfloat16",
              "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}, "metrics": ["accuracy"]},
  "fit":     {"batch_size": 33, "epochs": 3, "seed": 3},
  "run":     {"exact": true, "dir": "run", "checkpoint": {"every_epochs": 1}} }
JSON

fit() {
    expect_code 0 timeout 250 mpirun -n "$1" "$STRATA" fit job.json -q --set "run.dir=$2" "${@:3}"
}

same() {
    expect_code 0 "$STRATA" weights "$1/last.keras" --diff "$2/last.keras"
    expect_text out 'no bit differs'
    diff "$1/history.csv" "$2/history.csv" || fail "$2: another history than $1"
}

fit 1 one
fit 2 two
same one two

# other numbers than in floats, and as good ones
fit 1 float32 --set compile.dtype_policy=float32
expect_code 1 "$STRATA" weights one/last.keras --diff float32/last.keras
loss() { tail -n 1 "$1/history.csv" | cut -d, -f2; }
expect_number "($(loss one) - $(loss float32))^2 < (0.03 * $(loss float32))^2"

# halves of the other kind, on devices of the class that has them; the first steps are left out, on all ranks
half=(--set compile.dtype_policy=mixed_float16)
scaled=("${half[@]}" --set 'compile.optimizer={"LossScaleOptimizer": {"inner_optimizer": {"Adam": {"learning_rate": 0.003}}, "initial_scale": 1e9}}')
export STRATA_DEVICE_CLASS=gpu
fit 1 scaled1 "${scaled[@]}"
fit 2 scaled2 "${scaled[@]}"
same scaled1 scaled2
# one rank has a gradient that is no number: both leave the step out, and nobody is warned
STRATA_FAULT=grad:12:nan@1 fit 2 odd "${half[@]}"
expect_number "$(loss odd) > 0"
! grep -q 'not finite' err || fail "a step that was left out is warned of"
fit 2 whole "${half[@]}"
expect_code 1 "$STRATA" weights whole/last.keras --diff odd/last.keras
fit 2 stopped "${scaled[@]}" --set fit.epochs=2
fit 1 stopped "${scaled[@]}" --resume
same scaled1 stopped

# an .h5 and back
expect_code 0 "$STRATA" convert scaled1/last.keras scaled.h5
expect_code 0 "$STRATA" convert scaled.h5 back.keras
expect_code 0 "$STRATA" weights scaled1/last.keras --diff back.keras
expect_text out 'no bit differs'
expect_code 0 "$STRATA" convert back.keras back.json
[ "$(grep -o 'mixed_float16' back.json | wc -l)" -ge 7 ] || fail "back.json has lost the layers' policy"
expect_code 78 "$STRATA" convert back.keras two.h5 --flavour keras2
expect_text err 'the loss is scaled'

# sums over ranks that travel as halves themselves
expect_code 78 timeout 100 mpirun -n 2 "$STRATA" fit job.json -q --set run.dir=null --set run.exact=false --set run.compression=fp16 "${half[@]}"
expect_text err 'gradients of a scaled loss do not fit into the float16'

export STRATA_DEVICE_CLASS=cpu
if ! "$STRATA" devices --json | grep -q '"half": true'; then
    expect_code 69 "$STRATA" fit job.json -q --set run.dir=null "${half[@]}"
    expect_text err 'has no half (cl_khr_fp16); "mixed_bfloat16" and "float32" run on every device'
    expect_code 69 "$STRATA" check job.json "${half[@]}"
fi
