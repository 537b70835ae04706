#!/usr/bin/env bash
# The bases of keras.applications: Keras's outputs from their real files in both formats, and, of the smallest of each family,
# Keras's loss after a step of training: frozen under a new classifier, but for the last layers, and the whole of it.
# STRATA_PEERS as in keras-roundtrip.sh. STRATA_APPLICATIONS names others, or "all".
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

peers=$("$SOURCE/launch/peers")
smallest='Xception VGG16 ResNet50 ResNet50V2 InceptionV3 InceptionResNetV2 MobileNet MobileNetV2 MobileNetV3Small
          DenseNet121 NASNetMobile EfficientNetB0 EfficientNetV2B0 ConvNeXtTiny'
more='VGG19 ResNet101 ResNet152 ResNet101V2 ResNet152V2 MobileNetV3Large DenseNet169 DenseNet201
      EfficientNetB1 EfficientNetB2 EfficientNetB3 EfficientNetB4 EfficientNetB5 EfficientNetB6 EfficientNetB7
      EfficientNetV2B1 EfficientNetV2B2 EfficientNetV2B3 EfficientNetV2S EfficientNetV2M EfficientNetV2L
      ConvNeXtSmall ConvNeXtBase ConvNeXtLarge ConvNeXtXLarge'
names=${STRATA_APPLICATIONS:-$smallest}
[ "$names" != all ] || names="$smallest $more"


# python ARGUMENT...: what it says goes into a file that a failure shows
python() {
    "$peers/bin/python" "$@" 2>noise || { cat noise >&2; fail "python ${*:0:4}"; }
}

# outputs FILE NAME: those of two inputs, relative to the largest
outputs() {
    expect_code 0 "$STRATA" predict "$1" --data "$2.x.npz" -o got.npy
    python - got.npy "$2.y.npy" "$1" <<'END'
import sys, numpy
got, expected = numpy.load(sys.argv[1]), numpy.load(sys.argv[2])
far = abs(got - expected).max() / abs(expected).max()
print(f"{sys.argv[3]}: {far:.1e} away")
sys.exit(not (got.shape == expected.shape and far <= 1e-4))
END
}

# step NAME KIND: the losses before and after it, and what the step changed within a hundredth. Where BatchNormalization trains, on a
# dozen pictures, another rounding of the weights moves Keras's own loss after a step by 1e-4.
step() {
    local before after got limit=1e-3
    [ "$2" != head ] || limit=1e-4
    read -r before after <"$1.$2.loss"
    expect_code 0 "$STRATA" fit "$1.$2.json" --json
    got=$(sed -nE '/"event":"epoch"/s/.*"loss":([-+0-9.eE]+).*/\1/p' out | tr '\n' ' ')
    printf '%s, %s: losses %s, of Keras %s %s\n' "$1" "$2" "$got" "$before" "$after"
    awk -v b="$before" -v a="$after" -v got="$got" -v limit="$limit" 'function size(x) { return x < 0 ? -x : x }
        BEGIN { split(got, g); exit !(a != b && size(g[1] - b) <= 1e-4 * b && size(g[2] - a) <= limit * a &&
                                      size(g[2] - a) <= 0.01 * size(a - b) + 2e-6) }' || fail "$1.$2: not the losses of Keras"
}

for name in $names; do
    steps=()
    [[ " ${smallest//$'\n'/ } " != *" $name "* ]] || steps=(--steps)
    python "$SOURCE/tests/python/write_applications.py" . ${steps[0]+--steps} "$name"
    outputs "$name.keras" "$name"
    outputs "$name.h5" "$name"
    for kind in ${steps[0]+head tail whole}; do step "$name" "$kind"; done
    rm "$name".*
done
