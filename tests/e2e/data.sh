#!/usr/bin/env bash
# Data that does not fit into memory or has to be made: folders of pictures, augmentation, sources read as they are needed.
# For any number of ranks.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

# fit RANKS DIR OPTION...
fit() {
    expect_code 0 timeout 250 mpirun -n "$1" "$STRATA" fit job.json --json --set "run.dir=$2" "${@:3}"
}

# largest FILE KEY: the largest of a number in JSON lines
largest() {
    sed -nE "s/.*\"$2\": *([-+0-9.eE]+).*/\\1/p" "$1" | sort -g | tail -n 1
}

# same_weights A B: the models of two run folders, up to rounding
same_weights() {
    "$STRATA" weights "$1/last.keras" --json >weights
    "$STRATA" weights "$1/last.keras" --diff "$2/last.keras" --json >differences || true
    expect_number "$(largest differences largest) <= 1e-4 * $(largest weights max)"
}

# ---- a folder of pictures, one damaged ----

cp -r "$SOURCE/tests/data/pictures/mixed" pictures
head -c 300 pictures/9/progressive.jpg >pictures/9/cut.jpg
cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [11, 9, 3]}}, {"Rescaling": {"scale": 0.00392}}, {"Conv2D": {"filters": 4, "kernel_size": 3}},
             {"Flatten": {}}, {"Dense": {"units": 3}} ],
  "data":    {"train": {"source": "pictures", "damaged": "skip"}},
  "compile": {"optimizer": {"SGD": {"learning_rate": 0.01}}, "metrics": ["accuracy"],
              "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit":     {"batch_size": 3, "epochs": 4, "seed": 2},
  "run":     {"dir": "run"} }
JSON
fit 1 one
expect_text err "warning: pictures: left out pictures/9/cut.jpg: damaged JPEG: Premature end of JPEG file"
fit 2 two
same_weights one two
expect_code 65 timeout 60 "$STRATA" fit job.json --set data.train.damaged=stop
expect_text err "error: pictures/9/cut.jpg: damaged JPEG"
timeout 60 mpirun -n 2 "$STRATA" fit job.json --set data.train.damaged=stop >out 2>err && fail "a damaged picture was not seen"
expect_text err "pictures/9/cut.jpg: damaged JPEG"
expect_code 0 "$STRATA" evaluate one/last.keras --data '{"source": "pictures", "damaged": "skip"}'

# ---- a gzip file that is damaged where only its checksum tells: nothing is written before that is said ----

images=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz labels=/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz
cp "$images" damaged.gz
printf '\0\0\0\0' | dd of=damaged.gz bs=1 seek=$(($(stat -c %s damaged.gz) - 8)) conv=notrunc status=none
unseen=(--set "data.train=idx:damaged.gz,$labels" --set model.0.Input.shape=[28,28,1] --set run.dir=never)
expect_code 65 timeout 60 "$STRATA" fit job.json "${unseen[@]}"
expect_text err "damaged.gz: damaged: incorrect data check"
timeout 60 mpirun -n 2 "$STRATA" fit job.json "${unseen[@]}" >out 2>err && fail "a damaged file was not seen"
expect_text err "damaged.gz: damaged: incorrect data check"
[ ! -e never ] || fail "a run began on damaged data"

# ---- augmentation ----

cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}}, {"RandomCrop": {"height": 24, "width": 24}}, {"Flatten": {}},
             {"Dropout": {"rate": 0.1}}, {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 301,
                        "augment": {"RandomFlip": {"mode": "horizontal"}, "RandomRotation": {"factor": 0.05},
                                    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1},
                                    "RandomZoom": {"height_factor": 0.1}, "RandomContrast": {"factor": 0.2},
                                    "RandomBrightness": {"factor": 0.1, "value_range": [0, 1]}}}},
  "compile": {"optimizer": {"SGD": {"learning_rate": 0.05}}, "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit":     {"batch_size": 50, "epochs": 3, "seed": 2},
  "run":     {"dir": "run"} }
JSON
fit 1 one
fit 3 three
same_weights one three
fit 1 plain --set data.train.augment=null
"$STRATA" weights one/last.keras --diff plain/last.keras --json >differences || true
expect_number "$(largest differences largest) > 1e-3"
fit 2 streamed --set data.train.memory=0
same_weights one streamed
expect_code 78 "$STRATA" fit job.json --set 'data.train.augment={"Dense": {"units": 3}}'
expect_text err "augment: its layers have weights; put such layers in the model"
expect_code 78 "$STRATA" fit job.json --set 'data.train.augment=[{"CenterCrop": {"height": 9, "width": 9}}]'
expect_text err "augment: its layers change the shape (None, 28, 28, 1) of samples"
expect_code 78 "$STRATA" fit job.json --set 'data.train.augment={"RandomFlop": {}}'
expect_text err "did you mean \"RandomFlip\"?"

# ---- outputs go to their file batch by batch, in the order of samples ----

for ranks in 1 3; do
    for end in h5 npy; do
        layers=flatten
        [ "$end" = h5 ] && layers=all
        expect_code 0 mpirun -n "$ranks" "$STRATA" extract one/last.keras --layers "$layers" --batch-size 50 -o "out$ranks.$end" \
            --data '{"source": "fashion-mnist:test", "limit": 301, "memory": 0}'
    done
done
cmp out1.npy out3.npy # copies of the input: no sum is rounded
expect_code 0 "$STRATA" extract one/last.keras --layers flatten --batch-size 7 -o small.npy \
    --data '{"source": "fashion-mnist:test", "limit": 301}'
cmp out1.npy small.npy
[ "$(stat -c %s out1.h5)" = "$(stat -c %s out3.h5)" ] || fail "the files of one and three ranks differ in size"
expect_code 65 mpirun -n 2 "$STRATA" extract one/last.keras --layers flatten -o nowhere/out.h5 --data fashion-mnist:test
[ -z "$(ls ./*.part-* 2>/dev/null)" ] || fail "something was left aside"
