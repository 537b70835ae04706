/* How far a device is: of each label of the recording that it plays, the event of the last command. */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "device/device_priv.h"
#include "device/native.h"
#include "device/run_priv.h"

bool strata_run_is_last(const struct run *run, size_t index)
{
    const struct entry *entry = &run->entries[index];
    const bool eventful = entry->kind == ENTRY_KERNEL || entry->kind == ENTRY_COPY || entry->kind == ENTRY_ZERO;
    return eventful && entry->label[0] && !run->device->profile
           && (index + 1 == run->entry_count || run->entries[index + 1].label != entry->label);
}

bool strata_run_begin_play(struct run *run, strata_error *err)
{
    void *places = run->places;
    size_t count = 0;
    for (size_t i = 0; !places && i < run->entry_count; i++) count += strata_run_is_last(run, i);
    if (count > 0 && !(places = strata_alloc(count, sizeof *run->places, err)))
        return false;
    pthread_mutex_lock(&run->lock);
    run->places = places;
    run->place_room = count > 0 ? count : run->place_room;
    run->place = 0;
    run->play++;
    pthread_mutex_unlock(&run->lock);
    pthread_mutex_lock(&run->device->lock);
    run->device->played = run;
    pthread_mutex_unlock(&run->device->lock);
    return true;
}

static bool is_over(cl_event event)
{
    cl_int state = CL_COMPLETE;
    if (event)
        clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL);
    return state <= CL_COMPLETE;
}

/* The host may be some plays ahead of the device: an event that is not over stays. */
void strata_run_note_place(struct run *run, const char *label, cl_event event)
{
    cl_event old = event;
    pthread_mutex_lock(&run->lock);
    struct place *place = &run->places[run->place++];
    if (is_over(place->event)) {
        old = place->event;
        *place = (struct place){ label, event, run->play };
    }
    pthread_mutex_unlock(&run->lock);
    if (old)
        clReleaseEvent(old);
}

void strata_run_forget_places(struct run *run)
{
    pthread_mutex_lock(&run->device->lock);
    if (run->device->played == run)
        run->device->played = NULL;
    pthread_mutex_unlock(&run->device->lock);
    for (size_t i = 0; i < run->place_room; i++)
        if (run->places[i].event)
            clReleaseEvent(run->places[i].event);
    free(run->places);
}

/* With both locks held. The queue is in order, so the first that is not over is where it is. */
static void find(const struct run *run, char *text, size_t size)
{
    const struct place *first = NULL;
    for (size_t i = 0; i < run->place_room; i++)
        if ((!first || run->places[i].play < first->play) && !is_over(run->places[i].event))
            first = &run->places[i];
    snprintf(text, size, "%s", first ? first->label : "");
}

struct device_progress strata_device_progress(struct device *device)
{
    struct device_progress progress = { .builds = atomic_load(&device->building) > 0, .awaits = atomic_load(&device->awaiting) };
    pthread_mutex_lock(&device->lock);
    struct run *run = device->played;
    if (run) {
        pthread_mutex_lock(&run->lock);
        find(run, progress.place, sizeof progress.place);
        progress.first = run->play == 1;
        pthread_mutex_unlock(&run->lock);
    }
    pthread_mutex_unlock(&device->lock);
    return progress;
}
