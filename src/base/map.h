/* map.h - a hash map from bytes to pointers: open addressing, keys are copied. Not thread safe. */
#ifndef SDI_BASE_MAP_H
#define SDI_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

typedef struct sdi_map_slot sdi_map_slot;

typedef struct sdi_map {
    sdi_map_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t used;     /* live keys */
    size_t filled;   /* live keys and tombstones */
} sdi_map;

#define SDI_MAP_INIT                                                                                                   \
    {                                                                                                                  \
        NULL, 0, 0, 0                                                                                                  \
    }

/* sdi_map_free drops keys and table; the values are the caller's. */
void sdi_map_free(sdi_map *map);
/* sdi_map_get returns the value kept under `key`, NULL if there is none. */
void *sdi_map_get(const sdi_map *map, sdi_slice key);
/* sdi_map_set keeps `value` (not NULL) under `key`, in place of an older one; false without memory, nothing changed. */
bool sdi_map_set(sdi_map *map, sdi_slice key, void *value);
/* sdi_map_remove forgets `key` and returns what it held, NULL if there was nothing. */
void *sdi_map_remove(sdi_map *map, sdi_slice key);
/* sdi_map_next walks the map: *cursor starts at 0; returns the next value (its key in *key if not NULL), NULL at the
 * end. Removing while walking is allowed, setting is not. */
void *sdi_map_next(const sdi_map *map, size_t *cursor, sdi_slice *key);

#endif
