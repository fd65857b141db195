/* numbering.h - gives each distinct key a number: 0, 1, 2... in order of their first appearance. */
#ifndef LOAD_NUMBERING_H
#define LOAD_NUMBERING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load_numbering_slot;

typedef struct load_numbering {
    struct load_numbering_slot *slots;
    size_t size; /* of the table: a power of two */
    uint32_t count;
} load_numbering; /* all zero: empty */

/* load_numbering_of: false without memory, or with 2^32 - 1 keys. */
bool load_numbering_of(load_numbering *numbering, int64_t key, uint32_t *number_out);
void load_numbering_free(load_numbering *numbering);

#endif
