#include "cache/memcached/batch.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/proving.h"
#include "base/random.h"
#include "cache/operation.h"

enum { BACKOFF_US = 100, BACKOFF_MAX_US = 5000, SMALL = 6, KEY_USUAL = 100 };

enum state {
    PLAIN,   /* one request does it */
    READING, /* of SWAP and MERGE: what stands has to be read */
    WRITING, /* and then put, if it still stands */
    JOINED,  /* another carries this MERGE, or this SWAP is carried by the one before it */
    ENDED,
};

typedef struct task task;
struct task {
    sdi_cache_op *operation;
    sdi_slice key; /* on the wire */
    size_t server;
    enum state state;
    task *first;              /* of this key in its step */
    task *next;               /* SWAPs of one key hang on the first of them */
    sdi_gathering *gathering; /* MERGE */
    char *standing;           /* what was read */
    size_t standing_length;
    uint64_t cas;
    sdi_buffer record; /* what becomes of it */
    sdi_slice value;
    int64_t lifetime;
};

/* Room for the look for one answer, as most are: on the stack. */
typedef struct small_room {
    task tasks[SMALL];
    sdi_memcached_request requests[SMALL];
    task *askers[SMALL];
    char keys[SMALL * KEY_USUAL];
} small_room;

typedef struct batch {
    sdi_memcached_ring *ring;
    sdi_gather *gather;
    int64_t deadline;
    bool blamed;
    bool failed;
    bool missed; /* a GET was not answered */
    bool raced;  /* another process was faster */
    sdi_memcached_handle *handle;
    task *tasks;
    sdi_memcached_request *requests; /* of one round trip */
    task **askers;                   /* whose they are */
    size_t asked;
    sdi_buffer keys;
} batch;

/* ----------------------------------------------------------------------------------------------------- single tasks */

static sdi_memcached_request *ask(batch *b, task *asker, enum sdi_memcached_verb verb)
{
    sdi_memcached_request *request = &b->requests[b->asked];
    *request = (sdi_memcached_request){.verb = verb, .key = asker->key, .server = asker->server};
    b->askers[b->asked++] = asker;
    return request;
}

/* A value that would be over in less than a second cannot be kept: the server counts whole seconds. */
static void ask_to_store(batch *b, task *asker)
{
    const sdi_cache_op *operation = asker->operation;
    bool add = operation->verb == SDI_CACHE_ADD;
    int64_t lifetime = add ? sdi_memcached_longer(operation->ttl_ms) : sdi_memcached_shorter(operation->ttl_ms);
    if (lifetime == SDI_MEMCACHED_EXPIRED) {
        ask(b, asker, SDI_MEMCACHED_DELETE);
        return;
    }
    sdi_memcached_request *request = ask(b, asker, add ? SDI_MEMCACHED_ADD : SDI_MEMCACHED_SET);
    request->value = operation->value;
    request->lifetime = lifetime;
}

static void ask_plain(batch *b, task *asker)
{
    switch (asker->operation->verb) {
    case SDI_CACHE_GET:
        ask(b, asker, SDI_MEMCACHED_GET)->headroom = asker->operation->headroom;
        break;
    case SDI_CACHE_SET:
    case SDI_CACHE_ADD:
        ask_to_store(b, asker);
        break;
    default:
        ask(b, asker, SDI_MEMCACHED_DELETE);
    }
}

static void take_plain(batch *b, task *asker, const sdi_memcached_request *request)
{
    sdi_cache_op *operation = asker->operation;
    bool get = operation->verb == SDI_CACHE_GET;
    asker->state = ENDED;
    operation->done = !get && request->answer != SDI_MEMCACHED_NOTHING;
    if (request->answer == SDI_MEMCACHED_NOTHING) {
        *(get ? &b->missed : &b->failed) = true;
    } else if (get && request->answer == SDI_MEMCACHED_VALUE) {
        operation->found = true;
        operation->block = request->block;
        operation->length = request->length;
    } else if (operation->verb == SDI_CACHE_ADD) {
        operation->found = request->answer == SDI_MEMCACHED_TAKEN;
    }
}

/* ---------------------------------------------------------------------------------------- swap and merge: read, cas */

static void end_task(batch *b, task *ended, bool done)
{
    ended->state = ENDED;
    ended->operation->done = done && ended->gathering;
    b->failed |= !done;
    if (ended->gathering)
        sdi_gather_finish(b->gather, ended->gathering, done);
    ended->gathering = NULL;
    sdi_free(ended->standing);
    ended->standing = NULL;
    sdi_buffer_free(&ended->record);
}

static void unset_found(task *first)
{
    for (task *at = first; at; at = at->next)
        at->operation->found = false;
}

/* All SWAPs of the key, in order, on what stands. False: none of them finds what it expects. */
static bool decide_swaps(task *first)
{
    bool changed = false;
    first->value = (sdi_slice){first->standing, first->standing_length};
    for (task *at = first; at; at = at->next) {
        sdi_cache_op *operation = at->operation;
        operation->found = sdi_slice_equal(first->value, operation->expected);
        if (!operation->found)
            continue;
        first->value = operation->value;
        first->lifetime = sdi_memcached_longer(operation->ttl_ms);
        changed = true;
    }
    return changed;
}

/* A fence that is kept is put again: that prolongs it, and only it, whatever came in its place meanwhile. One that is
 * deleted is put as expired: what came after it stays. */
static void decide_merge(batch *b, task *merge)
{
    sdi_slice standing = {merge->standing, merge->standing_length};
    sdi_gather_take(b->gather, merge->gathering);
    merge->lifetime = sdi_memcached_longer(sdi_gather_ttl(merge->gathering));
    switch (sdi_gather_merge(merge->gathering, standing, &merge->record)) {
    case SDI_FENCE_KEEP:
        merge->value = standing;
        break;
    case SDI_FENCE_REPLACE:
        merge->value = (sdi_slice){merge->record.data, merge->record.length};
        break;
    case SDI_FENCE_DELETE:
        merge->value = (sdi_slice){NULL, 0};
        merge->lifetime = SDI_MEMCACHED_EXPIRED;
    }
}

static void take_standing(batch *b, task *asker, const sdi_memcached_request *request)
{
    if (request->answer != SDI_MEMCACHED_VALUE) {
        end_task(b, asker, request->answer == SDI_MEMCACHED_MISSING); /* nothing there: nothing to do */
        return;
    }
    sdi_free(asker->standing);
    asker->standing = request->block;
    asker->standing_length = request->length;
    asker->cas = request->cas;
    asker->state = WRITING;
    if (asker->gathering)
        decide_merge(b, asker);
    else if (!decide_swaps(asker))
        end_task(b, asker, true);
}

static void ask_to_put(batch *b, task *asker)
{
    sdi_memcached_request *request = ask(b, asker, SDI_RULE(cas) ? SDI_MEMCACHED_CAS : SDI_MEMCACHED_SET);
    request->value = asker->value;
    request->lifetime = asker->lifetime;
    request->cas = asker->cas;
}

static void take_put(batch *b, task *asker, const sdi_memcached_request *request)
{
    if (request->answer != SDI_MEMCACHED_STORED && !asker->gathering)
        unset_found(asker);
    if (request->answer != SDI_MEMCACHED_TAKEN) {
        end_task(b, asker, request->answer != SDI_MEMCACHED_NOTHING);
        return;
    }
    asker->state = READING;
    b->raced = true;
    sdi_buffer_clear(&asker->record);
}

/* ---------------------------------------------------------------------------------------------------------- rounds */

static void take_answers(batch *b)
{
    for (size_t i = 0; i < b->asked; i++) {
        task *asker = b->askers[i];
        if (asker->state == PLAIN)
            take_plain(b, asker, &b->requests[i]);
        else if (asker->state == READING)
            take_standing(b, asker, &b->requests[i]);
        else
            take_put(b, asker, &b->requests[i]);
    }
    b->asked = 0;
}

static void exchange(batch *b)
{
    if (b->asked == 0)
        return;
    sdi_memcached_exchange(b->handle, b->requests, b->asked, b->deadline);
    take_answers(b);
}

static void back_off(const batch *b, unsigned tries)
{
    int64_t most = tries < 6 ? BACKOFF_US << tries : BACKOFF_MAX_US;
    int64_t pause = (int64_t)sdi_random_below((uint64_t)most);
    if (sdi_now() + pause < b->deadline)
        sdi_sleep(pause);
}

static void ask_in(batch *b, task *tasks, size_t count, enum state state)
{
    for (size_t i = 0; i < count; i++) {
        if (tasks[i].state != state)
            continue;
        if (state == PLAIN)
            ask_plain(b, &tasks[i]);
        else if (state == READING)
            ask(b, &tasks[i], SDI_MEMCACHED_GETS);
        else
            ask_to_put(b, &tasks[i]);
    }
}

/* Carries out what the tasks' states ask for. Nobody is left waiting for a gathering that this one leads: a server that
 * does not answer ends it too. */
static void carry_on_handle(batch *b, task *tasks, size_t count)
{
    unsigned tries = 0;
    ask_in(b, tasks, count, PLAIN);
    do {
        b->raced = false;
        ask_in(b, tasks, count, READING);
        exchange(b);
        ask_in(b, tasks, count, WRITING);
        exchange(b);
        if (b->raced)
            back_off(b, tries++);
    } while (b->raced);
    b->failed |= b->missed && !sdi_memcached_ring_alive(b->ring, b->handle);
}

static bool needs_handle(const task *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tasks[i].state == PLAIN || tasks[i].state == READING)
            return true;
    return false;
}

static bool are_gets(const task *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tasks[i].operation->verb != SDI_CACHE_GET)
            return false;
    return true;
}

/* What only reads is shared with other threads. */
static void look(batch *b, task *tasks, size_t count)
{
    ask_in(b, tasks, count, PLAIN);
    bool well = sdi_memcached_look(b->ring, b->requests, b->asked, b->deadline, b->blamed);
    take_answers(b);
    b->failed |= b->missed && !well;
}

static void carry(batch *b, task *tasks, size_t count)
{
    if (!needs_handle(tasks, count))
        return;
    if (are_gets(tasks, count)) {
        look(b, tasks, count);
        return;
    }
    b->handle = sdi_memcached_ring_take(b->ring, b->deadline);
    if (b->handle) {
        carry_on_handle(b, tasks, count);
        sdi_memcached_ring_give(b->ring, b->handle, b->blamed);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (tasks[i].state == PLAIN || tasks[i].state == READING)
            end_task(b, &tasks[i], false);
}

/* ----------------------------------------------------------------------------------------------------------- steps */

static bool reads_first(const task *t)
{
    return t->operation->verb == SDI_CACHE_SWAP || t->operation->verb == SDI_CACHE_MERGE;
}

/* A step ends where an operation would meet its key in an operation of another kind that is not over in one round
 * trip. So the order of operations on one key is kept; on different keys it shows to nobody who may care. Finds the
 * first task of each key on the way. */
static size_t step_length(task *tasks, size_t count, bool *no_memory)
{
    sdi_map keys = SDI_MAP_INIT;
    size_t length = 0;
    for (; length < count; length++) {
        task *here = &tasks[length], *first = sdi_map_get(&keys, here->key);
        bool apart = first && (reads_first(first) || reads_first(here));
        if (apart && first->operation->verb != here->operation->verb)
            break;
        here->first = first ? first : here;
        if (!first && !sdi_map_set(&keys, here->key, here))
            *no_memory = true;
    }
    sdi_map_free(&keys);
    return length;
}

static void join_merge(batch *b, task *merge)
{
    const sdi_cache_op *operation = merge->operation;
    bool leads = false;
    merge->gathering = sdi_gather_join(b->gather, merge->key, &operation->change->point, operation->ttl_ms, &leads);
    merge->state = leads ? READING : JOINED;
    if (!merge->gathering)
        end_task(b, merge, false);
}

static void join_swap(task *swap)
{
    task *last = swap->first;
    swap->state = swap->first == swap ? READING : JOINED;
    while (last->next)
        last = last->next;
    if (last != swap)
        last->next = swap;
}

static void await_merge(batch *b, task *merge)
{
    switch (sdi_gather_wait(b->gather, merge->gathering, b->deadline)) {
    case SDI_GATHER_LEADS:
        merge->state = READING;
        carry(b, merge, 1);
        return;
    case SDI_GATHER_FAILED:
        b->failed = true;
        break;
    case SDI_GATHER_MERGED:
        merge->operation->done = true;
        break;
    }
    merge->gathering = NULL;
    merge->state = ENDED;
}

/* First what this thread leads, then what it waits for, with the handle given back: so nobody waits for somebody who
 * waits for him. */
static void run_step(batch *b, task *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (tasks[i].operation->verb == SDI_CACHE_MERGE)
            join_merge(b, &tasks[i]);
        else if (tasks[i].operation->verb == SDI_CACHE_SWAP)
            join_swap(&tasks[i]);
    }
    carry(b, tasks, count);
    for (size_t i = 0; i < count; i++)
        if (tasks[i].state == JOINED && tasks[i].gathering)
            await_merge(b, &tasks[i]);
}

/* --------------------------------------------------------------------------------------------------------- a batch */

/* At most: keys that are too long become short ones. */
static size_t key_bytes(const batch *b, const sdi_cache_op *operations, size_t count)
{
    size_t bytes = count * (strlen(b->ring->prefix) + SDI_MEMCACHED_KEY_HASHED);
    for (size_t i = 0; i < count; i++)
        bytes += operations[i].key.length;
    return bytes;
}

/* Room for all keys at once: the tasks point into it. */
static bool make_keys(batch *b, sdi_cache_op *operations, size_t count)
{
    if (!sdi_buffer_reserve(&b->keys, key_bytes(b, operations, count)))
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t begin = b->keys.length;
        sdi_memcached_key(&b->keys, b->ring->prefix, operations[i].key);
        sdi_slice key = {b->keys.data + begin, b->keys.length - begin};
        b->tasks[i] = (task){
            .operation = &operations[i], .key = key, .server = sdi_memcached_ring_find(b->ring, key), .state = PLAIN};
    }
    return true;
}

static void use_small_room(batch *b, small_room *small)
{
    b->tasks = small->tasks;
    b->requests = small->requests;
    b->askers = small->askers;
    sdi_buffer_lend(&b->keys, small->keys, sizeof small->keys);
}

static bool make_room(batch *b, size_t count)
{
    b->tasks = sdi_malloc(count * sizeof *b->tasks);
    b->requests = sdi_malloc(count * sizeof *b->requests);
    b->askers = sdi_malloc(count * sizeof *b->askers);
    return b->tasks && b->requests && b->askers;
}

static void free_room(batch *b)
{
    sdi_free(b->tasks);
    sdi_free(b->requests);
    sdi_free(b->askers);
}

static bool any_reads_first(const batch *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (reads_first(&b->tasks[i]))
            return true;
    return false;
}

static void run_steps(batch *b, size_t count)
{
    bool steps = any_reads_first(b, count), no_memory = false;
    for (size_t at = 0, length; at < count && !b->failed; at += length) {
        length = steps ? step_length(b->tasks + at, count - at, &no_memory) : count;
        b->failed |= no_memory;
        if (!no_memory)
            run_step(b, b->tasks + at, length);
    }
}

bool sdi_memcached_batch(sdi_memcached_ring *ring, sdi_gather *gather, sdi_cache_op *operations, size_t count,
                         int64_t deadline, bool blamed)
{
    small_room small;
    bool is_small = count <= SMALL, made = true;
    batch b = {.ring = ring, .gather = gather, .deadline = deadline, .blamed = blamed};
    if (is_small)
        use_small_room(&b, &small);
    else
        made = make_room(&b, count);
    if (made && make_keys(&b, operations, count))
        run_steps(&b, count);
    else
        b.failed = true;
    if (!is_small)
        free_room(&b);
    sdi_buffer_free(&b.keys);
    if (b.failed)
        sdi_cache_unset(operations, count);
    return !b.failed;
}
