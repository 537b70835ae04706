/* Compile, fit, evaluate, predict: Keras's training loop over one or many ranks. */
#ifndef STRATA_TRAIN_H
#define STRATA_TRAIN_H

#include <strata/context.h>
#include <strata/data.h>
#include <strata/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* config: a JSON object with Keras's arguments of compile: {"optimizer": "adam" or {"Adam": {..}}, "loss": ..,
 * "metrics": [..], "weighted_metrics": [..]}, and "winograd": false, which keeps to convolutions whose rounding is that of a
 * plain sum, where Winograd's are faster and round about five times as much; "dtype_policy" sets the policy of layers whose config
 * states none ("float32", "mixed_float16", "mixed_bfloat16"; what trains or runs a model with mixed_float16 fails with STRATA_EDEVICE on
 * a device without half); also what Keras's get_compile_config() writes. Fixes what is trainable. */
STRATA_API STRATA_CHECKED bool strata_model_compile(strata_model *model, const char *config, strata_error *err);

/* strata_model_load, and compiled as the file says, with the optimizer's state: Keras's load_model. A file that was saved
 * without a compile gives a model that is not compiled. */
STRATA_API STRATA_CHECKED strata_model *strata_model_open(const char *path, strata_error *err);

/* What a compiled model has that no file of Keras's own holds. The first two go into a .keras, beside what Keras reads there, and come
 * back from it; the last stays in the checkpoint. */
typedef struct strata_model_extras {
    bool multipliers; /* learning_rate_multipliers */
    bool winograd;    /* without Winograd's convolution */
    bool position;    /* it was opened from a checkpoint, which says where its run stood */
} strata_model_extras;
STRATA_API strata_model_extras strata_model_carries(const strata_model *model);

/* How many numbers the compiled optimizer holds, Keras's optimizer.variables, and their bytes: what its summary counts
 * besides the weights. 0 for a model that is not compiled. */
STRATA_API STRATA_CHECKED bool strata_model_optimizer_params(const strata_model *model, size_t *count, size_t *bytes,
                                                             strata_error *err);

/* What a training run tells while it goes on, on every rank with the same numbers. Return false to stop training; of several ranks one
 * is enough, and all stop after the same step, when the next numbers are told. */
typedef struct strata_progress {
    size_t epoch, epochs;  /* counted from 0 */
    size_t step, steps;    /* steps done in this epoch, and in all of it */
    double seconds;        /* since the epoch's start */
    size_t samples;        /* done in this epoch, over all ranks */
    const char *const *names; /* logs: "loss", metrics, at an epoch's end "val_..." too */
    const double *values;
    size_t count;
    bool epoch_end;
} strata_progress;

/* How the ranks share a global batch: by the speeds measured while they train (in 5 % steps of gain, so that a quiet run
 * keeps its shares), equally, or as a list says. By speed, roundings depend on when shares change; else the same ranks give
 * the same bits every time. */
typedef enum strata_balance {
    STRATA_BALANCE_UNLIKE, /* as AUTO where the ranks' devices differ, else as EQUAL, so that a run can be repeated */
    STRATA_BALANCE_AUTO,   /* shares follow measured speed */
    STRATA_BALANCE_EQUAL,
    STRATA_BALANCE_SHARES
} strata_balance;

/* In what form gradients travel between hosts; inside one they don't. They are added as floats, and all ranks get the same
 * weights. A gradient that travels is off by at most 1/512 of itself (BF16), or 1/4096 (FP16, from 6e-5 to 65504: what is
 * larger becomes 65504, with a warning; what is below 3e-8 is lost). */
typedef enum strata_compression {
    STRATA_COMPRESSION_NONE,
    STRATA_COMPRESSION_BF16,
    STRATA_COMPRESSION_FP16
} strata_compression;

/* How a learning rate grows with the number of ranks, when the batch does. LINEAR: Goyal et al. (2017), "Accurate, large minibatch
 * SGD", with the warm-up of there. */
typedef enum strata_rate_scaling {
    STRATA_RATE_FIXED,
    STRATA_RATE_LINEAR, /* times the ranks */
    STRATA_RATE_SQRT    /* times their square root */
} strata_rate_scaling;

typedef struct strata_fit_config {
    size_t batch_size;          /* the global batch; the ranks share it */
    size_t accumulate;          /* each rank runs its share of a batch in so many parts, one after the other, and adds their
                                   gradients: the update is that of the whole batch, the memory that of a part. Batch
                                   normalization takes the statistics of each part; one that is synchronized is refused. Of an exact
                                   run each grain is a part then, whatever the number. 0 or 1: in one */
    /* batch_size is that of each rank: the global one grows with their number, and with it, if the job says so, the rate */
    bool batch_per_rank;
    strata_rate_scaling rate_scaling; /* the optimizer's learning rate, or its schedule's, is multiplied by so much; only with
                                         batch_per_rank */
    double warmup_epochs;       /* .. from 1 on, more with each step, until so many epochs are over; 0: from the first step on */
    size_t epochs;              /* the last epoch's number + 1, as Keras's `epochs` with initial_epoch */
    size_t initial_epoch;
    bool shuffle;
    uint64_t seed;
    double validation_split;    /* 0: none */
    const strata_data *validation_data; /* NULL: none */
    size_t validation_batch_size, validation_freq; /* 0: batch_size, 1 */
    size_t validation_steps;    /* batches that validation looks at; 0: the whole dataset */
    size_t steps_per_epoch;     /* 0: the whole dataset */
    const double *class_weight; /* by class index; NULL: none */
    size_t class_weights;
    const char *callbacks;      /* JSON list: [{"EarlyStopping": {..}}]; NULL: none */
    const char *run_dir;        /* the run folder; NULL: no files */
    /* JSON object {"every_steps", "every_epochs", "keep", "on_failure"}; NULL: none. Files are written while training goes on; of one
     * that cannot be written the old ones stay, and fit fails ("stop"), or warns and goes on ("continue") */
    const char *checkpoint;
    bool resume;                /* go on from the newest good checkpoint in run_dir */
    bool cache_frozen;          /* what lies before the first trainable layer is computed once for each sample, where nothing random is in it */
    size_t cache_bytes;         /* of memory a rank for that; what needs more lies in a file in run_dir */
    double watch_report, watch_stop; /* seconds after which a rank that stands still is named, and the job ended with
                                        STRATA_EPEER; 0: 10 and 60; INFINITY: never */
    const char *job;            /* text of the job, kept as job.json and compared on resume; NULL: none */
    bool (*progress)(void *context, const strata_progress *progress); /* NULL: silent */
    double progress_seconds;    /* at most that often inside an epoch (0.1), with several ranks a step late; 0: each step, which then waits for it */
    void *progress_context;
    /* Asked on every rank before each step, such as whether a signal came. True on any rank: after that step all ranks
     * write a checkpoint and fit fails with STRATA_ESTOPPED. NULL: never */
    bool (*stop_asked)(void *context);
    void *stop_context;
    void (*warn)(void *context, const char *message); /* on rank 0, such as of a damaged checkpoint that was passed over; NULL: silent */
    void *warn_context;
    strata_balance balance;
    /* The same bits for any number of ranks of one type of device and any shares: a batch is cut into 16 grains of equally
     * many samples (8 where those would have fewer than 16 samples; the last may have fewer), each has sums of its own, and
     * these are added in a fixed order. On devices of the GPU class, with activity regularizers and with accumulate each grain
     * goes through the model alone. Batch normalization takes the statistics of each grain; one that is synchronized is refused */
    bool exact;
    strata_compression compression; /* not of exact runs */
    const double *shares;       /* of each rank, relative, for STRATA_BALANCE_SHARES; share_count of them */
    size_t share_count;
    /* on rank 0: what is computed once, the table of ranks as a run of several begins, and, as details, every change of shares;
     * NULL: silent */
    void (*note)(void *context, bool detail, const char *message);
    void *note_context;
} strata_fit_config;

STRATA_API strata_fit_config strata_fit_defaults(void); /* batch_size 32, in one part, epochs 1, shuffle, progress every 0.1 s, a cache of 1 GiB */

/* History.history: for each name one number an epoch. */
typedef struct strata_history strata_history;
STRATA_API void strata_history_free(strata_history *history); /* takes NULL */
STRATA_API size_t strata_history_epochs(const strata_history *history);
STRATA_API size_t strata_history_count(const strata_history *history);
STRATA_API const char *strata_history_name(const strata_history *history, size_t index);
STRATA_API const double *strata_history_values(const strata_history *history, size_t index); /* by epoch; NAN where none */

/* Trains. Collective. history may be NULL, else the caller's to free. On failure the weights are those of the last
 * whole step, on every rank. */
STRATA_API STRATA_CHECKED bool strata_model_fit(strata_model *model, strata_context *context, const strata_data *data,
                                                const strata_fit_config *config, strata_history **history,
                                                strata_error *err);

/* Prepares a fit of that global batch on this rank's device, as strata_model_fit would, and trains nothing: *bytes is the
 * memory of the device that it takes, with weights, gradients, the optimizer and all activations. Errors are those that fit
 * would begin with, such as labels that the loss cannot take. Collective. */
STRATA_API STRATA_CHECKED bool strata_model_fit_memory(strata_model *model, strata_context *context,
                                                       const strata_data *data, size_t batch_size, size_t *bytes,
                                                       strata_error *err);

/* The loss and metrics over data: names[i], values[i]. Collective; the same result on every rank. */
typedef struct strata_logs {
    size_t count;
    char **names;
    double *values;
} strata_logs;
STRATA_API STRATA_CHECKED bool strata_model_evaluate(strata_model *model, strata_context *context,
                                                     const strata_data *data, size_t batch_size, strata_logs *logs,
                                                     strata_error *err);
STRATA_API void strata_logs_free(strata_logs *logs);

/* Gets the values of an output for `count` samples from `first` on, which end with the call. Every rank is given all rows, in
 * sample order; false ends the work on all ranks. */
typedef bool strata_rows_function(void *context, size_t output, size_t first, size_t count, const float *values,
                                  strata_error *err);

/* The outputs for all samples, a batch at a time: memory is that of a batch. Collective. */
STRATA_API STRATA_CHECKED bool strata_model_predict_rows(strata_model *model, strata_context *context,
                                                         const strata_data *data, size_t batch_size,
                                                         strata_rows_function *rows, void *rows_context,
                                                         strata_error *err);
/* Those of inner layers: output i is that of layers[i]. */
STRATA_API STRATA_CHECKED bool strata_model_extract_rows(strata_model *model, strata_context *context,
                                                         const strata_data *data, size_t batch_size,
                                                         const strata_layer *const *layers, size_t count,
                                                         strata_rows_function *rows, void *rows_context,
                                                         strata_error *err);

/* The outputs for all samples, in sample order: `*values` is (n, output shape), the caller's to free. Collective; all
 * ranks get all of it. */
STRATA_API STRATA_CHECKED bool strata_model_predict(strata_model *model, strata_context *context,
                                                    const strata_data *data, size_t batch_size, float **values,
                                                    strata_error *err);

/* The outputs of inner layers too: values[i] for layers[i]. */
STRATA_API STRATA_CHECKED bool strata_model_extract(strata_model *model, strata_context *context,
                                                    const strata_data *data, size_t batch_size,
                                                    const strata_layer *const *layers, size_t count, float **values,
                                                    strata_error *err);

#ifdef __cplusplus
}
#endif
#endif
