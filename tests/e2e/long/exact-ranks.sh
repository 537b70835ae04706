#!/usr/bin/env bash
# Exact runs on more ranks, and five times on far more than there are cores; with whole grains, with many; and each grain alone.
set -euo pipefail
mkdir few many alone
(cd few && RANKS='1 5 6 8 24 24 24 24 24' BATCH=50 bash "$SOURCE/tests/e2e/exact.sh")
(cd many && RANKS='2 3 8' BATCH=176 bash "$SOURCE/tests/e2e/exact.sh")
(cd alone && RANKS='2 3' STRATA_DEVICE_CLASS=gpu bash "$SOURCE/tests/e2e/exact.sh")
