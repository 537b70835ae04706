/* What the files about runs know of each other. */
#ifndef STRATA_DEVICE_RUN_PRIV_H
#define STRATA_DEVICE_RUN_PRIV_H

#include <CL/cl.h>
#include <pthread.h>

#include "device/launch.h"

/* What clSetKernelArg is given. */
struct setting {
    size_t size;
    bool none; /* a null pointer */
    unsigned char value[8];
};

/* A kernel object and what its driver says about it. */
struct kernel {
    char *name, *options; /* owned; options may be "" */
    cl_kernel native;     /* NULL: not made yet, nor is what follows known */
    cl_uint arguments;
    size_t fixed[3];   /* the group that its source demands, or zeros */
    size_t most_group; /* work-items that a group of it can have */
};

/* The kernel objects of an immediate run, by name and options, so that a launch in a training loop finds its own. */
struct kernel_table {
    struct kernel **slots; /* open addressing; room is a power of two, at least half of it empty */
    size_t count, room;
};

typedef bool run_call(const void *context, void *queue, strata_error *err);

enum entry_kind { ENTRY_KERNEL, ENTRY_CALL, ENTRY_COPY, ENTRY_ZERO, ENTRY_MARK };

/* One thing that a recording does when it is played. */
struct entry {
    enum entry_kind kind;
    const char *label;
    struct work work; /* what it is a part of */
    bool again;       /* it is not the first entry of that */
    bool once;        /* it is left out of a play when what it makes is there */
    union {
        struct {
            struct kernel *kernel; /* owned */
            struct setting *settings; /* owned; NULL once the kernel has them */
            cl_uint dims, setting_count;
            size_t global[3], local[3]; /* as the launch says, until the kernel is made */
        };
        struct {
            run_call *call;
            void *context; /* owned */
        };
        struct {
            cl_mem from, to; /* a reference each; from is NULL for a fill */
            size_t from_offset, to_offset, bytes;
        };
        int mark;
    };
};

/* Where a label ends in what is played. */
struct place {
    const char *label;
    cl_event event; /* NULL: not queued yet */
    uint64_t play;  /* which play it is of */
};

enum run_kind { RUN_IMMEDIATE, RUN_MEASURE, RUN_RECORD };

enum { LABEL_SIZE = 128 };

struct run {
    enum run_kind kind;
    struct device *device;
    enum queue_index queue;
    bool strict, untuned;
    bool rehearses; /* measuring: tells the compilers of kernels */

    struct buffer *scratch;
    bool scratch_borrowed;
    size_t scratch_bytes; /* immediate, recording: what scratch holds; measuring: the most that was asked for */

    struct buffer **kept; /* owned; measuring: placeholders */
    size_t kept_count, kept_room, kept_bytes;
    bool once;               /* entries that follow are */
    bool settled;            /* they were played, */
    uint64_t settled_at;     /* when `version` was that */
    const uint64_t *version; /* borrowed; NULL: nothing changes */

    char label[LABEL_SIZE];    /* immediate, measuring: the one in force */
    char **labels;             /* recording: all of them */
    size_t label_count, label_room;

    struct work work; /* at hand; operation NULL: none */
    bool work_begun;  /* it has an entry */

    struct kernel_table kernels; /* immediate */

    struct entry *entries; /* recording */
    size_t entry_count, entry_room;
    size_t ready; /* of them, those whose kernels are made */

    pthread_mutex_t lock; /* recording: guards mark_events, which other threads read */
    cl_event *mark_events; /* of the latest play; NULL before the first */
    size_t mark_count, mark_room;
    struct place *places; /* guarded by lock; NULL before the first play, or when there are none */
    size_t place_room, place; /* place: the next one in the play at hand */
    uint64_t play;            /* how many there were */
};

/* Puts the label, if there is one, before the message of an error on its way up, and returns false. */
bool strata_fail_labelled(const char *label, strata_error *err);

const char *strata_run_label_of(const struct run *run);

/* Puts the work at hand into an entry that is about to be queued or kept; the first one gets all of its counts. */
void strata_run_work_of(struct run *run, struct entry *entry);

/* A new entry of a recording, zeroed but for kind and label; NULL without memory. */
struct entry *strata_run_append(struct run *run, enum entry_kind kind, strata_error *err);
void strata_entries_free(struct run *run);

/* Queues one entry. event may be NULL; it is not known of a call, nor while times are kept, but for that of a mark. */
bool strata_entry_queue(const struct run *run, cl_command_queue queue, const struct entry *entry, cl_event *event,
                        strata_error *err);

/* ---- progress.c ---- */

/* Whether an entry of a recording is the last of its label, and has an event of its own. */
bool strata_run_is_last(const struct run *run, size_t index);
bool strata_run_begin_play(struct run *run, strata_error *err);
/* Takes the event of the next such entry over. */
void strata_run_note_place(struct run *run, const char *label, cl_event event);
void strata_run_forget_places(struct run *run);

void strata_kernel_free(struct kernel *kernel); /* takes NULL */
void strata_kernel_table_free(struct kernel_table *table);

/* Makes the kernel of an entry, where it has none yet, and sets its arguments. */
bool strata_kernel_prepare(const struct run *run, struct entry *entry, strata_error *err);

/* Queues a kernel whose arguments are set. */
bool strata_kernel_queue(const struct run *run, cl_command_queue queue, const struct entry *entry, cl_event *event,
                         strata_error *err);

#endif
