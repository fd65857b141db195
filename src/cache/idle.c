#include "cache/idle.h"

#include "base/memory.h"

bool sdi_idle_init(sdi_idle *idle, size_t size)
{
    *idle = (sdi_idle){.stack = sdi_calloc(size, sizeof *idle->stack)};
    if (!idle->stack)
        return false;
    sdi_mutex_init(&idle->mutex);
    sdi_condition_init(&idle->freed);
    return true;
}

void sdi_idle_free(sdi_idle *idle)
{
    if (!idle->stack)
        return;
    sdi_free(idle->stack);
    sdi_mutex_destroy(&idle->mutex);
    sdi_condition_destroy(&idle->freed);
}

void sdi_idle_abandon(sdi_idle *idle)
{
    sdi_free(idle->stack);
}

void *sdi_idle_take(sdi_idle *idle, int64_t deadline)
{
    void *taken = NULL;
    sdi_lock(&idle->mutex);
    while (idle->count == 0 && sdi_wait(&idle->freed, &idle->mutex, deadline))
        continue;
    if (idle->count > 0)
        taken = idle->stack[--idle->count];
    sdi_unlock(&idle->mutex);
    return taken;
}

void sdi_idle_give(sdi_idle *idle, void *given, bool last)
{
    sdi_lock(&idle->mutex);
    idle->stack[idle->count++] = given;
    if (last) {
        idle->stack[idle->count - 1] = idle->stack[0];
        idle->stack[0] = given;
    }
    sdi_wake_one(&idle->freed);
    sdi_unlock(&idle->mutex);
}
