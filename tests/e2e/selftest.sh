#!/usr/bin/env bash
# strata selftest: this machine's devices compute what the host does, with the implementations of both device classes.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

expect_code 0 env STRATA_DEVICE_CLASS=cpu "$STRATA" selftest
expect_text out 'all as it should be'
expect_code 0 env STRATA_DEVICE_CLASS=gpu "$STRATA" selftest --json --devices 0
[ "$(grep -c '"ok":true' out)" -eq "$(wc -l <out)" ] || fail 'a device computes wrongly'
[ "$(wc -l <out)" -ge 14 ] || fail 'tests are missing'
expect_code 69 "$STRATA" selftest --devices 99
