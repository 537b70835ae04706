#!/usr/bin/env bash
# TensorBoard reads what the callback of that name writes: the same numbers as in history.csv, also of a resumed run.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

peers=$("$SOURCE/launch/peers")

cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}}, {"Flatten": {}}, {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 500}, "validation": {"source": "fashion-mnist:test", "limit": 100}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}, "metrics": ["accuracy"]},
  "fit":     {"batch_size": 50, "epochs": 2, "seed": 3},
  "callbacks": [{"TensorBoard": {"log_dir": "logs"}}],
  "run":     {"dir": "run"} }
JSON
expect_code 0 "$STRATA" fit job.json
expect_code 0 "$STRATA" fit job.json --resume --set fit.epochs=4

# logged FOLDER TAG: the values of a tag, one a line, in the order of their steps
logged() {
    "$peers/bin/python" "$SOURCE/tests/python/read_events.py" "run/logs/$1" 2>noise | grep "^$2," | sort -t, -k2n | cut -d, -f3
}
# column NUMBER: of history.csv
column() {
    tail -n +2 run/history.csv | cut -d, -f"$1"
}
[ "$(column 1 | wc -l)" -eq 4 ] || fail 'history.csv has not four epochs'
# same FOLDER TAG COLUMN: event files hold single precision
same() {
    [ "$(logged "$1" "$2" | wc -l)" -eq 4 ] || fail "not four values of $2 in $1"
    paste <(logged "$1" "$2") <(column "$3") | while read -r event epoch; do
        expect_number "$event - $epoch < 1e-6 && $epoch - $event < 1e-6"
    done
}
same train epoch_loss 2
same train epoch_accuracy 3
same validation epoch_loss 4
same validation epoch_accuracy 5
