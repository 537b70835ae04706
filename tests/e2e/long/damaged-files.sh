#!/usr/bin/env bash
# A thousand damaged variants of a file in each format of models and of data: an error or what is in it, never a crash or a
# hang.
set -euo pipefail

STRATA_DAMAGED=1000 "$BUILD/tests/test-files" --filter 'damaged/*' --timeout 1800
STRATA_DAMAGED=1000 "$BUILD/tests/test-data" --filter 'damaged/*' --timeout 1800
