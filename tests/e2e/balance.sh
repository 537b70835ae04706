#!/usr/bin/env bash
# Ranks of different speeds (STRATA_SLOW: their samples take given times, far above those of the computing): shares follow, work is given away and taken back, and the result
# stays that of one rank.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

export STRATA_CACHE_DIR=$PWD/cache
mkdir -p cache
[ ! -d "$BUILD/cache/kernels" ] || ln -s "$BUILD/cache/kernels" cache/kernels

cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}},
             {"Conv2D": {"filters": 16, "kernel_size": 5, "activation": "tanh"}}, {"MaxPooling2D": {}},
             {"Conv2D": {"filters": 16, "kernel_size": 3, "activation": "tanh"}},
             {"Flatten": {}}, {"Dropout": {"rate": 0.2}}, {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 6000}},
  "compile": {"optimizer": {"SGD": {"learning_rate": 0.05}}, "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit":     {"batch_size": 200, "epochs": 1, "seed": 3},
  "run":     {"dir": "run"} }
JSON

fit() {
    expect_code 0 timeout 250 mpirun -n "$1" "$STRATA" fit job.json --json --set "run.dir=$2" "${@:3}"
}

# samples DIR RANK [LINE]: what the rank has after the last change, or that of a line counted from the end
samples() {
    grep '"event": "balance"' "$1/log.jsonl" | tail -n "${3:-1}" | head -n 1 \
        | sed -E 's/.*"samples": \[([0-9, ]*)\].*/\1/' | cut -d, -f$(($2 + 1))
}

same_weights() {
    "$STRATA" weights one/last.keras --diff "$1/last.keras" --json >differences || true
    expect_number "$(sed -nE 's/.*"largest": *([-+0-9.eE]+).*/\1/p' differences | sort -g | tail -n 1) <= 1e-4"
}

fit 1 one

# ---- 1:2:3:4 ----

STRATA_SLOW=0:4ms,1:2ms,2:1.333ms,3:1ms fit 4 four
for rank in 0 1 2 3; do
    expect_number "$(samples four $rank) >= 20 * ($rank + 1) * 0.8 && $(samples four $rank) <= 20 * ($rank + 1) * 1.25"
done
expect_text four/log.jsonl '"event": "ranks"'
same_weights four

# what was learned is where the next run begins
[ "$(find cache/ratings -type f | wc -l)" -ge 2 ] || fail "no ratings are kept"
STRATA_SLOW=0:4ms,1:2ms,2:1.333ms,3:1ms fit 4 rated --set fit.steps_per_epoch=2
first=$(sed -nE '/"event": "ranks"/s/.*"samples": ([0-9]+)\}\].*/\1/p' rated/log.jsonl)
expect_number "$first >= 60"

# ---- slow in between ----

# rank 0 is the faster one but for 16 steps, where it has half the other's speed: it gives work away, and takes it back
STRATA_SLOW=0:4ms@9-24,1:2ms fit 2 between --set fit.epochs=2 --set 'data.train.limit=6000'
grep '"event": "balance"' between/log.jsonl >changes || fail "a rank that slows keeps its work"
expect_number "$(sed -nE 's/.*"samples": \[([0-9]+),.*/\1/p' changes | sort -n | head -n 1) < 85"
expect_number "$(samples between 0) > 115"

# ---- equal, and given shares ----

STRATA_SLOW=0:4 fit 2 equal --set run.balance=equal
grep -q '"event": "balance"' equal/log.jsonl && fail "equal shares change"
same_weights equal
fit 3 given --set 'run.balance=[1, 2, 2]'
grep -q '"samples": 40}' given/log.jsonl || fail "the shares are not those given"
same_weights given
expect_code 78 timeout 100 mpirun -n 2 "$STRATA" fit job.json --set run.dir=null --set 'run.balance=[1, 2, 2]'
expect_text err 'balance is a list of 3 shares; there are 2 ranks'
