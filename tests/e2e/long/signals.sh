#!/usr/bin/env bash
# The test of signals at many more moments.
set -euo pipefail
MOMENTS=200 SEED=11 exec bash "$SOURCE/tests/e2e/signals.sh"
