/* What layers refuse, and in which words. */
#include <criterion/criterion.h>
#include <string.h>

#include "layers/harness.h"

static const struct layer_class *find(const char *name)
{
    const struct class *class = strata_class_find(&strata_layers, name);
    cr_assert(class, "no class %s", name);
    return strata_layer_class(class);
}

/* The error of the config, or, when it is fine, of the shape; "" when both are. */
static const char *error_of(const char *name, const char *config_text, const struct shape *in, int inputs,
                            strata_error *err)
{
    char text[400];
    const struct layer_class *class = find(name);
    void *config = NULL;
    struct shape shapes[4] = { { 0 } }, out;
    *err = (strata_error){ 0 };
    snprintf(text, sizeof text, "{\"class_name\": \"%s\", \"config\": %s}", name, config_text);
    json_t *json = strata_json_parse(text, strlen(text), "layer", err);
    if (json && harness_parse(json, STRATA_KERAS3, &class, &config, err)) {
        for (int i = 0; i < inputs; i++) shapes[i] = in[i];
        shapes[inputs].rank = -1;
        if (class->shape(config, shapes, &out, err)) err->message[0] = '\0';
        harness_config_free(class, config);
    }
    json_decref(json);
    return err->message;
}

static void refuses(const char *name, const char *config, struct shape in, const char *message)
{
    strata_error err;
    cr_expect_str_eq(error_of(name, config, &in, 1, &err), message, "%s %s: %s", name, config, err.message);
}

static const struct shape image = { 3, { 4, 4, 3 } }, row = { 1, { 6 } };

Test(refusals, of_configs_name_the_key_the_value_and_the_range)
{
    refuses("LeakyReLU", "{\"negative_slope\": -1}", row, "negative_slope is -1; it must be at least 0");
    refuses("Dense", "{\"units\": 0}", row, "units is 0; it must be from 1 to 1e+09");
    refuses("Dense", "{\"unit\": 3}", row, "unknown key \"unit\"; did you mean \"units\"?");
    refuses("Dense", "{\"units\": 3, \"activation\": \"rleu\"}", row,
            "activation: unknown activation \"rleu\"; did you mean \"relu\"?");
    refuses("Dropout", "{\"rate\": 1.5}", row, "rate is 1.5; it must be from 0 to 1");
    refuses("Conv2D", "{\"filters\": 3, \"kernel_size\": 3, \"groups\": 2}", image,
            "filters is 3; it must be a multiple of groups, which is 2");
    refuses("Conv2D", "{\"filters\": 2, \"kernel_size\": 3, \"padding\": \"causal\"}", image,
            "padding is \"causal\"; it must be one of \"valid\", \"same\"");
    refuses("Conv2D", "{\"filters\": 2, \"kernel_size\": 3, \"strides\": 2, \"dilation_rate\": 2}", image,
            "strides above 1 and dilation_rate above 1 do not go together; leave one of them at 1");
    refuses("RandomRotation", "{\"factor\": 1.5}", image, "factor is 1.5; it must be from -1 to 1");
    refuses("RandomZoom", "{\"height_factor\": [0.1, 2]}", image,
            "height_factor is [0.1, 2]; its numbers must be from -0.999999 to 1");
    refuses("RandomTranslation", "{\"height_factor\": \"a\", \"width_factor\": 0}", image,
            "height_factor is \"a\"; a number or a list of two numbers is expected");
    refuses("RandomContrast", "{\"factor\": 0.5, \"value_range\": 255}", image,
            "value_range is 255; a list of two numbers is expected");
    refuses("Resizing", "{\"height\": 3, \"width\": 3, \"antialias\": true}", image,
            "antialias is not supported; leave it false");
    refuses("Permute", "{\"dims\": [1, 1]}", image, "dims must hold each of 1 to 2 once");
    refuses("Conv2DTranspose", "{\"filters\": 2, \"kernel_size\": 3, \"output_padding\": 1}", image,
            "output_padding is 1; it must be below the stride, which is 1");
    refuses("Dropout", "{\"rate\": 0.5, \"noise_shape\": [1, 6]}", row,
            "noise_shape begins with 1; each sample draws its own noise, so its first entry must be null or "
            "the batch size");
}

Test(refusals, of_channels_first_say_what_to_do)
{
    static const char *const configs[][2] = {
        { "Conv2D", "{\"filters\": 2, \"kernel_size\": 3, \"data_format\": \"channels_first\"}" },
        { "DepthwiseConv2D", "{\"kernel_size\": 3, \"data_format\": \"channels_first\"}" },
        { "MaxPooling2D", "{\"data_format\": \"channels_first\"}" },
        { "GlobalAveragePooling2D", "{\"data_format\": \"channels_first\"}" },
        { "Flatten", "{\"data_format\": \"channels_first\"}" },
        { "UpSampling2D", "{\"data_format\": \"channels_first\"}" },
        { "ZeroPadding2D", "{\"data_format\": \"channels_first\"}" },
        { "SpatialDropout2D", "{\"rate\": 0.5, \"data_format\": \"channels_first\"}" },
    };
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++)
        refuses(configs[i][0], configs[i][1], image,
                "data_format is \"channels_first\", which is not supported; use \"channels_last\" and put "
                "the channels last in "
                "the data and the input shape (weights keep their layout)");
}

Test(refusals, of_inputs_name_their_shape)
{
    refuses("Conv2D", "{\"filters\": 2, \"kernel_size\": 5}", image,
            "kernel 5x5 does not fit its input (None, 4, 4, 3) with padding \"valid\"; use padding \"same\" "
            "or a smaller kernel");
    refuses("MaxPooling2D", "{\"pool_size\": 5}", image,
            "pool 5x5 does not fit its input (None, 4, 4, 3) with padding \"valid\"; use padding \"same\" or "
            "a smaller pool");
    refuses("Conv2D", "{\"filters\": 2, \"kernel_size\": 3}", row,
            "input has shape (None, 6); Conv2D needs 4 axes: (batch, height, width, channels)");
    refuses("Conv2D", "{\"filters\": 4, \"kernel_size\": 3, \"groups\": 2}", image,
            "input has 3 channels; they must be a multiple of groups, which is 2");
    refuses("GroupNormalization", "{\"groups\": 2}", image,
            "input has 3 channels; they must be a multiple of groups, which is 2");
    refuses("BatchNormalization", "{\"axis\": 5}", image,
            "axis is 5; the input (None, 4, 4, 3) has axes 1 to 3 behind the batch");
    refuses("Reshape", "{\"target_shape\": [4, 2]}", row,
            "6 elements of the input (None, 6) do not fill target_shape, which takes 8");
    refuses("Reshape", "{\"target_shape\": [-1, 4]}", row,
            "6 elements of the input (None, 6) do not fill target_shape, which takes a multiple of 4");
    refuses("Cropping2D", "{\"cropping\": 2}", image,
            "cropping takes 4 cells of an axis; the input (None, 4, 4, 3) has only 4 there");
    refuses("Permute", "{\"dims\": [1, 2]}", image,
            "input has shape (None, 4, 4, 3); dims names 2 axes behind the batch");
    refuses("Add", "{}", row, "a layer that merges needs at least 2 inputs");
}

Test(refusals, of_inputs_that_do_not_go_together_name_both)
{
    strata_error err;
    const struct shape two[] = { { 2, { 2, 3 } }, { 2, { 2, 4 } } };
    cr_expect_str_eq(error_of("Add", "{}", two, 2, &err),
                     "inputs have shapes (None, 2, 3) and (None, 2, 4), which cannot be merged");
    cr_expect_str_eq(
        error_of("Concatenate", "{\"axis\": 1}", two, 2, &err),
        "inputs have shapes (None, 2, 3) and (None, 2, 4), which differ beyond the axis to be joined");
}
