#!/usr/bin/env bash
# convert from each format to each: the same bytes as straight from the checkpoint that a job left, and what a format cannot hold is
# said, no more and no less.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

awk 'BEGIN { print "a,b,label"; for (i = 0; i < 40; i++) printf "%.4f,%.4f,%d\n", cos(i * i), sin(3 * i), i % 3 }' >points.csv
cat >job.json <<'END'
{ "model": [ {"Input": {"shape": [2]}}, {"Dense": {"units": 4, "name": "body"}}, {"BatchNormalization": {}},
             {"Dropout": {"rate": 0.5}}, {"Dense": {"units": 3, "name": "head"}} ],
  "data": {"train": "points.csv"},
  "compile": {"optimizer": "adam", "learning_rate_multipliers": [["body", 0.5]], "winograd": false,
              "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}, "metrics": ["accuracy"]},
  "fit": {"batch_size": 10, "epochs": 2, "seed": 3}, "run": {"dir": "run"} }
END
expect_code 0 "$STRATA" fit job.json -q
expect_code 0 "$STRATA" fit job.json -q --set fit.epochs=0 --set fit.seed=9 --set run.dir=fresh
expect_code 0 "$STRATA" convert fresh/last.keras fresh.json

multipliers='learning_rate_multipliers' winograd='winograd' stood='where its run stood'
forms=(3.h5 2.h5 keras weights.h5 legacy_weights.h5 npz json)

# left FORM COMPILED EXTRAS: what is to be said of a file of that form; EXTRAS 0: the model has nothing of ours
left() {
    local layers='no layers' compiled=$2
    case $1 in
        json)              echo "the layers only: no weights$([ "$compiled" = 0 ] || echo ', no compile, no optimizer')" ;;
        weights.h5)        [ "$compiled" = 0 ] && echo "the weights only: $layers" ||
                               echo "the weights only, and the optimizer's variables: $layers, no compile" ;;
        legacy_weights.h5 | npz)
                           echo "the weights only: $layers$([ "$compiled" = 0 ] || echo ', no compile, no optimizer')" ;;
    esac
    [ "$3" = 0 ] || [ "$1" = keras ] || printf '%s\n' "$multipliers" "$winograd"
}

# convert IN OUT FORM OPTION...
convert() {
    local flavour=()
    case $3 in 2.h5) flavour=(--flavour keras2) ;; 3.h5 | json) flavour=(--flavour keras3) ;; esac
    expect_code 0 "$STRATA" convert "$1" "$2" "${flavour[@]}" "${@:4}"
}

# said TEXT...: these, each in a line of its own, and nothing else is left out
said() {
    local text
    for text in "$@"; do expect_text err "$text"; done
    [ "$(grep -c 'only\|not in it' err)" -eq $# ] || { cat err >&2; fail "more is said than: $*"; }
}

# same A B FORM: bytes, but for archives, which hold their date
same() {
    case $3 in
        keras) expect_code 0 "$STRATA" weights "$1" --diff "$2" ;;
        npz)
            expect_code 0 "$STRATA" convert "$1" a.keras --model fresh.json
            expect_code 0 "$STRATA" convert "$2" b.keras --model fresh.json
            expect_code 0 "$STRATA" weights a.keras --diff b.keras
            ;;
        *) cmp "$1" "$2" || fail "$1 is not $2" ;;
    esac
}

# ---- from the checkpoint ----

checkpoint=run/checkpoints/step-8.keras
for to in "${forms[@]}"; do
    convert "$checkpoint" "whole.$to" "$to"
    mapfile -t lines < <(left "$to" 1 1)
    said "${lines[@]}" "$stood"
done
expect_code 0 "$STRATA" weights whole.keras --diff run/last.keras
expect_text out 'no bit differs'

# ---- from whole models: with the optimizer; only .keras holds what is ours ----

for from in 3.h5 2.h5 keras; do
    extras=0
    [ "$from" != keras ] || extras=1
    for to in "${forms[@]}"; do
        convert "whole.$from" "got.$to" "$to"
        mapfile -t lines < <(left "$to" 1 "$extras")
        said "${lines[@]}"
        same "got.$to" "whole.$to" "$to"
    done
done

# ---- from weights, into a model that has others and is not compiled ----

convert whole.npz plain.keras keras --model fresh.json
expect_code 0 "$STRATA" weights plain.keras --diff whole.keras
for to in "${forms[@]}"; do convert plain.keras "plain.$to" "$to"; done
for from in weights.h5 legacy_weights.h5 npz; do
    for to in "${forms[@]}"; do
        convert "whole.$from" "got.$to" "$to" --model fresh.json
        expect_text err '8 weights loaded, 0 missing, 0 unused, 0 of another shape'
        # the iteration, the rate, and two slots for each of six trained weights
        if [ "$from" = weights.h5 ]; then
            expect_text err 'left out: the 14 variables of its optimizer'
        else
            ! grep -q 'left out' err || fail "$from has no optimizer"
        fi
        mapfile -t lines < <(left "$to" 0 0)
        said "${lines[@]}"
        same "got.$to" "plain.$to" "$to"
    done
done

# ---- what Keras 2 has no argument for is refused, not dropped ----

expect_code 0 "$STRATA" fit job.json -q --set fit.epochs=0 --set run.dir=scaled --set 'compile.optimizer={"SGD": {"loss_scale_factor": 8}}'
expect_code 78 "$STRATA" convert scaled/last.keras scaled.h5 --flavour keras2
expect_text err 'optimizer: loss_scale_factor is 8.0; Keras 2 has no such argument: write it as Keras 3 has it'
expect_code 0 "$STRATA" convert scaled/last.keras scaled.h5 --flavour keras3
sed 's/"BatchNormalization": {}/"BatchNormalization": {"synchronized": true}/' job.json >summed.json
expect_code 0 "$STRATA" fit summed.json -q --set fit.epochs=0 --set run.dir=summed
expect_code 78 "$STRATA" convert summed/last.keras summed.json --flavour keras2
expect_text err 'batch_normalization: synchronized is true; Keras 2 has no such argument: write it as Keras 3 has it'

expect_code 0 "$STRATA" fit job.json -q --set fit.epochs=0 --set run.dir=hard --set 'compile.loss=CategoricalGeneralizedCrossEntropy'
expect_code 78 "$STRATA" convert hard/last.keras hard.h5 --flavour keras2
expect_text err 'loss: Keras 2 has no CategoricalGeneralizedCrossEntropy: write it as Keras 3 has it'
sed 's/"units": 4,/"units": 4, "activation": "celu",/' job.json >celu.json
expect_code 0 "$STRATA" fit celu.json -q --set fit.epochs=0 --set run.dir=celu
expect_code 78 "$STRATA" convert celu/last.keras celu.json --flavour keras2
expect_text err 'body: activation is "celu"; Keras 2 has no such function: write it as Keras 3 has it'

# ---- a function of Keras 2 that a run's files, which are Keras 3's, would hold under the name of another ----

sed 's/"units": 4,/"units": 4, "activation": "relu",/' job.json >relu.json
expect_code 0 "$STRATA" fit relu.json -q --set fit.epochs=0 --set run.dir=relu
expect_code 0 "$STRATA" convert relu/last.keras sigmoid.json --flavour keras2
sed -i 's/"relu"/"hard_sigmoid"/' sigmoid.json
sed 's/"model": .*/"model": "sigmoid.json",/; /"Dropout"/d' job.json >old.json
expect_code 78 "$STRATA" fit old.json -q --set run.dir=old
expect_text err 'activation is the "hard_sigmoid" of Keras 2; the function of that name in Keras 3 is another'

# ---- from the layers ----

for to in "${forms[@]}"; do
    convert whole.json "got.$to" "$to"
    mapfile -t lines < <(left "$to" 0 0)
    said "${lines[@]}"
    [ "$to" = json ] || expect_text err 'its weights are new, for whole.json holds none'
done
same got.json whole.json json
