#include "local/shard.h"

#include <malloc.h>

#include "base/memory.h"

enum { FIRST_BUCKETS = 16, ENTRIES_A_BUCKET = 2, GHOSTS_A_GROUP = 4, SMALL_SHARE = 4, SLACK_SHARE = 256, USES_MAX = 3 };

/* Ghosts are known by 16 bits, four in a number, the last one lowest: two bytes for each, and each group a queue of its
 * own. There are half as many as there may be entries. */
struct sdi_index {
    size_t bucket_count;
    uint64_t *ghosts; /* groups; the shard's lock */
    _Atomic(sdi_kept *) buckets[];
};

/* What the allocator takes for a block: it keeps its length in front. */
static size_t room_of(const void *block)
{
    return malloc_usable_size((void *)block) + sizeof(size_t);
}

/* ---- the index */

static size_t group_count(const sdi_index *index)
{
    return index->bucket_count / GHOSTS_A_GROUP;
}

static sdi_index *make_index(size_t bucket_count)
{
    size_t ghosts = bucket_count / GHOSTS_A_GROUP * sizeof(uint64_t);
    sdi_index *index = sdi_calloc(1, sizeof *index + bucket_count * sizeof *index->buckets + ghosts);
    if (!index)
        return NULL;
    index->bucket_count = bucket_count;
    index->ghosts = (uint64_t *)(void *)(index->buckets + bucket_count);
    return index;
}

static _Atomic(sdi_kept *) *bucket_of(sdi_index *index, sdi_hash128 key)
{
    return &index->buckets[key.low & (index->bucket_count - 1)];
}

static sdi_index *index_of(const sdi_local_shard *shard)
{
    return atomic_load_explicit(&shard->index, memory_order_acquire);
}

static void link_kept(sdi_index *index, sdi_kept *kept)
{
    _Atomic(sdi_kept *) *bucket = bucket_of(index, kept->key);
    atomic_store_explicit(&kept->chained, atomic_load_explicit(bucket, memory_order_relaxed), memory_order_release);
    atomic_store_explicit(bucket, kept, memory_order_release);
}

/* Whoever stands on it goes on from there. */
static void unlink_kept(sdi_index *index, sdi_kept *kept)
{
    _Atomic(sdi_kept *) *link = bucket_of(index, kept->key);
    sdi_kept *at;
    while ((at = atomic_load_explicit(link, memory_order_relaxed)) != kept)
        link = &at->chained;
    atomic_store_explicit(link, atomic_load_explicit(&kept->chained, memory_order_relaxed), memory_order_release);
}

sdi_kept *sdi_local_shard_find(const sdi_local_shard *shard, sdi_hash128 key)
{
    sdi_kept *kept = atomic_load_explicit(bucket_of(index_of(shard), key), memory_order_acquire);
    while (kept && (kept->key.low != key.low || kept->key.high != key.high))
        kept = atomic_load_explicit(&kept->chained, memory_order_acquire);
    return kept;
}

/* A thousand hits on one key write this thrice. */
void sdi_local_shard_use(sdi_kept *kept)
{
    unsigned char uses = atomic_load_explicit(&kept->uses, memory_order_relaxed);
    if (uses < USES_MAX)
        atomic_store_explicit(&kept->uses, uses + 1, memory_order_relaxed);
}

/* ---- ghosts */

static uint64_t *ghost_group(sdi_index *index, sdi_hash128 key)
{
    return &index->ghosts[key.low & (group_count(index) - 1)];
}

static uint16_t ghost_of(sdi_hash128 key)
{
    uint16_t ghost = (uint16_t)(key.low >> 48);
    return ghost ? ghost : 1; /* 0: none */
}

static void add_ghost(sdi_index *index, sdi_hash128 key)
{
    uint64_t *group = ghost_group(index, key);
    *group = *group << 16 | ghost_of(key);
}

/* Was it one? It is none from then on: what goes again later, unused, has to earn its place anew. */
static bool take_ghost(sdi_index *index, sdi_hash128 key)
{
    uint64_t *group = ghost_group(index, key);
    for (unsigned shift = 0; shift < 64; shift += 16)
        if ((*group >> shift & UINT16_MAX) == ghost_of(key)) {
            *group &= ~((uint64_t)UINT16_MAX << shift);
            return true;
        }
    return false;
}

/* ---- queues */

static void take_from_queue(sdi_local_shard *shard, sdi_kept *kept)
{
    sdi_kept_queue *queue = &shard->queues[kept->queue];
    *(kept->newer ? &kept->newer->older : &queue->newest) = kept->older;
    *(kept->older ? &kept->older->newer : &queue->oldest) = kept->newer;
    queue->bytes -= room_of(kept);
}

static void put_into_queue(sdi_local_shard *shard, sdi_kept *kept, enum sdi_local_queue number)
{
    sdi_kept_queue *queue = &shard->queues[number];
    kept->queue = (uint8_t)number;
    kept->newer = NULL;
    kept->older = queue->newest;
    *(queue->newest ? &queue->newest->newer : &queue->oldest) = kept;
    queue->newest = kept;
    queue->bytes += room_of(kept);
}

static void retire(sdi_local_shard *shard, sdi_kept *kept)
{
    unlink_kept(index_of(shard), kept);
    take_from_queue(shard, kept);
    kept->newer = shard->retired;
    shard->retired = kept;
    shard->retired_bytes += room_of(kept);
    shard->entries--;
}

static void free_retired(sdi_local_shard *shard)
{
    if (!shard->retired)
        return;
    sdi_lender_settle(shard->lender);
    for (sdi_kept *kept = shard->retired, *next; kept; kept = next) {
        next = kept->newer;
        sdi_kept_drop(kept);
    }
    shard->bytes -= shard->retired_bytes;
    shard->retired = NULL;
    shard->retired_bytes = 0;
}

static bool is_good(const sdi_local_shard *shard, const sdi_kept *kept, int64_t now)
{
    return kept->expires_at > now && sdi_changes_none(shard->changes, kept->tags, kept->tag_count, kept->moment);
}

static void evict_from_small(sdi_local_shard *shard, sdi_kept *kept)
{
    if (atomic_load_explicit(&kept->uses, memory_order_relaxed) == 0) {
        add_ghost(index_of(shard), kept->key);
        retire(shard, kept);
        shard->evicted++;
        return;
    }
    atomic_store_explicit(&kept->uses, 0, memory_order_relaxed);
    take_from_queue(shard, kept);
    put_into_queue(shard, kept, SDI_QUEUE_MAIN);
}

static void evict_from_main(sdi_local_shard *shard, sdi_kept *kept)
{
    unsigned char uses = atomic_load_explicit(&kept->uses, memory_order_relaxed);
    if (uses == 0) {
        retire(shard, kept);
        shard->evicted++;
        return;
    }
    atomic_store_explicit(&kept->uses, uses - 1, memory_order_relaxed);
    take_from_queue(shard, kept);
    put_into_queue(shard, kept, SDI_QUEUE_MAIN);
}

/* One step: the oldest of a queue goes, or moves on. What is void goes first: forgotten ones would stand in the main
 * queue for long, and what is good have only the small one. */
static void evict(sdi_local_shard *shard, int64_t now)
{
    sdi_kept *small = shard->queues[SDI_QUEUE_SMALL].oldest, *main = shard->queues[SDI_QUEUE_MAIN].oldest;
    if (main && !is_good(shard, main, now))
        retire(shard, main);
    else if (small && !is_good(shard, small, now))
        retire(shard, small);
    else if (!main || (small && shard->queues[SDI_QUEUE_SMALL].bytes > shard->limit / SMALL_SHARE))
        evict_from_small(shard, small);
    else
        evict_from_main(shard, main);
}

/* ---- the whole */

bool sdi_local_shard_init(sdi_local_shard *shard, size_t limit, sdi_lender *lender, const sdi_changes *changes)
{
    *shard = (sdi_local_shard){.limit = limit, .lender = lender, .changes = changes};
    sdi_index *index = make_index(FIRST_BUCKETS);
    if (!index)
        return false;
    sdi_mutex_init(&shard->mutex);
    atomic_init(&shard->index, index);
    shard->bytes = room_of(index);
    return true;
}

static void drop_queue(const sdi_kept_queue *queue)
{
    for (sdi_kept *kept = queue->newest, *older; kept; kept = older) {
        older = kept->older;
        sdi_kept_drop(kept);
    }
}

/* The lender has settled. */
void sdi_local_shard_free(sdi_local_shard *shard)
{
    if (!index_of(shard))
        return;
    for (size_t i = 0; i < SDI_QUEUES; i++)
        drop_queue(&shard->queues[i]);
    free_retired(shard);
    sdi_free(index_of(shard));
    sdi_mutex_destroy(&shard->mutex);
}

static void relink(sdi_local_shard *shard, sdi_index *index)
{
    for (size_t i = 0; i < SDI_QUEUES; i++)
        for (sdi_kept *kept = shard->queues[i].newest; kept; kept = kept->older)
            link_kept(index, kept);
}

/* A ghost may be in either of the two groups that come of its own. */
static void copy_ghosts(const sdi_index *from, sdi_index *to)
{
    for (size_t i = 0; i < group_count(to); i++)
        to->ghosts[i] = from->ghosts[i & (group_count(from) - 1)];
}

/* Doubles the index; without memory the chains grow longer instead. Readers who walk a chain meanwhile may come to
 * another one, and miss what is there: it ends all the same, and a miss is always right. */
static void grow(sdi_local_shard *shard)
{
    sdi_index *before = index_of(shard);
    if (shard->entries < before->bucket_count * ENTRIES_A_BUCKET)
        return;
    sdi_index *index = make_index(before->bucket_count * 2);
    if (!index)
        return;
    copy_ghosts(before, index);
    relink(shard, index);
    atomic_store_explicit(&shard->index, index, memory_order_release);
    shard->bytes += room_of(index) - room_of(before);
    sdi_lender_settle(shard->lender);
    sdi_free(before);
}

/* A part of the room stays free, so that it pays to settle: for many at once. */
static void make_room(sdi_local_shard *shard, size_t room, int64_t now)
{
    size_t target = shard->limit - shard->limit / SLACK_SHARE;
    while (shard->entries && shard->bytes - shard->retired_bytes + room > target)
        evict(shard, now);
    if (shard->bytes + room > shard->limit)
        free_retired(shard);
}

static void add(sdi_local_shard *shard, sdi_kept *kept, sdi_kept *before, int64_t now)
{
    enum sdi_local_queue queue = take_ghost(index_of(shard), kept->key) ? SDI_QUEUE_MAIN : SDI_QUEUE_SMALL;
    if (before) {
        queue = (enum sdi_local_queue)before->queue;
        atomic_init(&kept->uses, atomic_load_explicit(&before->uses, memory_order_relaxed));
        retire(shard, before);
    }
    grow(shard);
    make_room(shard, room_of(kept), now);
    link_kept(index_of(shard), kept);
    put_into_queue(shard, kept, queue);
    shard->entries++;
    shard->bytes += room_of(kept);
}

/* Of two answers to one question the one asked for later stays. */
void sdi_local_shard_put(sdi_local_shard *shard, sdi_kept *kept, int64_t now)
{
    sdi_lock(&shard->mutex);
    sdi_kept *before = sdi_local_shard_find(shard, kept->key);
    bool wanted = room_of(kept) <= shard->limit / SMALL_SHARE && is_good(shard, kept, now) &&
                  !(before && before->moment > kept->moment && is_good(shard, before, now));
    if (wanted)
        add(shard, kept, before, now);
    sdi_unlock(&shard->mutex);
    if (!wanted)
        sdi_kept_drop(kept);
}

void sdi_local_shard_sweep(sdi_local_shard *shard, int64_t now)
{
    sdi_lock(&shard->mutex);
    for (size_t i = 0; i < SDI_QUEUES; i++)
        for (sdi_kept *kept = shard->queues[i].oldest, *newer; kept; kept = newer) {
            newer = kept->newer;
            if (!is_good(shard, kept, now))
                retire(shard, kept);
        }
    free_retired(shard);
    sdi_unlock(&shard->mutex);
}
