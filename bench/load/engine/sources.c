#include "sources.h"

#include <shopdata/shopdata.h>

enum load_source load_source_of(int source)
{
    switch (source) {
    case SHOPDATA_FROM_LOCAL:
        return LOAD_SOURCE_LOCAL;
    case SHOPDATA_FROM_CACHE:
        return LOAD_SOURCE_CACHE;
    case SHOPDATA_FROM_STALE:
        return LOAD_SOURCE_STALE;
    case SHOPDATA_FROM_REPLICA:
        return LOAD_SOURCE_REPLICA;
    default:
        return LOAD_SOURCE_PRIMARY;
    }
}

const char *load_source_name(enum load_source source)
{
    static const char *const names[LOAD_SOURCES] = {"none", "local", "cache", "stale", "replica", "primary"};
    return names[source];
}

const char *load_cached_name(enum load_cached cached)
{
    static const char *const names[LOAD_CACHED_KINDS] = {"none", "hit", "miss"};
    return names[cached];
}
