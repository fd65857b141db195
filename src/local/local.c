#include "local/local.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "local/origins.h"
#include "local/shard.h"

enum { SHARDS_MAX = 16, SHARD_BYTES_MIN = 256 * 1024, CHANGES_SHARE = 64, REST_SHARE = 256 };

struct sdi_local {
    size_t limit, fixed; /* fixed: bytes that are taken from the beginning */
    sdi_lender *lender;
    sdi_changes changes;
    sdi_origins origins;
    size_t shard_count; /* a power of two */
    sdi_local_shard *shards;
};

/* Shards are locked by whoever puts only, so a few are enough; small ones would evict what others have room for. */
static size_t shards_for(size_t bytes)
{
    long processors = sysconf(_SC_NPROCESSORS_CONF);
    size_t count = 1;
    while (count < SHARDS_MAX && (long)count < processors && bytes / (count * 2) >= SHARD_BYTES_MIN)
        count *= 2;
    return count;
}

static bool make_shards(sdi_local *local)
{
    size_t count = shards_for(local->limit);
    local->shards = sdi_calloc(count, sizeof *local->shards);
    if (!local->shards)
        return false;
    local->fixed += count * sizeof *local->shards;
    size_t room = local->limit > local->fixed ? local->limit - local->fixed : 0;
    for (; local->shard_count < count; local->shard_count++)
        if (!sdi_local_shard_init(&local->shards[local->shard_count], room / count, local->lender, &local->changes))
            return false;
    return true;
}

static bool make_fixed(sdi_local *local)
{
    local->lender = sdi_lender_new(local->limit / REST_SHARE);
    bool good = sdi_origins_init(&local->origins, local->limit / REST_SHARE) && local->lender &&
                sdi_changes_init(&local->changes, local->limit / CHANGES_SHARE);
    if (good)
        local->fixed = sizeof *local + sdi_lender_bytes(local->lender) + sdi_changes_bytes(&local->changes) +
                       sdi_origins_bytes(&local->origins);
    return good;
}

sdi_local *sdi_local_new(size_t bytes)
{
    sdi_local *local = sdi_calloc(1, sizeof *local);
    if (!local)
        return NULL;
    local->limit = bytes;
    if (make_fixed(local) && make_shards(local))
        return local;
    sdi_local_free(local);
    return NULL;
}

void sdi_local_free(sdi_local *local)
{
    if (!local)
        return;
    if (local->lender)
        sdi_lender_settle(local->lender);
    for (size_t i = 0; i < local->shard_count; i++)
        sdi_local_shard_free(&local->shards[i]);
    sdi_free(local->shards);
    if (local->lender)
        sdi_lender_close(local->lender);
    sdi_changes_free(&local->changes);
    sdi_origins_free(&local->origins);
    sdi_free(local);
}

/* Tries every lock: what all are free of is whole. It leaves them locked where one is not. */
static bool nobody_holds(sdi_local *local)
{
    if (!sdi_try_lock(&local->origins.mutex))
        return false;
    for (size_t i = 0; i < local->shard_count; i++)
        if (!sdi_try_lock(&local->shards[i].mutex))
            return false;
    return sdi_lender_hold(local->lender);
}

void sdi_local_abandon(sdi_local *local)
{
    if (!local || !nobody_holds(local))
        return;
    sdi_lender_let_go(local->lender);
    for (size_t i = 0; i < local->shard_count; i++)
        sdi_unlock(&local->shards[i].mutex);
    sdi_unlock(&local->origins.mutex);
    sdi_local_free(local);
}

uint64_t sdi_local_moment(const sdi_local *local)
{
    return sdi_changes_now(&local->changes);
}

uint64_t sdi_local_mark(sdi_local *local)
{
    return sdi_changes_tick(&local->changes);
}

/* 32 bits of a tag are enough: they choose two cells out of fewer. */
static uint32_t short_tag(sdi_local_tag tag)
{
    return (uint32_t)(tag ^ tag >> 32);
}

void sdi_local_changed(sdi_local *local, sdi_local_tag tag)
{
    sdi_changes_tell(&local->changes, short_tag(tag));
}

void sdi_local_forget_all(sdi_local *local)
{
    sdi_changes_tell_all(&local->changes);
    int64_t now = sdi_uptime();
    for (size_t i = 0; i < local->shard_count; i++)
        sdi_local_shard_sweep(&local->shards[i], now);
}

static sdi_local_shard *shard_of(sdi_local *local, sdi_hash128 key)
{
    return &local->shards[key.high & (local->shard_count - 1)];
}

static sdi_kept *make_kept(sdi_hash128 key, const shopdata_result *answer, const sdi_local_entry *entry, size_t origin)
{
    sdi_kept *kept = sdi_malloc(sizeof *kept + entry->tag_count * sizeof *kept->tags + answer->rows_length);
    if (!kept)
        return NULL;
    *kept = (sdi_kept){.key = key,
                       .moment = entry->moment,
                       .seen = entry->seen.lsn,
                       .expires_at = entry->expires_at,
                       .read_at = answer->read_at,
                       .rows_length = (uint32_t)answer->rows_length,
                       .origin = (uint8_t)origin,
                       .tag_count = (uint8_t)entry->tag_count};
    atomic_init(&kept->references, 1);
    for (size_t i = 0; i < entry->tag_count; i++)
        kept->tags[i] = short_tag(entry->tags[i]);
    memcpy(sdi_kept_rows(kept), answer->rows, answer->rows_length);
    return kept;
}

/* There are too many, most of them of timelines that are over: all begins anew, in place of what is kept. Who has found
 * an entry good before that is through when the lender has settled; who has a number has a moment of before, and comes
 * to nothing with it. With the mutex. */
static void renew_origins(sdi_local *local)
{
    sdi_changes_tell_all(&local->changes);
    sdi_lender_settle(local->lender);
    sdi_origins_clear(&local->origins);
}

/* SDI_ORIGINS_MAX where the entry is not to be kept. */
static size_t number_origin(sdi_local *local, const shopdata_result *answer, const sdi_local_entry *entry)
{
    sdi_lock(&local->origins.mutex);
    size_t number = sdi_origins_number(&local->origins, answer->node, entry->seen.timeline);
    if (number == SDI_ORIGINS_MAX)
        renew_origins(local);
    sdi_unlock(&local->origins.mutex);
    return number;
}

void sdi_local_put(sdi_local *local, sdi_hash128 key, const shopdata_result *answer, const sdi_local_entry *entry)
{
    if (entry->tag_count > SDI_LOCAL_TAGS_MAX || answer->rows_length > UINT32_MAX)
        return;
    size_t origin = number_origin(local, answer, entry);
    sdi_kept *kept = origin < SDI_ORIGINS_MAX ? make_kept(key, answer, entry, origin) : NULL;
    if (kept)
        sdi_local_shard_put(shard_of(local, key), kept, sdi_uptime());
}

static bool is_good(const sdi_local *local, const sdi_kept *kept, int64_t now, uint64_t since)
{
    return kept->expires_at > now && kept->moment >= since &&
           sdi_changes_none(&local->changes, kept->tags, kept->tag_count, kept->moment);
}

/* While its origin has that number. */
static void sign(const sdi_local *local, const sdi_kept *kept, shopdata_result *result, sdi_local_seen *seen_out)
{
    const sdi_origin *origin = sdi_origins_at(&local->origins, kept->origin);
    result->read_at = kept->read_at;
    memcpy(result->node, origin->node, sizeof result->node);
    *seen_out = (sdi_local_seen){kept->seen, origin->timeline};
}

shopdata_result *sdi_local_get(sdi_local *local, sdi_hash128 key, int64_t now, uint64_t since, sdi_local_seen *seen_out)
{
    sdi_stripe *stripe = sdi_lender_enter(local->lender);
    sdi_kept *kept = sdi_local_shard_find(shard_of(local, key), key);
    bool good = kept && is_good(local, kept, now, since);
    shopdata_result *result = good ? sdi_lend(local->lender, stripe, kept) : NULL;
    if (result)
        sign(local, kept, result, seen_out);
    sdi_lender_leave(stripe);
    if (result)
        sdi_local_shard_use(kept);
    return result;
}

sdi_local_usage sdi_local_used(sdi_local *local)
{
    sdi_local_usage usage = {.limit = local->limit, .bytes = local->fixed};
    for (size_t i = 0; i < local->shard_count; i++) {
        sdi_local_shard *shard = &local->shards[i];
        sdi_lock(&shard->mutex);
        usage.bytes += shard->bytes;
        usage.entries += shard->entries;
        usage.evicted += shard->evicted;
        sdi_unlock(&shard->mutex);
    }
    return usage;
}
