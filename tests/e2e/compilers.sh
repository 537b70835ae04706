#!/usr/bin/env bash
# Processes that compile kernels at a start without a cache change no bit of what is trained: when there are none, when they do it,
# when they are killed at it, and when two ranks compile in one cache. They end with the process for which they compile.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}}, {"MaxPooling2D": {}}, {"Flatten": {}}, {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 96}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit":     {"batch_size": 32, "epochs": 1, "seed": 3}, "run": {"exact": true} }
JSON

# fresh NAME COMPILERS: no kernel is in any cache
fresh() {
    export STRATA_CACHE_DIR="$PWD/$1/strata" POCL_CACHE_DIR="$PWD/$1/pocl" STRATA_COMPILERS=$2
    mkdir -p "$POCL_CACHE_DIR"
}

# same DIR: no bit differs from the run without them
same() {
    expect_code 0 "$STRATA" weights none/run/last.keras --diff "$1/run/last.keras"
    expect_text out 'no bit differs'
}

# ours: of the processes that compile, those with this cache, in $found
ours() {
    found=()
    for process in $(pgrep -f "^strata compile-kernels" || true); do
        ! grep -qzx "STRATA_CACHE_DIR=$STRATA_CACHE_DIR" "/proc/$process/environ" 2>/dev/null || found+=("$process")
    done
}

# watched DIR [kill]: the run has processes that compile, which are killed as they are seen
watched() {
    local seen=0 pid
    timeout 200 "$STRATA" fit job.json --set "run.dir=$1/run" --progress none 2>err &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        ours
        for process in "${found[@]}"; do
            seen=1
            [ "${2-}" != kill ] || kill -9 "$process" 2>/dev/null || true
        done
        sleep 0.02
    done
    wait "$pid" || { cat err >&2; fail "$1: the run failed"; }
    echo "$seen" >seen
}

fresh none 0
watched none
expect_text seen 0

"$STRATA" devices --json | grep -q '"platform": *"Portable Computing Language"' || exit 0
fresh helped 2
watched helped
expect_text seen 1
same helped

fresh killed 2
watched killed kill
expect_text seen 1
same killed

fresh orphans 2
"$STRATA" fit job.json --set run.dir=orphans/run --progress none >/dev/null 2>&1 &
pid=$!
for _ in {1..1000}; do
    ours
    [ ${#found[@]} -eq 0 ] || break
    sleep 0.02
done
[ ${#found[@]} -gt 0 ] || fail 'no process compiles'
sleep 0.3 # they are at it
kill -9 $pid
sleep 0.3
ours
[ ${#found[@]} -eq 0 ] || fail "${#found[@]} processes compile for one that is gone"

# a second start finds what the first compiled
fresh helped 2
watched helped
expect_text seen 0

fresh ranks 2
expect_code 0 timeout 250 mpirun -n 2 "$STRATA" fit job.json --set run.dir=ranks/run --progress none
same ranks
expect_code 0 "$STRATA" compile-kernels </dev/null
[ ! -s out ] || fail "it printed something"

expect_code 64 env STRATA_COMPILERS=many "$STRATA" fit job.json
expect_text err 'STRATA_COMPILERS is "many"; how many processes is expected, 0 to 1000'
