#include "lru.h"

#include <stdlib.h>

enum { ENDS = 1 }; /* the list is a ring through number 0; object n is n + ENDS */

struct link {
    uint32_t newer, older;
    size_t bytes; /* 0: not there */
};

struct bench_lru {
    struct link *links;
    size_t used, room;
};

bench_lru *bench_lru_new(size_t objects, size_t room)
{
    bench_lru *lru = calloc(1, sizeof *lru);
    if (!lru)
        return NULL;
    lru->room = room;
    lru->links = calloc(objects + ENDS, sizeof *lru->links);
    if (lru->links)
        return lru;
    bench_lru_free(lru);
    return NULL;
}

void bench_lru_free(bench_lru *lru)
{
    if (lru)
        free(lru->links);
    free(lru);
}

static void take_out(bench_lru *lru, uint32_t number)
{
    struct link *link = &lru->links[number];
    lru->links[link->newer].older = link->older;
    lru->links[link->older].newer = link->newer;
    lru->used -= link->bytes;
    link->bytes = 0;
}

static void put_in(bench_lru *lru, uint32_t number, size_t bytes)
{
    struct link *ends = &lru->links[0];
    lru->links[number] = (struct link){0, ends->older, bytes};
    lru->links[ends->older].newer = number;
    ends->older = number;
    lru->used += bytes;
}

bool bench_lru_read(bench_lru *lru, uint32_t object, size_t bytes)
{
    bool there = lru->links[object + ENDS].bytes > 0;
    if (there)
        take_out(lru, object + ENDS);
    while (lru->used > 0 && lru->used + bytes > lru->room)
        take_out(lru, lru->links[0].newer);
    put_in(lru, object + ENDS, bytes);
    return there;
}
