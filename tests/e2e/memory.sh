#!/usr/bin/env bash
# --max-memory: what does not fit runs in parts, with the result of the whole; what cannot fit is said, on all ranks.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

# batches of 200 and a last one of 1; a step's activations are some 8 MiB, weights and what hangs on them 2 MiB
cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}},
             {"Conv2D": {"filters": 8, "kernel_size": 3, "activation": "tanh", "kernel_regularizer": "l2"}},
             {"MaxPooling2D": {}}, {"Flatten": {}}, {"Dropout": {"rate": 0.25}}, {"Dense": {"units": 60, "activation": "tanh"}},
             {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 401}, "validation": {"source": "fashion-mnist:test", "limit": 150}},
  "compile": {"optimizer": {"Adam": {"learning_rate": 0.01, "global_clipnorm": 1.0}},
              "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}, "metrics": ["accuracy"]},
  "fit":     {"batch_size": 200, "epochs": 2, "seed": 3},
  "run":     {"dir": "run", "balance": "equal"} }
JSON

largest() {
    sed -nE "s/.*\"$2\": *([-+0-9.eE]+).*/\\1/p" "$1" | sort -g | tail -n 1
}
# same DIR: it trained the weights of the run without a limit
same() {
    "$STRATA" weights whole/last.keras --diff "$1/last.keras" --json >differences || true
    expect_number "$(largest differences largest) <= 1e-5 * $(largest weights max)"
    for epoch in 2 3; do
        one=$(sed -n ${epoch}p whole/history.csv | cut -d, -f2) other=$(sed -n ${epoch}p "$1/history.csv" | cut -d, -f2)
        expect_number "$one - $other < 1e-5 && $other - $one < 1e-5"
    done
}
# planned LIMIT: what the line in err plans for is within the limit in MiB, and batches are divided; RANK 0 by default
planned() {
    local -r line=$(grep -o "rank ${2:-0}: .*" err | head -n 1)
    expect_number "$(sed -E 's/.* in ([0-9.]+) MiB of device memory.*/\1/' <<<"$line") <= $1"
    expect_number "$(sed -E 's/.*: ([0-9]+) samples of a batch, ([0-9]+) at once.*/\2 < \1/' <<<"$line")"
}

expect_code 0 "$STRATA" fit job.json --set run.dir=whole
"$STRATA" weights whole/last.keras --json >weights
if grep -q 'at once' err; then fail 'a limit that nobody set'; fi

expect_code 0 "$STRATA" fit job.json --set run.dir=one --max-memory 4MiB
planned 4
same one
expect_code 0 "$STRATA" fit job.json --set run.dir=wide --max-memory 1GiB
expect_text err '200 samples of a batch, 200 at once'
cmp <(cut -d, -f1-3 whole/history.csv) <(cut -d, -f1-3 wide/history.csv) || fail 'a limit that is wide enough changes the result'
# the job's own, and ranks with limits of their own
expect_code 0 timeout 250 mpirun -n 2 "$STRATA" fit job.json --set run.dir=two --set 'run.max_memory="3.5MiB"'
planned 3.5
planned 3.5 1
same two
expect_code 0 timeout 250 mpirun -n 1 "$STRATA" fit job.json --set run.dir=unlike --max-memory 3.5MiB : \
    -n 1 "$STRATA" fit job.json --set run.dir=unlike
planned 3.5
if grep -q 'rank 1: .* at once' err; then fail 'rank 1 has no limit'; fi
same unlike

# ---- looking ----

for verb in evaluate 'predict -o whole.npy'; do
    # shellcheck disable=SC2086
    expect_code 0 "$STRATA" $verb whole/last.keras --data fashion-mnist:test --limit 501 --batch-size 500 --json
    cp out "${verb%% *}"
done
expect_code 0 "$STRATA" evaluate whole/last.keras --data fashion-mnist:test --limit 501 --batch-size 500 --max-memory 2MiB
planned 2
expect_code 0 "$STRATA" evaluate whole/last.keras --data fashion-mnist:test --limit 501 --batch-size 500 --max-memory 2MiB --json
expect_number "$(number out loss) - $(number evaluate loss) < 1e-5 && $(number evaluate loss) - $(number out loss) < 1e-5"
expect_number "$(number out accuracy) == $(number evaluate accuracy)"
expect_code 0 timeout 100 mpirun -n 2 "$STRATA" predict whole/last.keras --data fashion-mnist:test --limit 501 --batch-size 500 \
    --max-memory 2MiB -o parts.npy
planned 2
[ "$(stat -c %s parts.npy)" -eq "$(stat -c %s whole.npy)" ] || fail 'not as many predictions'
# float32 numbers after the header of 128 bytes
values() { od -An -v -tf4 -w4 -j128 "$1"; }
paste <(values whole.npy) <(values parts.npy) | awk '{ d = $1 - $2; if (d > 1e-4 || d < -1e-4) exit 1 }' || fail 'other predictions'

# ---- what cannot be ----

expect_code 71 "$STRATA" fit job.json --set run.dir=null --max-memory 1MiB
expect_text err 'the limit of device memory is 1.00 MiB; with 1 sample at once at least '
expect_code 71 timeout 60 mpirun -n 2 "$STRATA" fit job.json --set run.dir=null --max-memory 1MiB
expect_text err 'with 1 sample at once at least '
expect_code 71 timeout 60 mpirun -n 1 "$STRATA" fit job.json --set run.dir=null : -n 1 "$STRATA" fit job.json --set run.dir=null --max-memory 1MiB
expect_text err 'rank 1 on '
expect_code 71 "$STRATA" evaluate whole/last.keras --data fashion-mnist:test --limit 501 --max-memory 64KiB
expect_text err 'at least '
expect_code 64 "$STRATA" fit job.json --max-memory much
expect_text err 'a size such as 2GiB'
expect_code 78 "$STRATA" fit job.json --set run.max_memory=-1
expect_text err 'run.max_memory is -1; a size such as'
expect_code 78 "$STRATA" fit job.json --set run.dir=null --max-memory 4MiB --set 'model.4={"BatchNormalization": {"synchronized": true}}'
expect_text err 'cannot be synchronized'
# an exact run's grains are not divided: they fit, or do not
expect_code 0 "$STRATA" fit job.json --set run.exact=true --set run.dir=exact
expect_code 0 "$STRATA" fit job.json --set run.exact=true --set run.dir=limited --max-memory 8MiB
cmp <(cut -d, -f1-3 exact/history.csv) <(cut -d, -f1-3 limited/history.csv) || fail 'a limit changes the bits of an exact run'
expect_code 71 "$STRATA" fit job.json --set run.exact=true --set run.dir=null --max-memory 3MiB
expect_text err 'with 16 samples at once'
