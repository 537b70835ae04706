/* The decoders behind picture.c. */
#ifndef STRATA_DATA_PICTURE_PRIV_H
#define STRATA_DATA_PICTURE_PRIV_H

#include "data/picture.h"

bool strata_jpeg_decode(const unsigned char *bytes, size_t size, size_t channels, struct picture *picture,
                        strata_error *err);
bool strata_png_decode(const unsigned char *bytes, size_t size, size_t channels, struct picture *picture,
                       strata_error *err);

/* Room for a picture of that size, which a file claims; refuses what no picture has. */
bool strata_picture_make(struct picture *picture, size_t height, size_t width, size_t channels, strata_error *err);

#endif
