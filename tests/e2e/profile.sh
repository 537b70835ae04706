#!/usr/bin/env bash
# Where the time goes: --profile FILE writes one time line of all ranks, and each epoch ends with what took how long.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}}, {"Flatten": {}}, {"Dense": {"units": 20, "activation": "relu"}},
             {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 200}, "validation": {"source": "fashion-mnist:test", "limit": 50}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit":     {"batch_size": 20, "epochs": 2, "seed": 3},
  "run":     {"dir": "run", "balance": "equal"} }
JSON
STRATA_SLOW=1:5ms expect_code 0 timeout 250 mpirun -n 2 "$STRATA" fit job.json --profile trace.json
expect_text out 'of limit'
expect_text err 'waiting for the slowest rank'

# ---- the time line ----

# spans RANK NAME: begin and end in microseconds of what has that name, in the order of time
spans() {
    sed -nE "s/.*\"name\":\"$2\".*\"ts\":([-0-9.]+),\"dur\":([0-9.]+),\"pid\":$1,.*/\\1 \\2/p" trace.json |
        awk '{ printf "%.3f %.3f\n", $1, $1 + $2 }' | sort -g
}
head -n 1 trace.json | grep -qF '{"displayTimeUnit":"ms","traceEvents":[' || fail 'the time line does not begin as one'
[ "$(tail -n 1 trace.json)" = ']}' ] || fail 'the time line does not end as one'
for rank in 0 1; do
    grep -q "\"process_name\",\"pid\":$rank,.*rank $rank on " trace.json || fail "rank $rank has no name"
    for what in 'dense forward' update 'exchange bucket 0' 'gather bucket 0' batch checkpoint; do
        [ "$(spans $rank "$what" | wc -l)" -gt 0 ] || fail "rank $rank: no $what"
    done
    [ "$(spans $rank 'exchange bucket 0' | wc -l)" -eq 20 ] || fail "rank $rank: not as many exchanges as steps"
done
# no rank's exchange is over before the other's has begun: the clocks are one
spans 0 'exchange bucket 0' >exchanges0
spans 1 'exchange bucket 0' >exchanges1
paste -d ' ' exchanges0 exchanges1 |
    awk '$3 > $2 || $1 > $4 { print; wrong = 1 } END { exit wrong }' || fail 'an exchange ended before the other side began'

# ---- the shares ----

# seconds RANK KEY: of the last epoch
seconds() {
    grep '"event": "times"' run/log.jsonl | tail -n 1 | grep -o '{"computing[^}]*}' | sed -n "$(($1 + 1))s/.*\"$2\": \\([0-9.e-]*\\).*/\\1/p"
}
[ "$(grep -c '"event": "times"' run/log.jsonl)" -eq 2 ] || fail 'not a line an epoch'
# rank 1 sleeps 50 ms in each of ten steps, and rank 0 waits for it
expect_number "$(seconds 0 slowest) > 0.25"
expect_number "$(seconds 0 slowest) > $(seconds 1 slowest)"
expect_number "$(seconds 1 computing) >= 0.5"
for key in communication saving validating; do
    expect_number "$(seconds 0 $key) > 0"
done

# ---- weights that are waited for while the device computes are not waited for ----

sed -e 's/{"Flatten": {}}, {"Dense": {"units": 20/{"Conv2D": {"filters": 32, "kernel_size": 3}}, {"Conv2D": {"filters": 64, "kernel_size": 3}}, {"MaxPooling2D": {}}, {"Flatten": {}}, {"Dense": {"units": 128/' \
    -e 's/"limit": 200/"limit": 640/' -e 's/"batch_size": 20/"batch_size": 128/' job.json >heavy.json
expect_code 0 timeout 250 mpirun -n 2 "$STRATA" fit heavy.json -q --set run.dir=run
for rank in 0 1; do
    expect_number "$(seconds $rank communication) < 0.5 * $(seconds $rank computing)"
done

# ---- a slow link: the first layers go on while the weights of the last are still on their way ----

sed -e 's/{"Flatten": {}}, {"Dense": {"units": 20/{"Conv2D": {"filters": 8, "kernel_size": 3}}, {"Flatten": {}}, {"Dense": {"units": 64/' \
    -e 's/"epochs": 2/"epochs": 1/' job.json >wide.json
expect_code 0 timeout 250 mpirun -n 2 "$STRATA" fit wide.json -q --set run.dir=fast
STRATA_LINK=20 expect_code 0 timeout 250 mpirun -n 2 "$STRATA" fit wide.json -q --set run.dir=slow --profile trace.json
expect_code 0 "$STRATA" weights fast/last.keras --diff slow/last.keras
expect_text out 'no bit differs'
for rank in 0 1; do
    spans $rank 'gather bucket 0' >gathers
    spans $rank 'conv2d forward' >forwards
    # of ten steps the last has none after it, and the first few may be waited for by whoever shows progress
    awk 'NR == FNR { begin[NR] = $1; end[NR] = $2; n = NR; next }
         { for (i = 1; i <= n; i++) if ($1 > begin[i] && $1 < end[i]) among++ } END { exit !(among >= 3) }' gathers forwards ||
        fail "rank $rank: forward waited for all weights"
done
STRATA_LINK=no expect_code 64 "$STRATA" fit wide.json -q --set run.dir=none
expect_text err 'STRATA_LINK is "no"'

# ---- products of matrices ----
expect_code 0 mpirun -n 2 "$STRATA" bench --products 64 --json
expect_number "$(grep -o '"of_peak":\[[^]]*' out | grep -oE '[0-9]+\.[0-9e-]+' | wc -l) == 4"
expect_code 78 "$STRATA" bench --products 100000
expect_text err 'products of 100000 x 100000'

# ---- the model of more ranks ----
expect_code 0 mpirun -n 2 "$STRATA" bench W1 --seconds 0.2 --model=scale.svg --step 10 --per-host 2 --json
[ "$(grep -c '"event":"model"' out)" -eq 13 ] || fail 'not a line for each power of two up to 4096'
grep '"ranks":1,' out | grep -q '"step_ms":10\.0,' || fail 'one rank does not take what it was said to'
grep '"event":"model"' out | grep -v '"measured_ms":null' | grep -q '"ranks":2,' || fail 'nothing stands beside the model of two ranks'
expect_text scale.svg '</svg>'
expect_code 64 mpirun -n 2 "$STRATA" bench W1 --seconds 0.2 --model
expect_text err 'needs --step MS'
