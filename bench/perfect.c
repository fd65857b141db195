#include "perfect.h"

#include <stdlib.h>

#include "measure.h"

enum { SAMPLES = 5, POOL = 16 }; /* maxmemory-samples, and EVPOOL_SIZE in Redis */

/* One that may go, by how long it had been unused when it was seen. */
struct candidate {
    uint32_t object, unused;
};

struct bench_perfect {
    uint32_t *held; /* the objects that are there */
    size_t count, room;
    uint32_t *places; /* of an object in `held`, and one more; 0: it is not there */
    uint32_t *used;   /* in which second an object was used last */
    struct candidate pool[POOL];
    size_t pooled;
    uint64_t drawn; /* random numbers so far */
};

bench_perfect *bench_perfect_new(size_t objects, size_t room)
{
    bench_perfect *perfect = calloc(1, sizeof *perfect);
    if (!perfect)
        return NULL;
    perfect->room = room;
    perfect->held = calloc(room, sizeof *perfect->held);
    perfect->places = calloc(objects, sizeof *perfect->places);
    perfect->used = calloc(objects, sizeof *perfect->used);
    if (perfect->held && perfect->places && perfect->used)
        return perfect;
    bench_perfect_free(perfect);
    return NULL;
}

void bench_perfect_free(bench_perfect *perfect)
{
    if (!perfect)
        return;
    free(perfect->held);
    free(perfect->places);
    free(perfect->used);
    free(perfect);
}

void bench_perfect_forget(bench_perfect *perfect, uint32_t object)
{
    if (!perfect->places[object])
        return;
    uint32_t last = perfect->held[--perfect->count];
    perfect->held[perfect->places[object] - 1] = last;
    perfect->places[last] = perfect->places[object];
    perfect->places[object] = 0;
}

static bool is_pooled(const bench_perfect *perfect, uint32_t object)
{
    for (size_t i = 0; i < perfect->pooled; i++)
        if (perfect->pool[i].object == object)
            return true;
    return false;
}

/* The pool is in order, the longest unused at its end. A full one lets go of its first for a better one. */
static void consider(bench_perfect *perfect, struct candidate seen)
{
    if (is_pooled(perfect, seen.object))
        return;
    if (perfect->pooled == POOL) {
        if (seen.unused <= perfect->pool[0].unused)
            return;
        perfect->pooled--;
        for (size_t i = 0; i < perfect->pooled; i++)
            perfect->pool[i] = perfect->pool[i + 1];
    }
    size_t at = perfect->pooled++;
    for (; at > 0 && perfect->pool[at - 1].unused > seen.unused; at--)
        perfect->pool[at] = perfect->pool[at - 1];
    perfect->pool[at] = seen;
}

static void evict(bench_perfect *perfect, uint32_t second)
{
    for (;;) {
        for (int i = 0; i < SAMPLES; i++) {
            uint32_t object = perfect->held[bench_random(1, perfect->drawn++) % perfect->count];
            consider(perfect, (struct candidate){object, second - perfect->used[object]});
        }
        while (perfect->pooled > 0) {
            uint32_t object = perfect->pool[--perfect->pooled].object;
            if (!perfect->places[object])
                continue;
            bench_perfect_forget(perfect, object);
            return;
        }
    }
}

bool bench_perfect_read(bench_perfect *perfect, uint32_t object, uint32_t second)
{
    bool there = perfect->places[object] != 0;
    if (!there) {
        if (perfect->count == perfect->room)
            evict(perfect, second);
        perfect->held[perfect->count++] = object;
        perfect->places[object] = (uint32_t)perfect->count;
    }
    perfect->used[object] = second;
    return there;
}
