#!/usr/bin/env bash
# A thousand damaged variants of a file in each of Keras's formats: an error or a model, never a crash or a hang.
set -euo pipefail

STRATA_DAMAGED=1000 "$BUILD/tests/test-files" --filter 'damaged/*' --timeout 1800
