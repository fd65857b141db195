#include "local/origins.h"

#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"

enum { ROOM_MIN = 8 };

bool sdi_origins_init(sdi_origins *origins, size_t bytes)
{
    size_t room = bytes / sizeof *origins->list;
    *origins = (sdi_origins){.room = room < ROOM_MIN ? ROOM_MIN : room > SDI_ORIGINS_MAX ? SDI_ORIGINS_MAX : room};
    sdi_mutex_init(&origins->mutex);
    origins->list = sdi_calloc(origins->room, sizeof *origins->list);
    return origins->list != NULL;
}

void sdi_origins_free(sdi_origins *origins)
{
    sdi_free(origins->list);
    sdi_mutex_destroy(&origins->mutex);
}

size_t sdi_origins_bytes(const sdi_origins *origins)
{
    return origins->room * sizeof *origins->list;
}

static size_t find(const sdi_origins *origins, const char *node, uint32_t timeline)
{
    size_t count = atomic_load_explicit(&origins->count, memory_order_acquire);
    for (size_t i = 0; i < count; i++)
        if (origins->list[i].timeline == timeline && !strcmp(origins->list[i].node, node))
            return i;
    return SDI_ORIGINS_MAX;
}

static size_t add(sdi_origins *origins, const char *node, uint32_t timeline)
{
    size_t count = atomic_load_explicit(&origins->count, memory_order_relaxed);
    if (count == origins->room)
        return SDI_ORIGINS_MAX;
    memcpy(origins->list[count].node, node, strlen(node) + 1);
    origins->list[count].timeline = timeline;
    atomic_store_explicit(&origins->count, count + 1, memory_order_release);
    return count;
}

size_t sdi_origins_number(sdi_origins *origins, const char *node, uint32_t timeline)
{
    size_t number = find(origins, node, timeline);
    if (number < SDI_ORIGINS_MAX)
        return number;
    sdi_lock(&origins->mutex);
    number = find(origins, node, timeline);
    if (number == SDI_ORIGINS_MAX)
        number = add(origins, node, timeline);
    sdi_unlock(&origins->mutex);
    return number;
}

const sdi_origin *sdi_origins_at(const sdi_origins *origins, size_t number)
{
    return &origins->list[number];
}
