#include "local/origins.h"

#include <string.h>

#include "base/memory.h"

enum { ROOM_MIN = 64 }; /* for as many nodes as one is configured with, on one timeline */

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
    for (size_t i = 0; i < origins->count; i++)
        if (origins->list[i].timeline == timeline && !strcmp(origins->list[i].node, node))
            return i;
    return SDI_ORIGINS_MAX;
}

static size_t add(sdi_origins *origins, const char *node, uint32_t timeline)
{
    if (origins->count == origins->room)
        return SDI_ORIGINS_MAX;
    sdi_origin *origin = &origins->list[origins->count];
    memcpy(origin->node, node, strlen(node) + 1);
    origin->timeline = timeline;
    return origins->count++;
}

size_t sdi_origins_number(sdi_origins *origins, const char *node, uint32_t timeline)
{
    size_t number = find(origins, node, timeline);
    return number < SDI_ORIGINS_MAX ? number : add(origins, node, timeline);
}

void sdi_origins_clear(sdi_origins *origins)
{
    origins->count = 0;
}

const sdi_origin *sdi_origins_at(const sdi_origins *origins, size_t number)
{
    return &origins->list[number];
}
