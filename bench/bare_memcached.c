#include "bare_memcached.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static memcached_st *connect_to(const char *address)
{
    char host[256];
    const char *colon = strrchr(address, ':');
    memcached_st *handle = memcached_create(NULL);
    snprintf(host, sizeof host, "%.*s", (int)(colon ? colon - address : 0), address);
    if (!handle || !colon ||
        memcached_failed(memcached_server_add(handle, host, (in_port_t)strtol(colon + 1, NULL, 10)))) {
        bench_complain("cannot connect to memcached", address);
        memcached_free(handle);
        return NULL;
    }
    memcached_behavior_set(handle, MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
    return handle;
}

static size_t name_key(char *name, size_t size, int64_t key)
{
    return (size_t)snprintf(name, size, "bench/bare/%" PRId64, key);
}

static bool fill(bench_bare_memcached *bare)
{
    char name[64], *value = calloc(1, bare->length);
    bool good = value != NULL;
    for (int64_t i = 0; i < bare->keys->count && good; i++) {
        size_t length = name_key(name, sizeof name, bare->keys->first + i);
        memcached_return_t set = memcached_set(bare->handles[0], name, length, value, bare->length, 0, 0);
        good = memcached_success(set);
        if (!good)
            bench_complain("memcached set", memcached_strerror(bare->handles[0], set));
    }
    free(value);
    return good;
}

bool bench_bare_memcached_open(bench_bare_memcached *bare, unsigned threads, const char *address)
{
    for (unsigned i = 0; i < threads; i++)
        if (!(bare->handles[i] = connect_to(address)))
            return false;
    return fill(bare);
}

void bench_bare_memcached_close(bench_bare_memcached *bare)
{
    for (unsigned i = 0; i < BENCH_THREADS_MAX; i++)
        if (bare->handles[i])
            memcached_free(bare->handles[i]);
}

bool bench_bare_memcached_get(void *self, unsigned thread, uint64_t number)
{
    bench_bare_memcached *bare = self;
    char name[64];
    size_t length = name_key(name, sizeof name, bench_key(bare->keys, thread, number)), found = 0;
    uint32_t flags;
    memcached_return_t error;
    char *value = memcached_get(bare->handles[thread], name, length, &found, &flags, &error);
    bool good = value && found == bare->length;
    if (!good)
        bench_complain("memcached get", memcached_strerror(bare->handles[thread], error));
    free(value);
    return good;
}
