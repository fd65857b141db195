#include "client/coherence.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/proving.h"
#include "client/fencing.h"
#include "client/lookup.h"
#include "client/stale.h"
#include "model/policy.h"
#include "model/wire.h"

/* -------------------------------------------------------------------------------------------------------- listening */

/* What was put until now may hang on what was published while nobody listened; so may what is on its way. */
static void begin_hearing(void *context)
{
    sdi_core *core = context;
    if (SDI_RULE(local_lost))
        sdi_local_forget_all(core->coherence.local);
    sdi_log_bare(core->log, SDI_LOG_LOCAL_LISTENING);
}

static void change(sdi_local *local, const void *message, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sdi_local_changed(local, sdi_read_u64((const char *)message + i * SDI_CHANGED_TAG_BYTES));
}

/* What cannot be told apart may be anything: there were too many, or a later version knows what it is. */
static void hear(void *context, sdi_slice message)
{
    sdi_core *core = context;
    sdi_count(core->metrics, SDI_M_LOCAL_MESSAGES, 0, 1);
    if (message.length % SDI_CHANGED_TAG_BYTES)
        sdi_local_forget_all(core->coherence.local);
    change(core->coherence.local, message.data, message.length / SDI_CHANGED_TAG_BYTES);
}

/* Behind the changes that were heard before: whoever reads this watermark finds them. */
static void set_watermark(void *context, int64_t moment)
{
    sdi_coherence *c = &((sdi_core *)context)->coherence;
    atomic_store_explicit(&c->covered, c->candidate, memory_order_release);
    atomic_store_explicit(&c->watermark, moment, memory_order_release);
    c->candidate = atomic_load_explicit(&c->seen, memory_order_relaxed);
}

static bool is_wanted(void *context)
{
    return atomic_exchange_explicit(&((sdi_core *)context)->coherence.wanted, false, memory_order_relaxed);
}

static void lose(void *context, const char *why)
{
    sdi_core *core = context;
    bool heard = atomic_exchange(&core->coherence.watermark, 0) != 0;
    sdi_count(core->metrics, heard ? SDI_M_LOCAL_LOST : SDI_M_LOCAL_FAILED, 0, 1);
    SDI_LOG(core->log, SDI_LOG_LOCAL_LOST, SDI_TEXT(why));
}

static bool listen(sdi_core *core)
{
    sdi_coherence *c = &core->coherence;
    enum { BEATS = 4 }; /* within the bound */
    int64_t interval_ms = core->settings->local.coherence_ms / BEATS;
    c->listener = (sdi_cache_listener){.context = core,
                                       .channel = c->channel.data,
                                       .interval_ms = interval_ms ? interval_ms : 1,
                                       .began = begin_hearing,
                                       .heard = hear,
                                       .confirmed = set_watermark,
                                       .wanted = is_wanted,
                                       .lost = lose};
    return sdi_cache_listen(core->cache, &c->listener);
}

/* ------------------------------------------------------------------------------------------------- begin and end */

/* In strict mode no answer may lack what a killed writer left, of which no message tells. */
bool sdi_coherence_kind(const sdi_settings *settings, const sdi_cache *cache, enum sdi_coherence_kind *kind)
{
    const sdi_local_settings *local = &settings->local;
    bool shared = settings->cache.kind != SDI_CACHE_NONE && settings->cache.kind != SDI_CACHE_MEMORY;
    if (!shared || !local->bytes || !local->coherence_ms || sdi_mode_marks(settings->cache.mode))
        return false;
    if (!sdi_mode_fences(settings->cache.mode))
        *kind = SDI_COHERENCE_PLAIN;
    else
        *kind = sdi_cache_carries(cache) ? SDI_COHERENCE_HEARD : SDI_COHERENCE_TIMED;
    return *kind != SDI_COHERENCE_TIMED || local->ttl_ms;
}

int sdi_coherence_begin(sdi_core *core, shopdata_error **error_out)
{
    sdi_coherence *c = &core->coherence;
    sdi_mutex_init(&c->lock);
    sdi_buffer_printf(&c->channel, "%s:changes", core->settings->cache.key_prefix);
    if (c->channel.failed)
        return sdi_no_memory(error_out);
    if (!sdi_coherence_kind(core->settings, core->cache, &c->kind))
        return SHOPDATA_OK;
    c->bound_us = core->settings->local.coherence_ms * 1000;
    c->local = sdi_local_new((size_t)core->settings->local.bytes);
    c->known = sdi_calloc(SDI_KNOWN_TOKENS, sizeof *c->known);
    if (!c->local || !c->known)
        return sdi_no_memory(error_out);
    if (c->kind == SDI_COHERENCE_HEARD && !listen(core))
        return sdi_fail(error_out, SHOPDATA_ERR_NO_MEMORY,
                        "no thread to listen to the cache: the system's limit is reached");
    return SHOPDATA_OK;
}

void sdi_coherence_free(sdi_coherence *coherence)
{
    sdi_local_free(coherence->local);
    sdi_free(coherence->known);
    sdi_mutex_destroy(&coherence->lock);
    sdi_buffer_free(&coherence->channel);
}

void sdi_coherence_abandon(sdi_coherence *coherence)
{
    sdi_local_abandon(coherence->local);
    sdi_free(coherence->known);
}

void sdi_coherence_gauges(sdi_core *core)
{
    sdi_coherence *c = &core->coherence;
    if (!c->local)
        return;
    sdi_local_usage used = sdi_local_used(c->local);
    uint64_t counted = atomic_load(&c->evictions);
    while (counted < used.evicted && !atomic_compare_exchange_weak(&c->evictions, &counted, used.evicted))
        continue;
    int64_t watermark = atomic_load(&c->watermark);
    sdi_gauge(core->metrics, SDI_M_LOCAL_BYTES, 0, (double)used.bytes);
    sdi_gauge(core->metrics, SDI_M_LOCAL_ENTRIES, 0, (double)used.entries);
    if (c->kind == SDI_COHERENCE_HEARD)
        sdi_gauge(core->metrics, SDI_M_LOCAL_WATERMARK_AGE, 0,
                  watermark ? (double)(sdi_uptime() - watermark) / 1e6 : -1);
    if (used.evicted > counted)
        sdi_count(core->metrics, SDI_M_LOCAL_EVICTIONS, 0, used.evicted - counted);
}

/* --------------------------------------------------------------------------------------------------------- hitting */

/* What of that which is kept is good for a session: what was asked for at `since` or later. */
typedef struct verdict {
    enum sdi_local_miss miss; /* SDI_LOCAL_MISSES: none yet */
    uint64_t since;
    int64_t behind_us; /* so long ago another process's write may have overtaken it; -1: as old as it is */
} verdict;

/* Looked at first: hits write nothing that other cores read. */
static void want(sdi_coherence *c)
{
    if (!atomic_load_explicit(&c->wanted, memory_order_relaxed))
        atomic_store_explicit(&c->wanted, true, memory_order_relaxed);
}

static verdict judge_heard(sdi_core *core, const shopdata_session *session, int64_t now)
{
    sdi_coherence *c = &core->coherence;
    want(c);
    int64_t most_us = session->max_staleness_ms ? session->max_staleness_ms * 1000 : c->bound_us;
    int64_t watermark = atomic_load_explicit(&c->watermark, memory_order_acquire);
    bool behind = watermark == 0 || now - watermark > most_us;
    bool news = watermark < session->news_at && SDI_RULE(local_token);
    if (behind)
        sdi_cache_rouse(core->cache);
    return (verdict){.miss = behind && SDI_RULE(local_watermark) ? SDI_LOCAL_MISS_BEHIND : SDI_LOCAL_MISSES,
                     .since = news ? session->news_mark : 0,
                     .behind_us = now > watermark ? now - watermark : 0};
}

/* Where no message comes the moment of a session's news is never confirmed. */
static verdict judge_timed(const sdi_core *core, const shopdata_session *session)
{
    int64_t ttl_ms = core->settings->local.ttl_ms, most_ms = session->max_staleness_ms;
    return (verdict){.miss = most_ms && most_ms < ttl_ms ? SDI_LOCAL_MISS_BEHIND : SDI_LOCAL_MISSES,
                     .since = session->news_mark,
                     .behind_us = ttl_ms * 1000};
}

/* In mode ttl no message tells of a session's own writes either. */
static verdict judge_plain(const shopdata_session *session)
{
    bool wrote = session->token.wrote || session->token.unknown;
    return (verdict){.miss = wrote ? SDI_LOCAL_MISS_SESSION : SDI_LOCAL_MISSES, .behind_us = -1};
}

/* The one judgement of what is kept here. Of tags that a session could not tell of the shared cache knows more. */
static verdict judge(sdi_core *core, const shopdata_session *session, int64_t now)
{
    if (session->token.tag_count || session->token.all_tags)
        return (verdict){.miss = SDI_LOCAL_MISS_SESSION};
    switch (core->coherence.kind) {
    case SDI_COHERENCE_HEARD:
        return judge_heard(core, session, now);
    case SDI_COHERENCE_TIMED:
        return judge_timed(core, session);
    default:
        return judge_plain(session);
    }
}

static int64_t age_us(const shopdata_result *answer)
{
    int64_t age = sdi_wall() - answer->read_at;
    return age > 0 ? age : 0;
}

/* Signs it; false if it is too old, or of before a promotion, which may have lost what it shows. */
static bool take(const sdi_core *core, const shopdata_session *session, const verdict *v, shopdata_result *answer,
                 const sdi_local_seen *seen)
{
    int64_t most_ms = session->max_staleness_ms;
    bool aged = v->behind_us < 0;
    int64_t behind_us = aged ? age_us(answer) : v->behind_us;
    answer->source = SHOPDATA_FROM_LOCAL;
    answer->staleness_ms = behind_us / 1000 + 1;
    return seen->timeline >= atomic_load_explicit(&core->coherence.timeline, memory_order_relaxed) &&
           !(aged && most_ms && behind_us > most_ms * 1000);
}

bool sdi_coherence_serves(const sdi_core *core, const sdi_policy_settings *policy, unsigned flags)
{
    return core->coherence.local && policy->cache && policy->local && !(flags & (SHOPDATA_NO_CACHE | SHOPDATA_PRIMARY));
}

shopdata_result *sdi_coherence_look(sdi_core *core, const shopdata_session *session, sdi_hash128 key, int64_t now,
                                    bool counts, sdi_local_seen *seen_out)
{
    shopdata_result *answer = NULL;
    verdict v = judge(core, session, now);
    if (v.miss == SDI_LOCAL_MISSES) {
        answer = sdi_local_get(core->coherence.local, key, now, v.since, seen_out);
        v.miss = v.since ? SDI_LOCAL_MISS_SESSION : SDI_LOCAL_MISS_ABSENT;
    }
    if (answer && take(core, session, &v, answer, seen_out))
        return answer;
    shopdata_result_free(answer);
    if (counts)
        sdi_count(core->metrics, SDI_M_LOCAL_MISSES, v.miss, 1);
    return NULL;
}

shopdata_result *sdi_coherence_get(sdi_core *core, shopdata_session *session, sdi_hash128 key, int64_t now, bool counts)
{
    sdi_local_seen seen;
    shopdata_result *answer = sdi_coherence_look(core, session, key, now, counts, &seen);
    if (answer)
        sdi_session_saw_local(session, &seen);
    return answer;
}

/* --------------------------------------------------------------------------------------------------------- keeping */

uint64_t sdi_coherence_moment(const sdi_core *core)
{
    return core->coherence.local ? sdi_local_moment(core->coherence.local) : 0;
}

/* Its policy's time counts from when it was read; hosts whose clocks differ cannot make more of it than that. */
static int64_t time_left_us(const sdi_core *core, const sdi_read *read, int64_t expires_at)
{
    int64_t ttl_us = sdi_policy_ttl(read->policy, shopdata_result_rows(read->result) == 0) * 1000;
    int64_t until = expires_at ? expires_at : read->result->read_at + ttl_us;
    int64_t left = until - sdi_wall();
    if (core->coherence.kind == SDI_COHERENCE_TIMED && left > core->settings->local.ttl_ms * 1000)
        left = core->settings->local.ttl_ms * 1000;
    return left < ttl_us ? left : ttl_us;
}

static size_t hash_tags(const sdi_read *read, sdi_local_tag *tags)
{
    size_t count = shopdata_result_rows(read->result) ? read->tags.required : read->tags.count;
    for (size_t i = 0; i < count; i++) {
        sdi_slice tag = sdi_tags_at(&read->tags, i);
        tags[i] = sdi_hash64(tag.data, tag.length);
    }
    return count;
}

static bool is_kept(const sdi_core *core, const sdi_read *read)
{
    bool judged = read->fences_read || core->coherence.kind == SDI_COHERENCE_PLAIN;
    size_t most = sdi_policy_bytes_max(read->policy, core->settings->cache.max_entry_bytes);
    return sdi_coherence_serves(core, read->policy, read->flags) && read->cached && read->stamped && judged &&
           read->stamp.seen && read->tags.count <= SDI_LOCAL_TAGS_MAX && read->result->rows_length <= most;
}

void sdi_coherence_keep(sdi_core *core, const sdi_read *read, int64_t expires_at)
{
    sdi_local_tag tags[SDI_LOCAL_TAGS_MAX];
    if (!is_kept(core, read))
        return;
    int64_t left = time_left_us(core, read, expires_at);
    if (left <= 0)
        return;
    sdi_local_entry entry = {.moment = SDI_RULE(local_insert) ? read->moment : sdi_coherence_moment(core),
                             .expires_at = sdi_uptime() + left,
                             .tags = tags,
                             .tag_count = hash_tags(read, tags),
                             .seen = {.lsn = read->stamp.seen, .timeline = read->stamp.era.timeline}};
    sdi_local_put(core->coherence.local, read->local_key, read->result, &entry);
}

/* --------------------------------------------------------------------------------------------------------- changes */

static void put_tags(const sdi_core *core, const sdi_cache_op *operations, size_t count, unsigned char *message)
{
    size_t before = sdi_core_fences(core).length;
    for (size_t i = 0; i < count; i++) {
        sdi_slice key = operations[i].key;
        sdi_put_u64(message + i * SDI_CHANGED_TAG_BYTES, sdi_hash64(key.data + before, key.length - before));
    }
}

size_t sdi_coherence_publish(sdi_core *core, sdi_cache_op *operations, size_t count, unsigned char *message)
{
    put_tags(core, operations, count, message);
    if (!sdi_cache_carries(core->cache) || (!SDI_RULE(local_publish) && !sdi_misfence_meets(core, operations, count)))
        return 0;
    operations[count] = (sdi_cache_op){
        .verb = SDI_CACHE_PUBLISH,
        .key = {core->coherence.channel.data, core->coherence.channel.length},
        .value = {(const char *)message, count > SDI_CHANGED_TAGS_MAX ? 1 : count * SDI_CHANGED_TAG_BYTES},
    };
    return 1;
}

void sdi_coherence_changed(sdi_core *core, const unsigned char *message, size_t count)
{
    sdi_local *local = core->coherence.local;
    if (!local || !SDI_RULE(local_own))
        return;
    if (message)
        change(local, message, count);
    else
        sdi_local_forget_all(local);
}

void sdi_coherence_timeline(sdi_core *core, sdi_era era)
{
    atomic_store_explicit(&core->coherence.system, era.system, memory_order_relaxed);
    atomic_store_explicit(&core->coherence.timeline, era.timeline, memory_order_relaxed);
}

/* Of several at once the furthest stays. */
static void raise(_Atomic sdi_lsn *seen, sdi_lsn lsn)
{
    sdi_lsn before = atomic_load_explicit(seen, memory_order_relaxed);
    while (before < lsn &&
           !atomic_compare_exchange_weak_explicit(seen, &before, lsn, memory_order_relaxed, memory_order_relaxed))
        continue;
}

bool sdi_coherence_news(sdi_core *core, sdi_era era, sdi_lsn lsn)
{
    sdi_coherence *c = &core->coherence;
    raise(&c->seen, lsn);
    return lsn == 0 || lsn > atomic_load_explicit(&c->covered, memory_order_acquire) ||
           era.timeline != atomic_load_explicit(&c->timeline, memory_order_relaxed);
}

/* Of two tokens in one place the later stays: the other is news once more. */
int64_t sdi_coherence_token(sdi_core *core, sdi_slice text, int64_t news_at)
{
    sdi_coherence *c = &core->coherence;
    if (!c->known)
        return news_at;
    uint64_t hash = sdi_hash128_seeded(text.data, text.length, core->local_seed).low;
    sdi_lock(&c->lock);
    sdi_known_token *known = &c->known[hash % SDI_KNOWN_TOKENS];
    if (known->hash != hash)
        *known = (sdi_known_token){hash, news_at};
    news_at = known->news_at;
    sdi_unlock(&c->lock);
    return news_at;
}
