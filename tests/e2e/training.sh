#!/usr/bin/env bash
# fit, evaluate, predict and extract: what they print and leave, alone and over ranks; a run that goes on.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

# 96 points of four classes by quadrant
awk 'BEGIN { print "x,y,label"; for (i = 0; i < 96; i++) { a = i * 0.9; r = 0.5 + (i % 7) / 7; x = r * cos(a); y = r * sin(a)
    printf "%.4f,%.4f,%d\n", x, y, (x > 0) + 2 * (y > 0) } }' >points.csv
cat >job.json <<'END'
{ "# what": "quadrants",
  "model": [ {"Input": {"shape": [2]}}, {"Dense": {"units": 16, "activation": "tanh", "name": "hidden"}},
             {"Dropout": {"rate": 0.1}}, {"Dense": {"units": 4, "name": "logits"}} ],
  "data": {"train": "points.csv", "validation": "points.csv"},
  "compile": {"optimizer": {"Adam": {"learning_rate": 0.05}},
              "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}, "metrics": ["accuracy"]},
  "fit": {"batch_size": 10, "epochs": 6, "seed": 3},
  "run": {"dir": "run", "checkpoint": {"every_epochs": 1, "keep": 2}} }
END

# ---- a run ----

expect_code 0 "$STRATA" fit job.json
expect_text err 'Epoch 6/6 - 10/10 - '
expect_text err ' - val_accuracy: '
expect_text err 'the run is in run'
[ ! -s out ] || fail 'messages on stdout'
for file in job.json log.jsonl history.csv curves.svg last.keras; do
    [ -s run/$file ] || fail "no run/$file"
done
expect_text run/job.json '"# what": "quadrants"'
[ "$(wc -l <run/history.csv)" -eq 7 ] || fail 'history.csv has not a line an epoch'
[ "$(ls run/checkpoints)" = "$(printf 'step-50.keras\nstep-60.keras')" ] || fail "checkpoints: $(ls run/checkpoints)"

# the same again, as events
expect_code 0 "$STRATA" fit job.json --json --set run.dir=again
[ ! -s err ] || { cat err >&2; fail '--json printed messages'; }
[ "$(grep -c '"event":"epoch"' out)" -eq 6 ] || fail 'not an event an epoch'
for key in epoch steps loss accuracy val_loss val_accuracy seconds samples_per_second; do
    head -n 1 out | grep -q "\"$key\":" || fail "no $key in the first event"
done
tail -n 1 out | grep -q '^{"event":"end"' || fail 'no event at the end'
expect_number "$(number out accuracy) > 0.8"
expect_code 0 "$STRATA" weights run/last.keras --diff again/last.keras
expect_text out 'no bit differs'

# other seeds, other weights
expect_code 0 "$STRATA" fit job.json -q --seed 4 --set run.dir=other
[ ! -s err ] || { cat err >&2; fail '--quiet printed messages'; }
expect_code 1 "$STRATA" weights run/last.keras --diff other/last.keras
expect_text out 'numbers differ'

# ---- what the model does ----

expect_code 0 "$STRATA" evaluate run --data points.csv --json
accuracy=$(number out accuracy)
expect_number "$accuracy > 0.8"
expect_code 0 "$STRATA" evaluate run/last.keras --data points.csv --report
expect_text out "accuracy: $(printf %.4f "$accuracy")"
expect_text out 'precision  recall'
expect_text out 'rows: the true class'
expect_code 0 mpirun -n 2 "$STRATA" evaluate run/last.keras --data points.csv --json --batch-size 7
[ "$(wc -l <out)" -eq 1 ] || fail 'two ranks print two results'
expect_number "$(number out accuracy) - $accuracy < 1e-9 && $accuracy - $(number out accuracy) < 1e-9"

expect_code 0 "$STRATA" predict run/last.keras --data points.csv -o one.csv
[ "$(wc -l <one.csv)" -eq 97 ] || fail 'not a row a sample'
expect_code 0 mpirun -n 3 "$STRATA" predict run/last.keras --data points.csv --batch-size 10 -o three.csv
paste -d, one.csv three.csv | awk -F, 'NR > 1 { for (j = 1; j <= 4; j++) { d = $j - $(j + 4); if (d > 1e-5 || d < -1e-5) exit 1 } }' ||
    fail 'three ranks predict otherwise than one'
expect_code 0 "$STRATA" predict run/last.keras --data points.csv --limit 3
[ "$(wc -l <out)" -eq 3 ] || fail 'not three rows'
expect_code 0 "$STRATA" predict run/last.keras --data points.csv -o out.npy
[ "$(stat -c %s out.npy)" -eq $((128 + 96 * 4 * 4)) ] || fail 'out.npy has the wrong size'

expect_code 0 "$STRATA" extract run/last.keras --layers all --data points.csv -o all.h5
expect_code 0 "$STRATA" extract run/last.keras --layers hidden --data points.csv -o hidden.csv
[ "$(head -n 2 hidden.csv | tail -n 1 | tr , '\n' | wc -l)" -eq 16 ] || fail 'hidden has not 16 outputs'
expect_code 0 "$STRATA" extract run/last.keras --layers logits --data points.csv -o logits.csv
cmp logits.csv one.csv || fail 'the last layer is not the prediction'
expect_code 78 "$STRATA" extract run/last.keras --layers hiden --data points.csv -o x.h5
expect_text err 'hiden'
expect_code 64 "$STRATA" extract run/last.keras --layers all --data points.csv -o x.csv

# ---- stop and go on ----

expect_code 0 "$STRATA" fit job.json -q --set run.dir=half --set fit.epochs=3
expect_code 0 "$STRATA" fit job.json -q --set run.dir=half --resume
expect_code 0 "$STRATA" weights run/last.keras --diff half/last.keras
expect_text out 'no bit differs'
cmp run/history.csv half/history.csv || fail 'the history does not go on'
expect_code 0 "$STRATA" fit job.json --set run.dir=half --resume
expect_text err 'nothing left to train'

# ---- over ranks ----

for n in 2 3; do
    expect_code 0 mpirun -n $n "$STRATA" fit job.json --json --set run.dir=ranks-$n
    [ "$(grep -c '"event":"epoch"' out)" -eq 6 ] || fail "$n ranks: not an event an epoch"
    # dropout and order are those of one rank; what is left is the order of sums
    paste -d, <(cut -d, -f2- run/history.csv) <(cut -d, -f2- ranks-$n/history.csv) |
        awk -F, 'NR > 1 { for (j = 1; j <= 4; j++) { d = $j - $(j + 4); if (d > 1e-3 || d < -1e-3) exit 1 } }' ||
        fail "$n ranks train otherwise than one"
done
