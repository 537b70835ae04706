#!/usr/bin/env bash
# Exact runs on more ranks, and on far more than there are cores.
set -euo pipefail
RANKS='1 5 6 8 24' exec bash "$SOURCE/tests/e2e/exact.sh"
