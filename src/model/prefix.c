/* The part of a flat list that gives the same for a sample in every epoch: nothing in it trains, draws random numbers, or looks at
 * the rest of the batch. All that follows hangs on its last node alone, so either part can be planned by itself. */
#include <stdlib.h>

#include "model/lower.h"

static bool is_steady(const struct flat *node)
{
    if (node->needs_gradient || node->kind == FLAT_PENALTY)
        return false;
    if (node->kind != FLAT_LAYER || !node->training)
        return true;
    const struct layer_class *class = node->layer->class;
    return !class->identity_in_inference && !class->trainable_inference && !class->random_in_training;
}

/* Nothing behind `last` reads what comes before it. */
static bool separates(const struct flat_list *list, int last)
{
    for (int i = last + 1; i < (int)list->count; i++)
        for (int k = 0; k < list->items[i].input_count; k++)
            if (list->items[i].inputs[k] < last)
                return false;
    return true;
}

int strata_lower_prefix(const struct flat_list *list)
{
    int last = MODEL_INPUT;
    bool works = false; /* something with weights is in it; else it is too little to be kept */
    for (int i = 0; i < list->output && is_steady(&list->items[i]); i++) {
        works = works || (list->items[i].kind == FLAT_LAYER && list->items[i].layer->weight_count > 0);
        if (works && separates(list, i))
            last = i;
    }
    return last;
}

static void keep_ends(struct flat_list *list, int last, bool head)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->end_count; i++) {
        struct flat_end end = list->ends[i];
        if ((end.index <= last) != head)
            continue;
        end.index -= head ? 0 : last + 1;
        list->ends[kept++] = end;
    }
    list->end_count = kept;
}

/* What lies behind `last` and is done by a node up to it goes back to being its own: in training something may lie between. */
static void part_fused(struct flat_list *list, int last)
{
    for (int i = (int)list->count - 1; i > last; i--) {
        struct flat *node = &list->items[i];
        int maker = i;
        while (maker != MODEL_INPUT && list->items[maker].fused) maker = list->items[maker].inputs[0];
        if (maker == i || maker > last)
            continue;
        node->fused = node->view = false;
        if (node->kind == FLAT_ACTIVATION)
            list->items[maker].activation = ACTIVATION_LINEAR;
        else
            list->items[maker].affine = NULL;
    }
}

/* A layer behind `last` reads again what a layer up to it makes. */
static void part_passed(struct flat_list *list, int last)
{
    for (int i = last + 1; i < (int)list->count; i++) {
        struct flat *node = &list->items[i];
        if (node->passed == 0 || node->passed - 1 > last)
            continue;
        struct flat *rim = &list->items[node->passed - 1];
        rim->view = false;
        node->inputs[0] = node->passed - 1;
        node->in[0] = rim->out;
        node->rim = (struct rim){ 0 };
    }
}

void strata_lower_keep(struct flat_list *list, int last, bool head)
{
    const int shift = head ? 0 : last + 1;
    size_t kept = 0;
    part_fused(list, last);
    part_passed(list, last);
    for (int i = 0; i < (int)list->count; i++) {
        struct flat *node = &list->items[i];
        if ((i <= last) != head) {
            free(node->inputs);
            free(node->in);
            continue;
        }
        for (int k = 0; k < node->input_count && !head; k++)
            node->inputs[k] -= shift; /* `last` becomes MODEL_INPUT, which holds floats */
        if (node->view && !head)
            node->storage = node->inputs[0] == MODEL_INPUT ? STORAGE_FLOAT32 : list->items[node->inputs[0]].storage;
        list->items[kept++] = *node;
    }
    list->count = kept;
    list->output = head ? last : list->output - shift;
    keep_ends(list, last, head);
}
