#!/usr/bin/env bash
# Ranks of equal speeds, whose samples take a given time: to measure them and to be ready to move work costs at most 1 %, in the best
# of several runs by turns with and without. TURNS: how many.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

export STRATA_CACHE_DIR=$PWD/cache # no ratings of earlier runs
mkdir -p cache
[ ! -d "$BUILD/cache/kernels" ] || ln -s "$BUILD/cache/kernels" cache/kernels

cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}}, {"MaxPooling2D": {}}, {"Flatten": {}}, {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 4000}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit":     {"batch_size": 200, "epochs": 2, "seed": 3} }
JSON

# seconds RANKS BALANCE: of the second epoch, in $now
seconds() {
    local slow=0:$((2 * $1))ms
    for ((rank = 1; rank < $1; rank++)); do slow+=,$rank:$((2 * $1))ms; done
    STRATA_SLOW=$slow expect_code 0 mpirun -n "$1" "$STRATA" fit job.json --json --progress none --set "run.balance=\"$2\""
    now=$(grep '"epoch":2' out >second && number second seconds)
}

for ranks in 2 4; do
    auto=1e9 equal=1e9
    for ((turn = 0; turn < ${TURNS:-3}; turn++)); do
        seconds $ranks equal
        equal=$(awk "BEGIN { print ($now < $equal) ? $now : $equal }")
        rm -rf cache/ratings
        seconds $ranks auto
        auto=$(awk "BEGIN { print ($now < $auto) ? $now : $auto }")
    done
    echo "$ranks ranks: $equal s of equal shares, $auto s of measured ones"
    expect_number "$auto <= 1.01 * $equal"
done
