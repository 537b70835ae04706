#!/usr/bin/env bash
# A pretrained base under a new classifier: cut, pooled and frozen; what trains changes, and no bit of anything else.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

ln -s "$SOURCE/tests" tests
job=$SOURCE/launch/jobs/finetune.json
few=(--set 'data.train={"source": "fashion-mnist:train", "limit": 96}'
     --set 'data.validation={"source": "fashion-mnist:test", "limit": 20}' --set fit.batch_size=32)

# fit RANKS DIR OPTION...
fit() {
    expect_code 0 timeout 500 mpirun -n "$1" "$STRATA" fit "$job" -q --set "run.dir=$2" "${few[@]}" "${@:3}"
}

# changed A B: the weights of which some number differs
changed() {
    expect_code 1 "$STRATA" weights "$1/last.keras" --diff "$2/last.keras" --json
    sed -nE '/"differing":0,/d; s/.*"layer":"([^"]*)","name":"([^"]*)".*/\1\/\2/p' out | sort >changed
}

fit 1 before --set fit.epochs=0
for ranks in 1 2; do
    fit "$ranks" "head$ranks" --set fit.epochs=2
    changed before "head$ranks"
    [ "$(cat changed)" = "$(printf '%s\n' hidden/bias hidden/kernel logits/bias logits/kernel)" ] || {
        cat changed >&2
        fail "$ranks ranks: not the head alone was changed"
    }
done
paste -d ' ' <(cut -d, -f2,4 head1/history.csv) <(cut -d, -f2,4 head2/history.csv) | tail -n +2 | tr , ' ' |
    while read -r loss val loss2 val2; do
        expect_number "($loss - $loss2)^2 < 1e-8 && ($val - $val2)^2 < 1e-8"
    done

# ---- what is frozen is computed once: in memory, in a file, not at all; the same weights but for roundings ----

fit 1 none --set fit.epochs=3 --set run.cache_frozen=false
for ranks in 1 2; do
    for budget in 1024 0; do
        expect_code 0 timeout 500 mpirun -n "$ranks" "$STRATA" fit "$job" --progress line --set run.dir=cached "${few[@]}" \
            --set fit.epochs=3 --set "run.cache_budget=$budget"
        [ "$budget" -eq 0 ] && place='a file' || place=memory
        expect_text err "frozen up to global_average_pooling2d: its outputs for 116 samples, 0.1 MiB, are computed once and kept in $place"
        "$STRATA" weights none/last.keras --diff cached/last.keras --json >out || true
        expect_number "$(sed -nE 's/.*"largest":([-+0-9.eE]+).*/\1/p' out | sort -g | tail -n 1) < 1e-4"
        [ -z "$(find cached -name 'frozen-*')" ] || fail 'the cache was left behind'
    done
done
