#include "cache/memcached/roster.h"

#include "base/clock.h"
#include "base/memory.h"

enum { LEASE = 2, RIPE = 3, SETTLED = 6 }; /* intervals */

void sdi_memcached_roster_init(sdi_memcached_roster *roster, int64_t interval_ms)
{
    *roster = (sdi_memcached_roster){.interval_us = interval_ms * 1000};
    sdi_mutex_init(&roster->lock);
}

void sdi_memcached_roster_free(sdi_memcached_roster *roster)
{
    for (size_t i = 0; i < roster->count; i++)
        sdi_memcached_ring_free(roster->versions[i].ring);
    sdi_mutex_destroy(&roster->lock);
}

void sdi_memcached_roster_abandon(sdi_memcached_roster *roster)
{
    if (pthread_mutex_trylock(&roster->lock) != 0)
        return; /* another thread of the parent was changing it: it is left behind */
    for (size_t i = 0; i < roster->count; i++)
        sdi_memcached_ring_abandon(roster->versions[i].ring);
}

void sdi_memcached_roster_fix(sdi_memcached_roster *roster, sdi_memcached_ring *ring)
{
    roster->versions[0] = (sdi_memcached_version){.ring = ring};
    roster->count = 1;
}

/* The lock is held. Who runs on the ring keeps it alive until he gives it back. */
static void drop(sdi_memcached_ring *ring)
{
    ring->dropped = true;
    if (ring->users == 0)
        sdi_memcached_ring_free(ring);
}

static void drop_first(sdi_memcached_roster *roster, size_t count)
{
    for (size_t i = 0; i < count; i++)
        drop(roster->versions[i].ring);
    roster->count -= count;
    memmove(roster->versions, roster->versions + count, roster->count * sizeof *roster->versions);
}

static sdi_memcached_version *newest(sdi_memcached_roster *roster)
{
    return roster->count ? &roster->versions[roster->count - 1] : NULL;
}

static bool has_lease(const sdi_memcached_roster *roster, int64_t now)
{
    return roster->count > 0 && now < roster->confirmed + LEASE * roster->interval_us;
}

/* What is left of the older rings when the newer ones have been seen long enough. */
static void forget_old(sdi_memcached_roster *roster, int64_t now)
{
    size_t old = 0;
    while (old + 1 < roster->count && now >= roster->versions[old + 1].seen + SETTLED * roster->interval_us)
        old++;
    drop_first(roster, old);
    if (old)
        sdi_memcached_ring_show(newest(roster)->ring); /* a server that was taken out is no trouble any more */
    if (now >= roster->quarantine)
        roster->quarantine = 0;
}

/* The lock is held. */
static void take_version(sdi_memcached_roster *roster, uint64_t number, sdi_memcached_ring *ring, int64_t now)
{
    const sdi_memcached_version *last = newest(roster);
    bool follows = has_lease(roster, now) && last->number + 1 == number && !roster->quarantine &&
                   roster->count < SDI_MEMCACHED_RINGS_MAX;
    if (!follows) {
        drop_first(roster, roster->count);
        roster->quarantine = now + SETTLED * roster->interval_us;
    }
    roster->versions[roster->count++] = (sdi_memcached_version){.number = number, .seen = now, .ring = ring};
}

bool sdi_memcached_roster_knows(sdi_memcached_roster *roster, uint64_t number)
{
    sdi_lock(&roster->lock);
    bool known = roster->count && newest(roster)->number >= number;
    sdi_unlock(&roster->lock);
    return known;
}

/* An older version comes of an endpoint that has not heard yet: it confirms nothing. The same version confirms, even
 * after the lease was lost: versions grow, so it has been this one all the time. */
void sdi_memcached_roster_see(sdi_memcached_roster *roster, uint64_t number, sdi_memcached_ring *ring, int64_t asked,
                              int64_t now)
{
    sdi_memcached_ring *unused = ring;
    sdi_lock(&roster->lock);
    forget_old(roster, now);
    const sdi_memcached_version *last = newest(roster);
    if (ring && (!last || number > last->number)) {
        take_version(roster, number, ring, now);
        unused = NULL;
    }
    if (roster->count && newest(roster)->number == number)
        roster->confirmed = asked;
    sdi_unlock(&roster->lock);
    sdi_memcached_ring_free(unused);
}

bool sdi_memcached_roster_waits(sdi_memcached_roster *roster, int64_t now)
{
    sdi_lock(&roster->lock);
    forget_old(roster, now);
    bool waits = roster->quarantine != 0;
    sdi_unlock(&roster->lock);
    return waits;
}

void sdi_memcached_roster_marked(sdi_memcached_roster *roster, uint64_t number)
{
    sdi_lock(&roster->lock);
    if (roster->count && newest(roster)->number == number)
        roster->quarantine = 0;
    sdi_unlock(&roster->lock);
}

bool sdi_memcached_roster_settled(sdi_memcached_roster *roster, int64_t now)
{
    sdi_lock(&roster->lock);
    forget_old(roster, now);
    bool settled = roster->count == 1 && !roster->quarantine;
    sdi_unlock(&roster->lock);
    return settled;
}

static void select_ring(sdi_memcached_selection *selection, sdi_memcached_ring *ring)
{
    ring->users++;
    selection->rings[selection->count++] = ring;
}

/* The newest ring that has been known long enough for all to write to it; else the oldest. */
static size_t read_index(const sdi_memcached_roster *roster, int64_t now)
{
    size_t index = roster->count - 1;
    while (index > 0 && now < roster->versions[index].seen + RIPE * roster->interval_us)
        index--;
    return index;
}

sdi_memcached_selection sdi_memcached_roster_select(sdi_memcached_roster *roster, int64_t now)
{
    sdi_memcached_selection selection = {.expiry = SDI_NEVER};
    if (!roster->interval_us) {
        selection.rings[selection.count++] = roster->versions[0].ring;
        return selection;
    }
    sdi_lock(&roster->lock);
    forget_old(roster, now);
    selection.expiry = roster->confirmed + LEASE * roster->interval_us;
    if (has_lease(roster, now) && !roster->quarantine) {
        size_t read = read_index(roster, now);
        select_ring(&selection, roster->versions[read].ring);
        for (size_t i = 0; i < roster->count; i++)
            if (i != read)
                select_ring(&selection, roster->versions[i].ring);
    }
    sdi_unlock(&roster->lock);
    return selection;
}

sdi_memcached_selection sdi_memcached_roster_newest(sdi_memcached_roster *roster, uint64_t *number_out)
{
    sdi_memcached_selection selection = {.expiry = SDI_NEVER};
    sdi_lock(&roster->lock);
    if (roster->count) {
        *number_out = newest(roster)->number;
        select_ring(&selection, newest(roster)->ring);
    }
    sdi_unlock(&roster->lock);
    return selection;
}

void sdi_memcached_roster_return(sdi_memcached_roster *roster, sdi_memcached_selection *selection)
{
    if (!roster->interval_us)
        return; /* the ring was not counted */
    sdi_lock(&roster->lock);
    for (size_t i = 0; i < selection->count; i++) {
        sdi_memcached_ring *ring = selection->rings[i];
        if (--ring->users == 0 && ring->dropped)
            sdi_memcached_ring_free(ring);
    }
    selection->count = 0;
    sdi_unlock(&roster->lock);
}
