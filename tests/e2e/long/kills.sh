#!/usr/bin/env bash
# Ranks that are killed at random moments: the job is gone in 5 s, trains again in 10 s, and ends with the bits of one to which nothing
# happened. KILLS: how many.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

RANDOM=${SEED:-5}
kills=${KILLS:-100}

cat >job.json <<'END'
{ "model": [ {"Input": {"shape": [28, 28, 1]}},
             {"Conv2D": {"filters": 4, "kernel_size": 3, "activation": "relu"}}, {"MaxPooling2D": {}},
             {"BatchNormalization": {}}, {"Flatten": {}}, {"Dropout": {"rate": 0.25}}, {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 3000}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}, "metrics": ["accuracy"]},
  "fit":     {"batch_size": 8, "epochs": 12, "seed": 3},
  "run":     {"dir": "whole", "checkpoint": {"every_steps": 20}} }
END

fit() { exec timeout 300 mpirun -n 2 "$STRATA" fit job.json --progress line "$@"; }

same_as_whole() {
    for file in last.keras best.keras; do
        expect_code 0 "$STRATA" weights whole/$file --diff broken/$file
        expect_text out 'no bit differs'
    done
    cut -d, -f1-3 whole/history.csv | diff - <(cut -d, -f1-3 broken/history.csv) || fail 'the histories differ'
    [ -z "$(find broken -name '*.part-*')" ] || fail "files are left aside: $(find broken -name '*.part-*')"
}

(expect_code 0 fit)

hits=0 slowest_end=0 slowest_start=0
while [ $hits -lt "$kills" ]; do
    begin=$SECONDS
    : >log # what the one before said is not this one's
    fit --set run.dir=broken --resume >log 2>&1 &
    job=$!
    until grep -q 'Epoch [0-9]*/' log || ! kill -0 $job 2>/dev/null; do sleep 0.05; done
    start=$((SECONDS - begin))
    [ $start -le 10 ] || fail "it took $start s to train again"
    [ $start -le $slowest_start ] || slowest_start=$start
    sleep "$(printf '0.%03d' $((RANDOM % 1000)))"
    mpirun=$(pgrep -P $job || true)
    mapfile -t ranks < <([ -z "$mpirun" ] || pgrep -P "$mpirun" | sort -n)
    begin=$SECONDS
    [ ${#ranks[@]} -ne 2 ] || kill -9 "${ranks[RANDOM % 2]}" 2>/dev/null || true
    status=0
    wait $job || status=$?
    if [ $status -eq 0 ]; then
        same_as_whole
        rm -rf broken
        continue
    fi
    hits=$((hits + 1))
    while kill -0 "${ranks[@]}" 2>/dev/null; do
        [ $((SECONDS - begin)) -le 5 ] || fail 'a rank is left after 5 s'
        sleep 0.05
    done
    [ $((SECONDS - begin)) -le $slowest_end ] || slowest_end=$((SECONDS - begin))
    ! grep -q 'passed over' log || { cat log; fail 'a checkpoint is damaged'; }
done
(expect_code 0 fit --set run.dir=broken --resume)
same_as_whole
echo "$hits kills; gone in $slowest_end s, training again in $slowest_start s at most"
