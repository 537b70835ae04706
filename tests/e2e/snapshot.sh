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
