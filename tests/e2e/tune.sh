#!/usr/bin/env bash
# strata tune: what is chosen is kept, and serves the runs that follow, alike on all ranks with devices of one type.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

# a tuning file of its own, and the kernels of the other tests
mkdir cache
ln -s "$BUILD/cache/kernels" cache/kernels
export STRATA_CACHE_DIR=$PWD/cache
file=$STRATA_CACHE_DIR/tuning.json

cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}}, {"Conv2D": {"filters": 5, "kernel_size": 5, "strides": 3, "activation": "relu"}},
             {"Flatten": {}}, {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 90}, "validation": {"source": "fashion-mnist:test", "limit": 40}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit":     {"batch_size": 40, "epochs": 2, "seed": 3},
  "run":     {"dir": null, "balance": "equal"} }
JSON

# fit RANKS OPTION...: what it printed last is in fit-out
fit() {
    expect_code 0 timeout 250 mpirun -n "$1" "$STRATA" fit job.json --json --profile "${@:2}"
    cp out fit-out
    cp err fit-err
}
# lines BOOLEAN: how many products and convolutions of the last fit were tuned, or not
lines() {
    grep '"event":"profile"' fit-out | grep -E '"operation":"(gemm|conv2d)' | grep -c "\"tuned\":$1" || true
}
loss() { number fit-out loss; }

fit 1
untuned=$(loss)
[ "$(lines true)" -eq 0 ] || fail 'tuned, though nobody asked for it'
[ ! -e "$file" ] || fail 'a run has measured'

# ---- choosing ----

expect_code 0 timeout 600 "$STRATA" tune job.json --seconds 300 --json
cp out tuned
[ "$(number tuned unmeasured)" = 0 ] || fail 'not all was measured'
expect_text tuned '"operation":"conv2d kernel gradient"'
expect_text tuned '"shape":"40x28x28x1 5x5 40x8x8x5 strides 3x3"'
expect_text tuned '"shape":"10x28x28x1 5x5 10x8x8x5 strides 3x3"'
expect_text tuned "\"file\":\"$file\""
if grep -E '"outcome":"(wrong|failed)"' tuned; then fail 'an implementation is wrong'; fi
chosen=$(grep -c '"chosen":true' tuned)
[ "$chosen" -eq "$(number tuned ops)" ] || fail 'not one choice an op'

fit 1
[ "$(lines true)" -gt 3 ] || fail 'the choices do not serve'
[ "$(lines false)" -eq 0 ] || fail 'an op of the job has no choice'
# float32 rounding, over three steps
expect_number "$(loss) - $untuned < 1e-4 && $untuned - $(loss) < 1e-4"
cp fit-out first
fit 1
[ "$(grep '"event":"epoch"' fit-out | sed 's/,"seconds.*//')" = "$(grep '"event":"epoch"' first | sed 's/,"seconds.*//')" ] ||
    fail 'a second run differs'

# the table, and what does not use the choices
expect_code 0 "$STRATA" tune job.json --seconds 0.001
expect_text out 'not measured'
expect_text out 'give more with --seconds'
expect_code 0 timeout 100 "$STRATA" fit job.json --json --profile --set run.exact=true
cp out fit-out
[ "$(lines true)" -eq 0 ] || fail 'an exact run uses choices, which depend on shares'
expect_code 78 "$STRATA" tune job.json --set run.exact=true
expect_text err 'exact'

# ---- ranks ----

expect_code 0 timeout 600 mpirun -n 2 "$STRATA" tune job.json --seconds 300 --json
expect_text out '"shape":"20x28x28x1 5x5 20x8x8x5 strides 3x3"'
# only rank 0 has the file; the implementation of every step on rank 1 is in the time line
mkdir empty
both() {
    expect_code 0 timeout 250 mpirun -n 1 env STRATA_CACHE_DIR="$1" "$STRATA" fit job.json --json --trace trace.json : \
        -n 1 env "${@:2}" "$STRATA" fit job.json --json --trace trace.json
}
tuned_on() { grep "\"pid\":$1," trace.json | grep -c '"tuned":true' || true; }
both "$STRATA_CACHE_DIR" STRATA_CACHE_DIR="$PWD/empty"
[ "$(tuned_on 0)" -gt 10 ] && [ "$(tuned_on 1)" -eq "$(tuned_on 0)" ] || fail "tuned: $(tuned_on 0) and $(tuned_on 1)"
both "$PWD/empty" STRATA_CACHE_DIR="$STRATA_CACHE_DIR"
[ "$(tuned_on 0)" -eq 0 ] && [ "$(tuned_on 1)" -eq 0 ] || fail 'rank 1 does not do as rank 0'
# a device of another type goes by a file of its own
both "$STRATA_CACHE_DIR" STRATA_CACHE_DIR="$PWD/empty" STRATA_DEVICE_CLASS=gpu
[ "$(tuned_on 0)" -gt 10 ] && [ "$(tuned_on 1)" -eq 0 ] || fail 'choices of another type of device'

# ---- a file that cannot be believed ----

cp "$file" good
for damage in 's/tiled/tilde/' 's/"strata_tuning": 1/"strata_tuning": 7/' '1,3d'; do
    sed "$damage" good >"$file"
    fit 1
    expect_text fit-err "$file"
    expect_text fit-err 'is ignored'
    [ "$(lines true)" -eq 0 ] || fail "used in spite of $damage"
done
