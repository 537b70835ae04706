#!/usr/bin/env bash
# Keras's guide to the Sequential model, in C (examples/guide) and by the command: what the guide shows is what comes out.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

cc -std=c11 -Wall -Wextra -Werror -I "$SOURCE/include" "$SOURCE/examples/guide/main.c" -L "$BUILD" -lstrata -Wl,-rpath,"$BUILD" \
    ${STRATA_CFLAGS:-} -o guide
expect_code 0 ./guide
expect_text out 'three equal ways: yes'
expect_text out 'layers: layer1 layer2 layer3'
expect_text out 'after pop: 2 layers'
expect_text out 'before the call: Weights for model '
expect_text out 'Number of weights after calling the model: 6'
expect_text out ' layer1 (Dense)              (1, 2)                    10 '
expect_text out ' dense (Dense)               (None, 2)                 10 '
expect_text out 'layers: dense'
expect_text out 'first stage: 11680 parameters'
expect_text out 'second stage: 48672 parameters'
expect_text out 'third stage: 49002 parameters'
expect_text out ' max_pooling2d_2 (MaxPoolin  (None, 4, 4, 32) '
expect_text out 'features of conv2d: (2, 23, 23, 32)'
[ "$(grep -c 'features of my_intermediate_layer: (2, 21, 21, 32)' out)" -eq 2 ] || fail 'the middle features are not there twice'
expect_text out 'features of conv2d_1: (2, 19, 19, 32)'
grep -qx 'changed: dense_3/kernel dense_3/bias' out || { cat out; fail 'not only the last layer changed'; }
