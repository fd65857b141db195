#include "numbering.h"

#include <stdlib.h>

#include "random.h"

enum { SMALLEST = 1024 };

struct load_numbering_slot {
    int64_t key;
    uint32_t number; /* plus 1; 0: the slot is free */
};

/* Open addressing: the key's slot, or the free one where it belongs. */
static struct load_numbering_slot *find(const load_numbering *numbering, int64_t key)
{
    size_t at = load_random_mix((uint64_t)key) & (numbering->size - 1);
    while (numbering->slots[at].number && numbering->slots[at].key != key)
        at = (at + 1) & (numbering->size - 1);
    return &numbering->slots[at];
}

static bool grow(load_numbering *numbering)
{
    load_numbering larger = {.size = numbering->size ? numbering->size * 2 : SMALLEST, .count = numbering->count};
    larger.slots = calloc(larger.size, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < numbering->size; i++)
        if (numbering->slots[i].number)
            *find(&larger, numbering->slots[i].key) = numbering->slots[i];
    free(numbering->slots);
    *numbering = larger;
    return true;
}

bool load_numbering_of(load_numbering *numbering, int64_t key, uint32_t *number_out)
{
    if (numbering->count == UINT32_MAX - 1)
        return false;
    if ((size_t)numbering->count * 2 >= numbering->size && !grow(numbering))
        return false;
    struct load_numbering_slot *slot = find(numbering, key);
    if (!slot->number)
        *slot = (struct load_numbering_slot){key, ++numbering->count};
    *number_out = slot->number - 1;
    return true;
}

void load_numbering_free(load_numbering *numbering)
{
    free(numbering->slots);
    *numbering = (load_numbering){0};
}
