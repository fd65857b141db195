#include "base/map.h"

#include <stdint.h>

#include "base/hash.h"
#include "base/memory.h"

struct sdi_map_slot {
    uint64_t hash;
    char *key; /* NULL: never used, or a tombstone */
    size_t length;
    void *value;
    bool tombstone;
};

enum { FIRST_SLOTS = 16 };

void sdi_map_free(sdi_map *map)
{
    for (size_t i = 0; i < map->capacity; i++)
        sdi_free(map->slots[i].key);
    sdi_free(map->slots);
    *map = (sdi_map)SDI_MAP_INIT;
}

static bool slot_holds(const sdi_map_slot *slot, uint64_t hash, sdi_slice key)
{
    return slot->key && slot->hash == hash && slot->length == key.length && !memcmp(slot->key, key.data, key.length);
}

static sdi_map_slot *find(const sdi_map *map, uint64_t hash, sdi_slice key)
{
    for (size_t i = 0; i < map->capacity; i++) {
        sdi_map_slot *slot = &map->slots[(hash + i) & (map->capacity - 1)];
        if (slot_holds(slot, hash, key))
            return slot;
        if (!slot->key && !slot->tombstone)
            return NULL;
    }
    return NULL;
}

static sdi_map_slot *free_slot(const sdi_map *map, uint64_t hash)
{
    size_t i = hash & (map->capacity - 1);
    while (map->slots[i].key)
        i = (i + 1) & (map->capacity - 1);
    return &map->slots[i];
}

static bool grow(sdi_map *map)
{
    if (map->capacity && (map->filled + 1) * 4 <= map->capacity * 3)
        return true;
    sdi_map bigger = SDI_MAP_INIT;
    for (bigger.capacity = FIRST_SLOTS; bigger.capacity < (map->used + 1) * 2;)
        bigger.capacity *= 2; /* counted by live keys: a table full of tombstones is only swept */
    bigger.slots = sdi_calloc(bigger.capacity, sizeof *bigger.slots);
    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].key)
            *free_slot(&bigger, map->slots[i].hash) = map->slots[i];
    bigger.used = bigger.filled = map->used;
    sdi_free(map->slots);
    *map = bigger;
    return true;
}

void *sdi_map_get(const sdi_map *map, sdi_slice key)
{
    if (!map->capacity)
        return NULL;
    sdi_map_slot *slot = find(map, sdi_hash64(key.data, key.length), key);
    return slot ? slot->value : NULL;
}

bool sdi_map_set(sdi_map *map, sdi_slice key, void *value)
{
    uint64_t hash = sdi_hash64(key.data, key.length);
    sdi_map_slot *slot = find(map, hash, key);
    if (slot) {
        slot->value = value;
        return true;
    }
    char *copy = grow(map) ? sdi_memdup0(key.data, key.length) : NULL;
    if (!copy)
        return false;
    slot = free_slot(map, hash);
    map->filled += !slot->tombstone;
    map->used++;
    *slot = (sdi_map_slot){.hash = hash, .key = copy, .length = key.length, .value = value};
    return true;
}

void *sdi_map_remove(sdi_map *map, sdi_slice key)
{
    sdi_map_slot *slot = map->capacity ? find(map, sdi_hash64(key.data, key.length), key) : NULL;
    if (!slot)
        return NULL;
    void *value = slot->value;
    sdi_free(slot->key);
    *slot = (sdi_map_slot){.tombstone = true};
    map->used--;
    return value;
}

void *sdi_map_next(const sdi_map *map, size_t *cursor, sdi_slice *key)
{
    while (*cursor < map->capacity) {
        const sdi_map_slot *slot = &map->slots[(*cursor)++];
        if (!slot->key)
            continue;
        if (key)
            *key = (sdi_slice){slot->key, slot->length};
        return slot->value;
    }
    return NULL;
}
