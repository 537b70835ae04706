/* What the texts of both summaries need. */
#ifndef STRATA_MODEL_SUMMARY_PRIV_H
#define STRATA_MODEL_SUMMARY_PRIV_H

#include "base/text.h"
#include "model/model_priv.h"

enum { SUMMARY_COLUMNS = 5 };

/* Writes the whole text. */
void strata_summary_keras2(const strata_model *model, const strata_summary_options *options, struct text *out);
void strata_summary_keras3(const strata_model *model, const strata_summary_options *options, struct text *out);

/* A chain of layers, which needs no column of connections. */
bool strata_summary_is_chain(const strata_model *model);

/* A model's numbers: trainable and not. */
struct summary_counts {
    size_t trainable, fixed;
};
struct summary_counts strata_summary_count(const strata_model *model);

/* "14.05 KB"; `unit` is what the flavour calls a byte. */
enum { SUMMARY_SIZE = 48 };
const char *strata_summary_size(double bytes, const char *unit, char buffer[SUMMARY_SIZE]);

/* "(None, 3)" of a built layer, with the batch that the model was built for. Of a nested model: what it makes here, or when `own`
 * what it makes of its own input, which may be open where the one here is not. */
const char *strata_summary_shape(const strata_layer *layer, bool own, char buffer[STRATA_SHAPE_TEXT]);

/* Numbers in a layer; 0 when it is not built. */
size_t strata_summary_params(const strata_layer *layer);

/* Counting in characters of UTF-8, not bytes. */
size_t strata_text_width(const char *text);
size_t strata_text_bytes(const char *text, size_t characters); /* bytes of the first characters, at most all */

#endif
