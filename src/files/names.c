#include "files/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

bool strata_names_adopt(struct names *names, char *name, strata_error *err)
{
    void *list = names->list;
    if (!name || !strata_reserve(&list, &names->room, names->count + 1, sizeof *names->list, err)) {
        free(name);
        return false;
    }
    names->list = list;
    names->list[names->count++] = name;
    return true;
}

bool strata_names_add(struct names *names, const char *name, strata_error *err)
{
    return strata_names_adopt(names, strata_copy_text(name, err), err);
}

bool strata_names_have(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->list[i], name) == 0) return true;
    return false;
}

void strata_names_release(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) free(names->list[i]);
    free(names->list);
    *names = (struct names){ 0 };
}

char **strata_names_take(struct names *names, strata_error *err)
{
    char **list = strata_alloc(names->count + 1, sizeof *list, err);
    if (!list) return NULL;
    if (names->count > 0) memcpy(list, names->list, names->count * sizeof *list);
    free(names->list);
    *names = (struct names){ 0 };
    return list;
}
