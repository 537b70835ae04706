#!/usr/bin/env bash
# The test of calls that fail at every call of a file, and at many more of the others.
set -euo pipefail
SAMPLES=${SAMPLES:-150} FILE_SAMPLES=0 exec bash "$SOURCE/tests/e2e/faults.sh"
