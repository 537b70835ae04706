#!/usr/bin/env bash
# Mistakes of users, each on one rank and on two: a clear error, once, with the right exit code, and every rank gone.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

# idx KIND COUNT: an IDX file of COUNT images of 8x8 or labels 0..3 on stdout.
idx() {
    LC_ALL=C awk -v kind="$1" -v n="$2" 'BEGIN {
        printf kind == "images" ? "%c%c\010\003" : "%c%c\010\001", 0, 0
        printf "%c%c%c%c", 0, 0, int(n / 256), n % 256
        if (kind == "images") printf "%c%c%c\010%c%c%c\010", 0, 0, 0, 0, 0, 0
        for (i = 0; i < n; i++)
            if (kind == "labels") printf "%c", i % 4
            else for (j = 0; j < 64; j++) printf "%c", (i % 4 == int(j / 16)) ? 200 : (i * 7 + j * 13) % 50
    }'
}
idx images 40 >images
idx labels 40 >labels
cat >job.json <<'END'
{ "model": [ {"Input": {"shape": [8, 8, 1]}},
             {"Conv2D": {"filters": 4, "kernel_size": 3, "activation": "relu", "name": "conv"}},
             {"Flatten": {}}, {"Dense": {"units": 4, "name": "logits"}} ],
  "data": {"train": "idx:images,labels"},
  "compile": {"optimizer": "sgd", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit": {"batch_size": 10, "seed": 1},
  "run": {"dir": "run"} }
END

# mistake CODE TEXT OPTION...: the job with these options fails so, alone and on two ranks.
mistake() {
    local code=$1 text=$2
    shift 2
    expect_code "$code" timeout 60 "$STRATA" fit job.json "$@"
    expect_text err "$text"
    [ "$(grep -c '^error: ' err)" -eq 1 ] || { cat err >&2; fail 'not one error'; }
    [ ! -s out ] || fail 'an error went to stdout'
    expect_code "$code" timeout 60 mpirun -n 2 "$STRATA" fit job.json "$@"
    expect_text err "$text"
    [ "$(grep -c '^error: ' err)" -eq 1 ] || { cat err >&2; fail 'not one error of two ranks'; }
}

# ---- the job ----

mistake 78 'job.json: fit: unknown key "epoch"; did you mean "epochs"?' --set fit.epoch=1
mistake 78 'job.json: unknown key "modle"; did you mean "model"?' --set modle=x
mistake 78 'job.json: compile.optimizer: unknown name "Adm"; did you mean "Adam"?' --set compile.optimizer=Adm
mistake 78 'job.json: compile.loss: unknown name "mean_square"' --set compile.loss=mean_square
mistake 78 'job.json: fit.batch_size is 0; it must be at least 1' --set fit.batch_size=0
mistake 78 'job.json: fit.epochs is "two" (a string); an integer is expected' --set fit.epochs=two
mistake 78 'unknown key "filter"; did you mean "filters"?' --set 'model.1={"Conv2D": {"filter": 4}}'
mistake 78 'job.json: trainable[0]: no layer' --set 'trainable=[["conv2", false]]'
mistake 64 '--set is "epochs"; KEY=VALUE is expected' --set epochs

# ---- shapes ----

mistake 78 'conv: kernel 9x9 does not fit its input (None, 8, 8, 1) with padding "valid"' --set model.1.Conv2D.kernel_size=9
mistake 78 '(None, 7, 8, 1)' --set 'model.0.Input.shape=[7, 8, 1]'
"$STRATA" new --template mlp >other.json
expect_code 0 "$STRATA" convert "$SOURCE/tests/golden/files/guide_mlp_input_keras3.keras" other.h5
mistake 78 'weights: other.h5' --set weights.file=other.h5

# ---- files ----

mistake 65 'job.json: data.train: nothing.npz: there is no such file' --set data.train=nothing.npz
mistake 65 'weights: nothing.h5: cannot be opened: No such file or directory' --set weights.file=nothing.h5
mistake 65 'model: nothing.keras: cannot be opened: No such file or directory' --set model=nothing.keras
gzip -c images >whole.gz
head -c $(($(stat -c %s whole.gz) / 2)) whole.gz >cut.gz
mistake 65 'cut.gz' --set data.train=idx:cut.gz,labels
head -c 1000 images >short
mistake 65 short --set data.train=idx:short,labels
idx labels 39 >fewer
mistake 65 '39' --set data.train=idx:images,fewer
: >file
mistake 65 'file/run' --set run.dir=file/run

# ---- data ----

# a label beyond the classes
mistake 65 'label' --set model.3.Dense.units=3

# ---- devices ----

mistake 69 'devices "99"' --devices 99
mistake 69 'devices "no such device"' --set 'run.devices=no such device'

# nothing of all this left a model behind
[ ! -e run/last.keras ] || fail 'a run that failed left a model'
# and without a mistake it runs
expect_code 0 "$STRATA" fit job.json -q
[ -s run/last.keras ] || fail 'no model'
