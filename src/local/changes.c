#include "local/changes.h"

#include "base/memory.h"

enum { CELL_BITS_MIN = 6, CELL_BITS_MAX = 28 };

bool sdi_changes_init(sdi_changes *changes, size_t bytes)
{
    *changes = (sdi_changes){.cell_bits = CELL_BITS_MIN};
    while (changes->cell_bits < CELL_BITS_MAX && sdi_changes_bytes(changes) * 2 <= bytes)
        changes->cell_bits++;
    changes->cells = sdi_calloc((size_t)1 << changes->cell_bits, sizeof *changes->cells);
    return changes->cells != NULL;
}

void sdi_changes_free(sdi_changes *changes)
{
    sdi_free((void *)changes->cells);
}

size_t sdi_changes_bytes(const sdi_changes *changes)
{
    return sizeof *changes->cells << changes->cell_bits;
}

uint64_t sdi_changes_now(const sdi_changes *changes)
{
    return atomic_load_explicit(&changes->clock, memory_order_acquire);
}

uint64_t sdi_changes_tick(sdi_changes *changes)
{
    return atomic_fetch_add_explicit(&changes->clock, 1, memory_order_acq_rel) + 1;
}

/* Of two that come at once the later number stays. */
static void raise_to(_Atomic uint64_t *cell, uint64_t number)
{
    uint64_t found = atomic_load_explicit(cell, memory_order_relaxed);
    while (found < number &&
           !atomic_compare_exchange_weak_explicit(cell, &found, number, memory_order_release, memory_order_relaxed))
        continue;
}

static _Atomic uint64_t *first_cell(const sdi_changes *changes, uint32_t tag)
{
    return &changes->cells[tag & (((uint32_t)1 << changes->cell_bits) - 1)];
}

/* The upper bits of the product depend on those of the tag that the first cell leaves out. */
static _Atomic uint64_t *second_cell(const sdi_changes *changes, uint32_t tag)
{
    return &changes->cells[tag * UINT32_C(0x9E3779B1) >> (32 - changes->cell_bits)];
}

void sdi_changes_tell(sdi_changes *changes, uint32_t tag)
{
    uint64_t number = sdi_changes_tick(changes);
    raise_to(first_cell(changes, tag), number);
    raise_to(second_cell(changes, tag), number);
}

void sdi_changes_tell_all(sdi_changes *changes)
{
    raise_to(&changes->forgotten, sdi_changes_tick(changes));
}

static bool changed(const _Atomic uint64_t *cell, uint64_t since)
{
    return atomic_load_explicit(cell, memory_order_acquire) > since;
}

bool sdi_changes_none(const sdi_changes *changes, const uint32_t *tags, size_t count, uint64_t since)
{
    if (changed(&changes->forgotten, since))
        return false;
    for (size_t i = 0; i < count; i++)
        if (changed(first_cell(changes, tags[i]), since) && changed(second_cell(changes, tags[i]), since))
            return false;
    return true;
}
