#!/usr/bin/env bash
# A checkpoint is the state after the step that it names, though the steps after it are queued before its numbers were read: what goes on from
# any of them ends with the bits of the run that wrote it.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

# weights and slots that take longer to read than a step takes to queue
cat >job.json <<'END'
{ "model": [ {"Input": {"shape": [28, 28, 1]}}, {"Flatten": {}}, {"Dense": {"units": 1000, "activation": "relu"}},
             {"BatchNormalization": {}}, {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 256}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}, "metrics": ["accuracy"]},
  "fit":     {"batch_size": 32, "epochs": 2, "seed": 3},
  "run":     {"dir": "whole", "checkpoint": {"every_steps": 1, "keep": 100}} }
END

for ranks in 1 2; do
    launch=()
    [ $ranks -eq 1 ] || launch=(mpirun -n "$ranks")
    rm -rf whole
    expect_code 0 timeout 200 "${launch[@]}" "$STRATA" fit job.json --json
    for step in 1 2 7 8 15; do
        rm -rf part
        cp -r whole part
        find part/checkpoints -name '*.keras' ! -name "step-$step.keras" -delete
        rm -f part/last.keras
        expect_code 0 timeout 200 "${launch[@]}" "$STRATA" fit job.json --json --set run.dir=part --resume
        expect_code 0 "$STRATA" weights whole/last.keras --diff part/last.keras
        # and the checkpoints that it writes are those of the whole run
        for later in $((step + 1)) 16; do
            expect_code 0 "$STRATA" weights "whole/checkpoints/step-$later.keras" --diff "part/checkpoints/step-$later.keras"
        done
    done
done

# ---- best.keras: the model after the epoch of the least loss, there before the checkpoint that tells which that is ----

sed -e 's/"train": {"source": "fashion-mnist:train", "limit": 256}/&, "validation": {"source": "fashion-mnist:test", "limit": 100}/' \
    -e 's/"adam"/{"Adam": {"learning_rate": 0.03}}/' -e 's/"epochs": 2/"epochs": 7/' \
    -e 's/"checkpoint": .*/"checkpoint": {"keep": 100}} }/' job.json >epochs.json
# best FOLDER: the last step of that epoch
best() {
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "val_loss") column = i; next }
             !least || $column < loss { least = NR - 1; loss = $column } END { print 8 * least }' "$1/history.csv"
}
for options in '' '--set run.checkpoint.on_failure=continue' '--set run.checkpoint.every_epochs=3'; do
    for launch in '' 'mpirun -n 2'; do
        rm -rf epochs
        # shellcheck disable=SC2086
        expect_code 0 timeout 200 $launch "$STRATA" fit epochs.json --set run.dir=epochs $options
        step=$(best epochs)
        expect_number "$step < 56"
        # shellcheck disable=SC2086
        expect_code 0 timeout 200 $launch "$STRATA" fit epochs.json --set run.dir=short --set "fit.epochs=$((step / 8))"
        expect_code 0 "$STRATA" weights short/last.keras --diff epochs/best.keras
        expect_text out 'no bit differs'
        [ ! -e "epochs/checkpoints/step-$step.keras" ] || [ ! epochs/best.keras -nt "epochs/checkpoints/step-$step.keras" ] ||
            fail 'a checkpoint was there before the best model that it tells of'
        rm -rf short
    done
done
# where it cannot be written there is no checkpoint that tells of it
mkdir -p blocked/best.keras
expect_code 65 timeout 200 "$STRATA" fit epochs.json --set run.dir=blocked
expect_text err 'best.keras'
expect_text err 'there is no checkpoint yet'
[ -z "$(ls blocked/checkpoints)" ] || fail "a checkpoint tells of a model that is not there: $(ls blocked/checkpoints)"

# ---- a batch that cannot be read: what was trained before it is saved all the same ----
cp -r "$SOURCE/tests/data/pictures/mixed" pictures
head -c 300 pictures/9/progressive.jpg >'pictures/b c/zz-cut.jpg'
cat >pictures.json <<'END'
{ "model": [ {"Input": {"shape": [11, 9, 3]}}, {"Flatten": {}}, {"Dense": {"units": 3}} ],
  "data":    {"train": {"source": "pictures", "damaged": "stop"}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit":     {"batch_size": 2, "shuffle": false},
  "run":     {"dir": "pictured", "checkpoint": {"every_steps": 1}} }
END
for launch in '' 'mpirun -n 2'; do
    rm -rf pictured
    # shellcheck disable=SC2086
    expect_code 65 timeout 100 $launch "$STRATA" fit pictures.json
    expect_text err 'zz-cut.jpg: damaged JPEG'
    [ -e pictured/checkpoints/step-5.keras ] || fail "of six steps there are: $(ls pictured/checkpoints)" # of eleven pictures
done
