#include "cache/memcached/gather.h"

#include "base/memory.h"

enum { POINTS_MAX = 8 };

/* What happens to one key: a gathering that is carried, and the one after it. */
typedef struct place {
    char *key;
    size_t length;
    sdi_gathering *carried, *next;
} place;

struct sdi_gathering {
    place *at;
    size_t members; /* who still looks at it */
    bool taken, ended, merged;
    sdi_condition changed;
    int64_t ttl_ms;
    size_t count;
    bool mixed; /* more eras, or more that is pending, than fit: the fence is deleted, which is always safe */
    sdi_point points[POINTS_MAX]; /* in order; neighbours are of different eras */
};

void sdi_gather_init(sdi_gather *gather)
{
    *gather = (sdi_gather){.places = SDI_MAP_INIT};
    sdi_mutex_init(&gather->lock);
}

/* Nobody runs any more, so there are no places left. */
void sdi_gather_free(sdi_gather *gather)
{
    sdi_map_free(&gather->places);
    sdi_mutex_destroy(&gather->lock);
}

void sdi_gather_abandon(sdi_gather *gather)
{
    if (pthread_mutex_trylock(&gather->lock) != 0)
        return;
    sdi_unlock(&gather->lock);
    sdi_gather_free(gather);
}

static place *find_place(sdi_gather *gather, sdi_slice key)
{
    place *found = sdi_map_get(&gather->places, key);
    if (found)
        return found;
    found = sdi_calloc(1, sizeof *found);
    if (!found)
        return NULL;
    found->key = sdi_memdup0(key.data, key.length);
    found->length = key.length;
    if (found->key && sdi_map_set(&gather->places, key, found))
        return found;
    sdi_free(found->key);
    sdi_free(found);
    return NULL;
}

static void leave_place(sdi_gather *gather, place *left)
{
    if (left->carried || left->next)
        return;
    sdi_map_remove(&gather->places, (sdi_slice){left->key, left->length});
    sdi_free(left->key);
    sdi_free(left);
}

static sdi_gathering *make_gathering(place *at)
{
    sdi_gathering *gathering = sdi_malloc(sizeof *gathering);
    if (!gathering)
        return NULL;
    gathering->at = at;
    gathering->members = gathering->count = 0;
    gathering->taken = gathering->ended = gathering->merged = gathering->mixed = false;
    gathering->ttl_ms = 0;
    sdi_condition_init(&gathering->changed);
    return gathering;
}

static void leave(sdi_gathering *gathering)
{
    if (--gathering->members > 0)
        return;
    sdi_condition_destroy(&gathering->changed);
    sdi_free(gathering);
}

static void add_point(sdi_gathering *gathering, const sdi_point *point, int64_t ttl_ms)
{
    sdi_point *last = gathering->count ? &gathering->points[gathering->count - 1] : NULL;
    if (ttl_ms > gathering->ttl_ms)
        gathering->ttl_ms = ttl_ms;
    if (last && sdi_era_equal(last->era, point->era))
        gathering->mixed |= !sdi_point_merge(last, point);
    else if (gathering->count < POINTS_MAX)
        gathering->points[gathering->count++] = *point;
    else
        gathering->mixed = true;
}

/* The gathering that a newcomer joins. One that waits for its leader to wake up is carried by him. */
static sdi_gathering **open_gathering(place *at)
{
    if (at->carried)
        return at->carried->taken ? &at->next : &at->carried;
    at->carried = at->next;
    at->next = NULL;
    return &at->carried;
}

sdi_gathering *sdi_gather_join(sdi_gather *gather, sdi_slice key, const sdi_point *point, int64_t ttl_ms, bool *leads)
{
    sdi_gathering *joined = NULL;
    sdi_lock(&gather->lock);
    place *at = find_place(gather, key);
    if (at) {
        *leads = !at->carried;
        sdi_gathering **open = open_gathering(at);
        if (!*open)
            *open = make_gathering(at);
        joined = *open;
        if (joined) {
            joined->members++;
            add_point(joined, point, ttl_ms);
        }
        leave_place(gather, at);
    }
    sdi_unlock(&gather->lock);
    return joined;
}

void sdi_gather_take(sdi_gather *gather, sdi_gathering *gathering)
{
    sdi_lock(&gather->lock);
    gathering->taken = true;
    sdi_unlock(&gather->lock);
}

enum sdi_fence_action sdi_gather_merge(const sdi_gathering *gathering, sdi_slice record, sdi_buffer *record_out)
{
    enum sdi_fence_action action = SDI_FENCE_KEEP;
    sdi_slice standing = record;
    sdi_buffer merged = SDI_BUFFER_INIT;
    if (gathering->mixed)
        return SDI_FENCE_DELETE;
    for (size_t i = 0; i < gathering->count && action != SDI_FENCE_DELETE; i++) {
        sdi_change change = {.point = gathering->points[i]};
        sdi_buffer_clear(&merged);
        enum sdi_fence_action step = sdi_fence_merge(standing, &change, &merged);
        if (step == SDI_FENCE_KEEP)
            continue;
        action = step;
        sdi_buffer_clear(record_out);
        sdi_buffer_append(record_out, merged.data, merged.length);
        standing = (sdi_slice){record_out->data, record_out->length};
    }
    bool failed = merged.failed || record_out->failed;
    sdi_buffer_free(&merged);
    return failed ? SDI_FENCE_DELETE : action;
}

int64_t sdi_gather_ttl(const sdi_gathering *gathering)
{
    return gathering->ttl_ms;
}

void sdi_gather_finish(sdi_gather *gather, sdi_gathering *gathering, bool merged)
{
    sdi_lock(&gather->lock);
    place *at = gathering->at;
    gathering->taken = gathering->ended = true;
    gathering->merged = merged;
    sdi_wake_all(&gathering->changed);
    at->carried = NULL;
    if (at->next)
        sdi_wake_all(&at->next->changed);
    leave_place(gather, at);
    leave(gathering);
    sdi_unlock(&gather->lock);
}

/* Nobody carries this key, and this gathering is next: whoever sees it first leads. */
static bool lead(sdi_gathering *gathering)
{
    if (gathering->ended || gathering->at->carried || gathering->at->next != gathering)
        return false;
    gathering->at->carried = gathering;
    gathering->at->next = NULL;
    return true;
}

/* The last who would have led gives up: what gathered is gone with him. */
static void give_up(sdi_gather *gather, sdi_gathering *gathering)
{
    place *at = gathering->at;
    if (!gathering->ended && gathering->members == 1 && at->next == gathering) {
        at->next = NULL;
        leave_place(gather, at);
    }
    leave(gathering);
}

enum sdi_gather_end sdi_gather_wait(sdi_gather *gather, sdi_gathering *gathering, int64_t deadline)
{
    enum sdi_gather_end end = SDI_GATHER_FAILED;
    sdi_lock(&gather->lock);
    bool leads = lead(gathering);
    while (!leads && !gathering->ended && sdi_wait(&gathering->changed, &gather->lock, deadline))
        leads = lead(gathering);
    if (leads)
        end = SDI_GATHER_LEADS;
    else if (gathering->ended && gathering->merged)
        end = SDI_GATHER_MERGED;
    if (!leads)
        give_up(gather, gathering);
    sdi_unlock(&gather->lock);
    return end;
}
