#!/usr/bin/env bash
# One rank holds something else than the others: all end at once, and the message names the rank and what differs.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # see dist.sh

mkdir ours theirs
cat >ours/job.json <<'END'
{ "model": [ {"Input": {"shape": [12]}}, {"Dense": {"units": 7, "activation": "tanh", "name": "body"}}, {"Dense": {"units": 3, "name": "head"}} ],
  "weights": {"file": "base.weights.h5"},
  "trainable": [["body", true]],
  "data":    {"train": "data.csv"},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}, "metrics": ["accuracy"]},
  "fit":     {"batch_size": 4, "epochs": 2, "seed": 3, "shuffle": true},
  "run":     {"dir": null} }
END

# rows FACTOR COUNT
rows() {
    awk -v f="$1" -v n="$2" 'BEGIN {
        for (c = 0; c < 12; c++) printf "x%d,", c
        print "label"
        for (r = 0; r < n; r++) { for (c = 0; c < 12; c++) printf "%.4f,", f * ((r * 7 + c * 5) % 11) / 11; print r % 3 }
    }'
}

rows 1 40 >ours/data.csv
(cd ours && "$STRATA" fit job.json -q --progress none --set weights=null --set run.dir=made --set run.checkpoint=null)
"$STRATA" convert ours/made/last.keras ours/base.weights.h5

# differ CODE TEXT WHAT: a fresh folder for the second rank is made different by `change`; both ranks end
kinds=0
differ() {
    local code=0 begin=$SECONDS
    timeout -s KILL 60 mpirun -n 1 -wdir "$PWD/ours" "$STRATA" fit job.json --progress none \
        : -n 1 -wdir "$PWD/theirs" "$STRATA" fit job.json --progress none "${options[@]}" >out 2>err || code=$?
    [ "$code" -eq "$1" ] || { cat err >&2; fail "$3: exit code $code instead of $1"; }
    grep -qE "$2" err || { cat err >&2; fail "$3: not in err: $2"; }
    grep -q 'rank [01] on ' err || { cat err >&2; fail "$3: no rank is named"; }
    [ $((SECONDS - begin)) -le 20 ] || fail "$3: it took $((SECONDS - begin)) s"
    kinds=$((kinds + 1))
    renew
}

renew() {
    rm -rf theirs
    cp -r ours theirs
    options=()
}

set_option() { options=(--set "$@"); }

renew
expect_code 0 mpirun -n 1 -wdir "$PWD/ours" "$STRATA" fit job.json --progress none \
    : -n 1 -wdir "$PWD/theirs" "$STRATA" fit job.json --progress none

set_option model.1.Dense.activation=relu
differ 77 'the same model config' 'the model'
set_option 'trainable=[["body", false]]'
differ 77 'the same (model config|trainable flags)' 'what trains'
set_option compile.optimizer=sgd
differ 77 'the same compile config' 'the optimizer'
set_option 'compile.metrics=[]'
differ 77 'the same compile config' 'the metrics'
set_option fit.seed=4
differ 77 'the same seed' 'the seed'
set_option fit.batch_size=8
differ 77 'the same batch size' 'the batch'
set_option fit.accumulate=2
differ 77 'the same fit.accumulate' 'the accumulation'
set_option run.exact=true
differ 77 'the same run.exact' 'exactness'
options=(--resume --set run.dir=made)
differ 77 'the same setting of resume' 'resuming'
set_option 'run.checkpoint={"every_steps": 3}'
differ 77 'the same job' 'what is saved'

rows 1 39 >theirs/data.csv
differ 77 'the same training data' 'the size of the data'
rows 1.5 40 >theirs/data.csv
differ 77 'the same training data' 'the content of the data'
(cd theirs && "$STRATA" fit job.json -q --progress none --set weights=null --set run.dir=other --set run.checkpoint=null --set fit.seed=9)
"$STRATA" convert theirs/other/last.keras theirs/base.weights.h5
differ 77 'the same weights' 'the weights'
rm theirs/data.csv
differ 65 'data.csv' 'a missing file'
printf 'x' | dd of=theirs/base.weights.h5 bs=1 seek=1 conv=notrunc status=none
differ 65 'base.weights.h5' 'a damaged file'
options=(--devices nothing-of-that-name)
differ 69 'nothing-of-that-name' 'a missing device'
echo "$kinds kinds"
