/* Layers that Keras has and Strata has not, and why: a better answer than the nearest name.
 * Source: the names in keras.layers of Keras 3.15 and of tf-keras. */
#include <string.h>

#include "model/model_priv.h"

static const struct {
    const char *names; /* with blanks around each */
    const char *why;
} groups[] = {
    { " LSTM GRU SimpleRNN RNN LSTMCell GRUCell SimpleRNNCell StackedRNNCells ConvLSTM1D ConvLSTM2D ConvLSTM3D Bidirectional "
      "TimeDistributed CuDNNLSTM CuDNNGRU ",
      "recurrent layers and their wrappers are not offered; Conv1D with padding \"causal\" looks back along a sequence too, and a Dense "
      "works on each step by itself" },
    { " Conv3D Conv3DTranspose Convolution3D MaxPooling3D MaxPool3D AveragePooling3D AvgPool3D GlobalMaxPooling3D GlobalMaxPool3D "
      "GlobalAveragePooling3D GlobalAvgPool3D ZeroPadding3D Cropping3D UpSampling3D SpatialDropout3D ",
      "layers over three spatial axes are not offered; those over one and two are" },
    { " Masking ", "layers see no masks; leave out the padded steps, or give their samples the weight 0" },
    { " Dot Attention AdditiveAttention MultiHeadAttention GroupQueryAttention GroupedQueryAttention ",
      "it multiplies tensors of the batch with each other, which is not offered" },
    { " Lambda ", "it holds Python code; use a layer that computes the same" },
    { " StringLookup IntegerLookup Hashing HashedCrossing Discretization CategoryEncoding TextVectorization MelSpectrogram STFTSpectrogram ",
      "it prepares data before training; do so when the data are made" },
};

const char *strata_layer_absent(const char *class_name)
{
    char word[STRATA_NAME + 2];
    const size_t length = strlen(class_name);
    if (length == 0 || length + 3 > sizeof word)
        return NULL;
    word[0] = ' ';
    memcpy(word + 1, class_name, length);
    memcpy(word + 1 + length, " ", 2);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (strstr(groups[i].names, word))
            return groups[i].why;
    return NULL;
}
