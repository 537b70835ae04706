#!/usr/bin/env bash
# The bases of keras.applications: Keras's outputs from their real files in both formats, and a training step through all of each.
# STRATA_PEERS as in keras-roundtrip.sh. STRATA_APPLICATIONS names others than the smallest of each family, or "all".
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

peers=${STRATA_PEERS:-$BUILD/peers}
if [ ! -x "$peers/bin/python" ]; then
    python3 -m venv "$peers"
    "$peers/bin/pip" install --quiet tensorflow-cpu tf-keras h5py
fi
smallest='Xception VGG16 ResNet50 ResNet50V2 InceptionV3 InceptionResNetV2 MobileNet MobileNetV2 MobileNetV3Small
          DenseNet121 NASNetMobile EfficientNetB0 EfficientNetV2B0 ConvNeXtTiny'
more='VGG19 ResNet101 ResNet152 ResNet101V2 ResNet152V2 MobileNetV3Large DenseNet169 DenseNet201
      EfficientNetB1 EfficientNetB2 EfficientNetB3 EfficientNetB4 EfficientNetB5 EfficientNetB6 EfficientNetB7
      EfficientNetV2B1 EfficientNetV2B2 EfficientNetV2B3 EfficientNetV2S EfficientNetV2M EfficientNetV2L
      ConvNeXtSmall ConvNeXtBase ConvNeXtLarge ConvNeXtXLarge'
names=${STRATA_APPLICATIONS:-$smallest}
[ "$names" != all ] || names="$smallest $more"

for name in $names; do
    "$peers/bin/python" "$SOURCE/tests/python/write_applications.py" . "$name" 2>noise || { cat noise >&2; fail "$name"; }
    for form in keras h5; do
        expect_code 0 "$STRATA" predict "$name.$form" --data "$name.x.npz" -o got.npy
        # two inputs; where random weights blow up roundings, four times as far as Keras is from its own float64
        "$peers/bin/python" - got.npy "$name.y.npy" "$name.$form" "$name.far.npy" <<'END' || fail "$name.$form: not Keras's outputs"
import sys, numpy
got, expected = numpy.load(sys.argv[1]), numpy.load(sys.argv[2])
far = abs(got - expected).max() / abs(expected).max()
limit = max(1e-4, 4 * float(numpy.load(sys.argv[4])))
print(f"{sys.argv[3]}: {far:.1e} away, of {limit:.1e}")
sys.exit(not (got.shape == expected.shape and far <= limit))
END
    done
    pooling=none
    [[ $name != VGG* ]] || pooling=avg
    cat >job.json <<END
{ "model": [ {"Model": {"file": "$name.keras", "trainable": true, "pooling": "$pooling"}} ],
  "data": {"train": "$name.x.npz"},
  "compile": {"optimizer": "sgd", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit": {"batch_size": 2}, "run": {"dir": null} }
END
    expect_code 0 "$STRATA" fit job.json --json
    expect_number "$(number out loss) > 0"
    rm "$name".*
done
