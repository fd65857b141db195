/* sources.h - who answered a read, from near to far, and what the caches had to do with it. */
#ifndef LOAD_SOURCES_H
#define LOAD_SOURCES_H

enum load_source {
    LOAD_SOURCE_NONE, /* nobody */
    LOAD_SOURCE_LOCAL,
    LOAD_SOURCE_CACHE,
    LOAD_SOURCE_STALE,
    LOAD_SOURCE_REPLICA,
    LOAD_SOURCE_PRIMARY,
    LOAD_SOURCES
};

enum load_cached {
    LOAD_CACHED_NONE, /* a write, a read that no cache keeps */
    LOAD_CACHED_HIT,
    LOAD_CACHED_MISS,
    LOAD_CACHED_KINDS
};

/* load_source_of takes one of enum shopdata_source. */
enum load_source load_source_of(int source);
const char *load_source_name(enum load_source source);
const char *load_cached_name(enum load_cached cached);

#endif
