/* JPEG and PNG pictures as numbers, the same as TensorFlow's decode_image gives. */
#ifndef STRATA_DATA_PICTURE_H
#define STRATA_DATA_PICTURE_H

#include <stddef.h>

#include "base/error.h"

/* Rows of pixels of `channels` bytes: 1 grey, 3 red, green, blue, 4 with opacity. Starts as { 0 }. */
struct picture {
    size_t height, width, channels;
    unsigned char *pixels; /* owned */
};

/* Decodes a file's bytes by what they are, whatever the file is called. STRATA_EFILE says what is wrong with them, without
 * the file's name: the bytes are no picture, damaged or cut off, or it has more than 2^28 pixels. */
bool strata_picture_decode(const void *bytes, size_t size, size_t channels, struct picture *picture, strata_error *err);
bool strata_picture_read(const char *path, size_t channels, struct picture *picture, strata_error *err);
void strata_picture_free(struct picture *picture);

/* A sample of images: rows of pixels of `channels` numbers. */
struct image_shape {
    size_t height, width, channels;
};

/* Bilinear, pixel centres at halves, without antialiasing: tf.image.resize(method="bilinear"), with which Keras loads
 * folders. `from` and `to` have the same channels. */
void strata_image_resize(const struct image_shape *from, const float *image, const struct image_shape *to, float *out);

#endif
