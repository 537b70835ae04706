#!/usr/bin/env bash
# CLBlast's parameters on devices of the class gpu: sets are tried, none is wrong, and the best one serves. A CPU device builds each
# in ten seconds or more.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

mkdir cache
export STRATA_CACHE_DIR=$PWD/cache STRATA_DEVICE_CLASS=gpu
cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}}, {"Flatten": {}}, {"Dense": {"units": 300, "activation": "relu"}},
             {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 256}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit":     {"batch_size": 128, "epochs": 2, "seed": 3},
  "run":     {"dir": null} }
JSON
expect_code 0 "$STRATA" fit job.json --json
before=$(number out loss)
expect_code 0 timeout 3000 "$STRATA" tune job.json --seconds 600 --json
grep 'all products by CLBlast' out >sets
[ "$(grep -c '"outcome":"measured"' sets)" -gt 3 ] || fail 'no sets were measured'
if grep -E '"outcome":"(wrong|failed)"' sets; then fail 'a legal set is wrong'; fi
[ "$(grep -c '"chosen":true' sets)" -eq 1 ] || fail 'not one set is chosen'
if grep '"chosen":true' sets | grep -q '"default":false'; then
    expect_text "$STRATA_CACHE_DIR/tuning.json" 'XGEMM_MIN_INDIRECT_SIZE'
fi
expect_code 0 "$STRATA" fit job.json --json
expect_number "$(number out loss) - $before < 1e-4 && $before - $(number out loss) < 1e-4"
