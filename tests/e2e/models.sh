#!/usr/bin/env bash
# Verbs that look at models: summary, weights, convert, plot, new, check.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

golden=$SOURCE/tests/golden
model=$golden/files/guide_mlp_input_keras3.keras

# ---- summary: Keras's own text, of every format ----

expect_code 0 "$STRATA" summary "$golden/summary/guide_conv_stage3.keras3.json"
diff out "$golden/summary/guide_conv_stage3.keras3.txt" >&2 || fail 'not the summary of Keras 3'
expect_code 0 "$STRATA" summary "$golden/summary/guide_conv_stage3.keras2.json"
diff out "$golden/summary/guide_conv_stage3.keras2.txt" >&2 || fail 'not the summary of Keras 2'
expect_code 0 "$STRATA" summary "$golden/summary/guide_conv_stage3.keras3.json" --style keras2
expect_text out 'Total params: 49002 (191.41 KB)'
expect_code 0 "$STRATA" summary "$model" --json
[ "$(number out params)" = 35 ] || fail "not 35 parameters: $(cat out)"

# a model that is not built yet: Keras 2 refuses, Keras 3 prints what it knows
echo '[{"Dense": {"units": 2}}]' >unbuilt.json
expect_code 0 "$STRATA" summary unbuilt.json --style keras3
expect_code 78 "$STRATA" summary unbuilt.json --style keras2
expect_text err 'not yet been built'

# ---- convert and weights: there and back through every format, bit for bit ----

expect_code 0 "$STRATA" convert "$model" a.h5
expect_code 0 "$STRATA" convert a.h5 b.h5 --flavour keras2
expect_code 0 "$STRATA" convert b.h5 c.keras
expect_code 0 "$STRATA" convert c.keras d.weights.h5
expect_text err 'the weights only'
expect_code 0 "$STRATA" convert d.weights.h5 e.npz --model c.keras
expect_code 0 "$STRATA" convert e.npz f.keras --model c.keras
for file in a.h5 b.h5 c.keras f.keras; do
    expect_code 0 "$STRATA" weights "$file" --diff "$model"
    expect_text out 'no bit differs'
done
expect_code 0 "$STRATA" convert c.keras g.json
expect_code 0 "$STRATA" summary g.json --style keras2
expect_text out 'Total params: 35'

# what a format cannot hold is said; the optimizer goes along where it can
resume=$golden/files/resume_adam_keras3.keras
expect_code 0 "$STRATA" convert "$resume" r.json
expect_text err 'the layers only: no weights, no compile, no optimizer'
expect_code 0 "$STRATA" convert "$resume" r.npz --json
expect_text out '"holds":"the weights only: no layers, no compile, no optimizer"'
expect_code 0 "$STRATA" convert "$resume" r2.h5 --flavour keras2
expect_code 0 "$STRATA" convert r2.h5 r3.h5 --flavour keras3
expect_code 0 "$STRATA" convert r3.h5 r4.keras
expect_code 0 "$STRATA" summary "$resume"
mv out summary
expect_code 0 "$STRATA" summary r4.keras
cmp out summary || fail 'the optimizer got lost on the way'

# what became of each weight
cat >named.json <<'END'
[ {"Input": {"shape": [4]}}, {"Dense": {"units": 3, "name": "a"}}, {"Dense": {"units": 2, "name": "b"}} ]
END
cat >other.json <<'END'
[ {"Input": {"shape": [4]}}, {"Dense": {"units": 3, "name": "a"}}, {"Dense": {"units": 5, "name": "b"}}, {"Dense": {"units": 1, "name": "c"}} ]
END
expect_code 0 "$STRATA" convert named.json named.h5
expect_code 0 "$STRATA" convert named.h5 mixed.keras --model other.json --by-name --skip-mismatch
expect_text err 'named.h5: 2 weights loaded, 2 missing, 0 unused, 2 of another shape'
expect_text err 'missing c/kernel'
expect_text err 'of another shape b/bias'
expect_code 0 "$STRATA" convert named.h5 mixed.keras --model other.json --by-name --skip-mismatch --json
expect_text out '"loaded":["a/kernel","a/bias"]'

expect_code 0 "$STRATA" weights "$model"
expect_text out 'dense/kernel'
expect_text out '6 weights, 35 parameters, 35 of them trainable'
expect_code 0 "$STRATA" weights "$model" --json
[ "$(wc -l <out)" -eq 6 ] || fail 'not a line a weight'

# weights drawn from another seed are other weights
cat >job.json <<'END'
{ "model": [ {"Input": {"shape": [4]}}, {"Dense": {"units": 1}} ],
  "compile": {"optimizer": "sgd", "loss": "mse"}, "data": {"train": "table.csv"}, "run": {"dir": null} }
END
printf 'a,b,c,d,label\n1,2,3,4,5\n' >table.csv
expect_code 64 "$STRATA" convert e.npz x.keras
expect_text err 'name the model they belong to with --model'
expect_code 65 "$STRATA" convert e.npz x.keras --model "$golden/files/digits_mlp_keras3.keras"
[ ! -e x.keras ] || fail 'a conversion that failed left a file'
expect_code 65 "$STRATA" convert none.h5 x.keras
expect_text err 'error: none.h5: cannot be opened: No such file or directory'

# damaged files are refused
head -c 900 "$model" >cut.keras
expect_code 65 "$STRATA" summary cut.keras
head -c 3000 "$golden/files/guide_mlp_input_keras2.h5" >cut.h5
expect_code 65 "$STRATA" summary cut.h5
echo 'not a model' >text.h5
expect_code 65 "$STRATA" summary text.h5

# ---- new and check ----

expect_code 0 "$STRATA" new
cp out templates
for template in mlp cnn table; do
    expect_text templates "$template "
    expect_code 0 "$STRATA" new --template "$template" -o "$template.json"
    [ "$template" = table ] || expect_code 0 "$STRATA" check "$template.json"
done
cp table.csv train.csv
expect_code 0 "$STRATA" check table.json
expect_text out 'table.json is sound'
expect_text out '(None, 4) -> (None, 1), 4545 parameters'
expect_code 65 "$STRATA" new --template mlp -o mlp.json
expect_text err 'error: mlp.json: cannot be written: File exists'
expect_code 64 "$STRATA" new --template mpl
expect_text err 'did you mean "mlp"?'
expect_code 0 "$STRATA" new --from "$model" -o on.json
expect_text on.json "\"model\": \"$model\""

expect_code 0 "$STRATA" check job.json --json
[ "$(number out samples)" = 1 ] || fail "not one sample: $(cat out)"
expect_code 0 "$STRATA" check cnn.json --json --set fit.batch_size=100
[ "$(number out steps_per_epoch)" = 600 ] || fail "not 600 steps: $(cat out)"

# ---- plot ----

printf 'epoch,loss,val_loss\n1,0.5,0.6\n2,0.4,\n3,0.3,0.45\n' >history.csv
expect_code 0 "$STRATA" plot curves . -o curves.svg
expect_text curves.svg '<svg xmlns='
expect_text curves.svg '>validation</text>'
expect_code 0 "$STRATA" plot model "$model" -o model.svg
expect_text model.svg '>dense_1</text>'
expect_code 0 "$STRATA" plot model cnn.json
expect_text out '>max_pooling2d</text>'
expect_code 65 "$STRATA" plot curves nowhere
printf 'epoch,loss\n1,2,3\n' >history.csv
expect_code 65 "$STRATA" plot curves .
expect_text err 'line 2 has not 2 columns'
expect_code 64 "$STRATA" plot picture x
