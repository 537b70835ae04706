#!/usr/bin/env bash
# Phases: the same as doing them by hand, one after the other; a run that goes on in any of them. Learning rates by layer.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

awk 'BEGIN { print "x,y,label"; for (i = 0; i < 60; i++) { a = i * 0.9; r = 0.5 + (i % 7) / 7; x = r * cos(a); y = r * sin(a)
    printf "%.4f,%.4f,%d\n", x, y, (x > 0) + 2 * (y > 0) } }' >points.csv
cat >job.json <<'END'
{ "model": [ {"Input": {"shape": [2]}}, {"Dense": {"units": 8, "activation": "tanh", "name": "body"}},
             {"Dense": {"units": 4, "name": "head"}} ],
  "data": {"train": "points.csv"},
  "compile": {"optimizer": {"Adam": {"learning_rate": 0.05}}, "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit": {"batch_size": 10, "epochs": 3, "seed": 3},
  "phases": [ {"trainable": [["body", false]]},
              {"trainable": [["body", true]], "compile": {"optimizer": {"SGD": {"learning_rate": 0.01}}, "learning_rate_multipliers": [["body", 0.5]]}, "fit": {"epochs": 2, "batch_size": 20}} ],
  "run": {"dir": "run"} }
END
for ranks in 1 2; do
    rm -rf run
    expect_code 0 mpirun -n "$ranks" "$STRATA" fit job.json
    expect_text err 'phase 1 of 2: epochs 1 to 3'
    expect_text err 'phase 2 of 2: epochs 4 to 5'
    [ "$(cut -d, -f1 run/history.csv | tr '\n' ' ')" = 'epoch 1 2 3 4 5 ' ] || fail 'the history is not that of one run'
    [ "$(ls run/checkpoints)" = "$(printf 'step-18.keras\nstep-21.keras\nstep-24.keras')" ] || fail "checkpoints: $(ls run/checkpoints)"

    # ---- by hand ----
    sed '/"phases"/,/epochs": 2/d' job.json >plain.json
    expect_code 0 mpirun -n "$ranks" "$STRATA" fit plain.json -q --set run.dir=first --set 'trainable=[["body", false]]'
    expect_code 0 mpirun -n "$ranks" "$STRATA" fit plain.json -q --set run.dir=second --set fit.initial_epoch=3 --set fit.epochs=5 \
        --set fit.batch_size=20 --set 'weights="first/last.keras"' --set 'compile.optimizer={"SGD": {"learning_rate": 0.01}}' \
        --set 'compile.learning_rate_multipliers=[["body", 0.5]]'
    expect_code 0 "$STRATA" weights run/last.keras --diff second/last.keras
    expect_text out 'no bit differs'

    # ---- going on: from the last checkpoint of each phase ----
    for step in 18 21; do
        rm -rf part
        cp -r run part
        for file in part/checkpoints/*; do
            [ "$(basename "$file" .keras | cut -d- -f2)" -le "$step" ] || rm "$file"
        done
        expect_code 0 mpirun -n "$ranks" "$STRATA" fit job.json -q --resume --set run.dir=part
        expect_code 0 "$STRATA" weights run/last.keras --diff part/last.keras
        expect_text out 'no bit differs'
        cmp run/history.csv part/history.csv || fail 'the history does not go on'
    done
done

# ---- weights from a file: what became of each, by name ----

other=(--set 'model.2.Dense={"units": 5, "name": "head"}' --set 'weights={"file": "first/last.keras", "by_name": true, "skip_mismatch": true}')
expect_code 0 "$STRATA" check plain.json "${other[@]}"
expect_text err 'first/last.keras: 2 weights loaded, 0 missing, 0 unused, 2 of another shape'
expect_text err 'of another shape head/kernel'
expect_code 0 "$STRATA" fit plain.json --json --set run.dir=other "${other[@]}"
expect_text out '"event":"weights","file":"first/last.keras","report":{"loaded":["body/kernel","body/bias"]'

# ---- learning rates by layer ----

sgd=(--set 'compile.optimizer={"SGD": {"learning_rate": 0.1}}' --set fit.epochs=1)
expect_code 0 "$STRATA" fit plain.json -q "${sgd[@]}" --set run.dir=zero --set 'compile.learning_rate_multipliers=[["body", 0]]'
expect_code 0 "$STRATA" fit plain.json -q "${sgd[@]}" --set run.dir=frozen --set 'trainable=[["body", false]]'
expect_code 0 "$STRATA" weights zero/last.keras --diff frozen/last.keras
expect_text out 'no bit differs'
expect_code 0 "$STRATA" fit plain.json -q "${sgd[@]}" --set run.dir=half --set 'compile.learning_rate_multipliers=[["*", 0.5]]'
expect_code 0 "$STRATA" fit plain.json -q --set 'compile.optimizer={"SGD": {"learning_rate": 0.05}}' --set fit.epochs=1 --set run.dir=small
expect_code 0 "$STRATA" weights half/last.keras --diff small/last.keras
expect_text out 'no bit differs'
expect_code 78 "$STRATA" fit plain.json -q --set 'compile.learning_rate_multipliers=[["bod", 0.5]]'
expect_text err "learning_rate_multipliers[0]: no layer's name is like \"bod\""
expect_code 78 "$STRATA" fit job.json -q --set 'phases.0.trainable=[["bod", true]]'
expect_text err "phases[0]: trainable[0]: no layer's name is like \"bod\""
expect_code 78 "$STRATA" fit job.json -q --set phases.1.model=1
expect_text err 'phases[1]: unknown key "model"'
