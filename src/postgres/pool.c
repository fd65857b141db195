#include "postgres/pool.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/lock.h"
#include "base/memory.h"

/* A slot is room for one connection on the server. It belongs to whoever took it out of FREE, IDLE or RUNNING, and that
 * one connects, uses and closes without the lock. */
enum state { FREE, IDLE, TAKEN, RUNNING };

struct slot {
    enum state state;
    bool expendable; /* TAKEN for reads */
    sdi_pg_connection *connection;
    uint64_t generation; /* of the pool when this was connected: an older one is closed when it comes back */
    uint64_t used;       /* when it was last given back: a count, not a time */
};

/* Somebody in line. A slot given back goes to the first; he wakes up owning it. */
struct waiter {
    sdi_condition condition;
    struct slot *slot;
    struct waiter *next;
};

struct sdi_pool {
    const sdi_node_settings *node_settings;
    const sdi_pool_settings *settings;
    size_t node;
    sdi_metrics *metrics;
    sdi_busy_poll busy_poll;
    sdi_mutex mutex;
    struct waiter *first, **last;
    int64_t waiting;
    uint64_t generation, uses;
    size_t size;
    struct slot slots[]; /* fixed, so that a forked child can walk it without the lock */
};

sdi_pool *sdi_pool_new(const sdi_node_settings *node_settings, const sdi_pool_settings *settings, size_t node,
                       sdi_metrics *metrics)
{
    size_t size = settings->size > 0 ? (size_t)settings->size : 1;
    sdi_pool *pool = sdi_calloc(1, sizeof *pool + size * sizeof pool->slots[0]);
    if (!pool)
        return NULL;
    pool->node_settings = node_settings;
    pool->settings = settings;
    pool->node = node;
    pool->metrics = metrics;
    pool->size = size;
    pool->last = &pool->first;
    sdi_busy_poll_init(&pool->busy_poll, settings->busy_poll);
    sdi_mutex_init(&pool->mutex);
    return pool;
}

void sdi_pool_free(sdi_pool *pool)
{
    if (!pool)
        return;
    for (size_t i = 0; i < pool->size; i++)
        sdi_pg_close(pool->slots[i].connection);
    sdi_mutex_destroy(&pool->mutex);
    sdi_free(pool);
}

/* The lock may have been held at the fork by a thread that does not exist here: it is neither taken nor destroyed. */
void sdi_pool_abandon(sdi_pool *pool)
{
    if (!pool)
        return;
    for (size_t i = 0; i < pool->size; i++)
        sdi_pg_abandon(pool->slots[i].connection);
    sdi_free(pool);
}

static int fail(const sdi_pool *pool, int status, const char *what, shopdata_error **error_out)
{
    return sdi_fail(error_out, status, "node %s: %s (pool of %zu connections)", pool->node_settings->name, what,
                    pool->size);
}

int sdi_pool_out_of_time(const sdi_pool *pool, bool sent, shopdata_error **error_out)
{
    const char *what = sent ? "no answer before the deadline" : "the deadline passed while waiting for a connection";
    return fail(pool, SHOPDATA_ERR_TIMEOUT, what, error_out);
}

/* --------------------------------------------------------------------------------------------------- slots, locked */

static struct slot *find_state(sdi_pool *pool, enum state state)
{
    for (size_t i = 0; i < pool->size; i++)
        if (pool->slots[i].state == state)
            return &pool->slots[i];
    return NULL;
}

/* The last used first: the rest go cold together, and its server process has the plans and pages warm. */
static struct slot *find_idle(sdi_pool *pool)
{
    struct slot *best = NULL;
    for (size_t i = 0; i < pool->size; i++) {
        struct slot *slot = &pool->slots[i];
        if (slot->state == IDLE && (!best || slot->used > best->used))
            best = slot;
    }
    return best;
}

static struct slot *find_connection(sdi_pool *pool, const sdi_pg_connection *connection)
{
    for (size_t i = 0; i < pool->size; i++)
        if (pool->slots[i].connection == connection)
            return &pool->slots[i];
    return NULL;
}

/* A slot that is nobody's any more goes to the first in line, with or without a connection in it. */
static void release(sdi_pool *pool, struct slot *slot)
{
    struct waiter *first = pool->first;
    slot->state = slot->connection ? IDLE : FREE;
    slot->expendable = false;
    slot->used = ++pool->uses;
    if (!first)
        return;
    pool->first = first->next;
    if (!pool->first)
        pool->last = &pool->first;
    pool->waiting--;
    slot->state = TAKEN;
    first->slot = slot;
    sdi_wake_one(&first->condition);
}

static void leave_line(sdi_pool *pool, struct waiter *waiter)
{
    struct waiter **link = &pool->first;
    while (*link != waiter)
        link = &(*link)->next;
    *link = waiter->next;
    if (pool->last == &waiter->next)
        pool->last = link;
    pool->waiting--;
}

static struct slot *wait_in_line(sdi_pool *pool, int64_t until)
{
    struct waiter waiter = {.slot = NULL, .next = NULL};
    sdi_condition_init(&waiter.condition);
    *pool->last = &waiter;
    pool->last = &waiter.next;
    pool->waiting++;
    bool time_left = true;
    while (!waiter.slot && time_left)
        time_left = sdi_wait(&waiter.condition, &pool->mutex, until);
    if (!waiter.slot)
        leave_line(pool, &waiter);
    sdi_condition_destroy(&waiter.condition);
    return waiter.slot;
}

/* ---------------------------------------------------------------------------------------------------------- taking */

static int wait_for_slot(sdi_pool *pool, int64_t deadline, struct slot **slot_out, shopdata_error **error_out)
{
    if (pool->waiting >= pool->settings->wait_limit)
        return fail(pool, SHOPDATA_ERR_BUSY, "all connections are in use and the line is full", error_out);
    int64_t begin = sdi_now(), until = sdi_deadline_within(deadline, pool->settings->wait_timeout_ms);
    struct slot *slot = wait_in_line(pool, until);
    sdi_count(pool->metrics, SDI_M_POOL_WAITS, pool->node, 1);
    sdi_observe(pool->metrics, SDI_M_POOL_WAIT_SECONDS, pool->node, sdi_now() - begin);
    *slot_out = slot;
    if (slot)
        return 0;
    if (until < deadline && !sdi_interrupted())
        return fail(pool, SHOPDATA_ERR_BUSY, "no connection came free in time", error_out);
    return sdi_pool_out_of_time(pool, false, error_out);
}

/* While anybody waits no slot is free or idle (release): so whoever comes cannot overtake the line. */
static int take_slot(sdi_pool *pool, int64_t deadline, struct slot **slot_out, shopdata_error **error_out)
{
    int status = 0;
    sdi_lock(&pool->mutex);
    struct slot *slot = find_idle(pool);
    if (!slot)
        slot = find_state(pool, FREE);
    if (slot)
        slot->state = TAKEN;
    else
        status = wait_for_slot(pool, deadline, &slot, error_out);
    sdi_unlock(&pool->mutex);
    *slot_out = slot;
    return status;
}

/* slot->connection is written under the lock: others read it when they look for theirs. */
static void put(sdi_pool *pool, struct slot *slot, sdi_pg_connection *connection)
{
    sdi_lock(&pool->mutex);
    slot->connection = connection;
    sdi_unlock(&pool->mutex);
}

static void drop(sdi_pool *pool, struct slot *slot)
{
    sdi_pg_connection *connection = slot->connection;
    put(pool, slot, NULL);
    sdi_pg_close(connection);
}

static void give_up(sdi_pool *pool, struct slot *slot)
{
    sdi_lock(&pool->mutex);
    release(pool, slot);
    sdi_unlock(&pool->mutex);
}

/* The generation is noted before connecting: a flush meanwhile is meant for this one too. */
static int connect_slot(sdi_pool *pool, struct slot *slot, int64_t deadline, shopdata_error **error_out)
{
    sdi_lock(&pool->mutex);
    slot->generation = pool->generation;
    sdi_unlock(&pool->mutex);
    sdi_pg_connection *connection = NULL;
    shopdata_error *error = NULL;
    int64_t until = sdi_deadline_within(deadline, pool->settings->connect_timeout_ms);
    int status = sdi_pg_connect(pool->node_settings->conninfo, pool->settings->prepared, until, &connection, &error);
    if (status == 0) {
        sdi_count(pool->metrics, SDI_M_CONNECTS, pool->node, 1);
        sdi_pg_look_first(connection, &pool->busy_poll);
        put(pool, slot, connection);
        return 0;
    }
    bool impatient = until == deadline || sdi_interrupted();
    if (status == SHOPDATA_ERR_TIMEOUT && !impatient) { /* not the caller's time is up but the server's */
        status = sdi_fail(error_out, SHOPDATA_ERR_UNAVAILABLE, "%s", shopdata_error_message(error));
        shopdata_error_free(error);
    } else {
        sdi_error_move(error_out, error);
    }
    return status;
}

int sdi_pool_take(sdi_pool *pool, int64_t deadline, sdi_pg_connection **connection_out, shopdata_error **error_out)
{
    struct slot *slot;
    int status = take_slot(pool, deadline, &slot, error_out);
    if (status < 0)
        return status;
    if (slot->connection && !sdi_pg_idle_alive(slot->connection))
        drop(pool, slot);
    if (!slot->connection)
        status = connect_slot(pool, slot, deadline, error_out);
    if (status < 0)
        give_up(pool, slot);
    else
        *connection_out = slot->connection;
    return status;
}

sdi_pg_connection *sdi_pool_take_idle(sdi_pool *pool)
{
    sdi_lock(&pool->mutex);
    struct slot *slot = find_idle(pool);
    if (slot)
        slot->state = TAKEN;
    sdi_unlock(&pool->mutex);
    if (!slot || sdi_pg_idle_alive(slot->connection))
        return slot ? slot->connection : NULL;
    drop(pool, slot);
    give_up(pool, slot);
    return NULL;
}

/* ---------------------------------------------------------------------------------------------------------- giving */

void sdi_pool_give(sdi_pool *pool, sdi_pg_connection *connection)
{
    bool usable = !sdi_pg_broken(connection) && sdi_pg_transaction(connection) == SDI_PG_IDLE;
    sdi_lock(&pool->mutex);
    struct slot *slot = find_connection(pool, connection);
    usable = usable && slot->generation == pool->generation;
    if (usable)
        release(pool, slot);
    sdi_unlock(&pool->mutex);
    if (usable)
        return;
    drop(pool, slot);
    give_up(pool, slot);
}

void sdi_pool_expendable(sdi_pool *pool, sdi_pg_connection *connection)
{
    sdi_lock(&pool->mutex);
    find_connection(pool, connection)->expendable = true;
    sdi_unlock(&pool->mutex);
}

void sdi_pool_give_up(sdi_pool *pool)
{
    sdi_lock(&pool->mutex);
    for (size_t i = 0; i < pool->size; i++)
        if (pool->slots[i].expendable && pool->slots[i].connection)
            sdi_pg_give_up(pool->slots[i].connection);
    sdi_unlock(&pool->mutex);
}

void sdi_pool_give_running(sdi_pool *pool, sdi_pg_connection *connection)
{
    sdi_lock(&pool->mutex);
    struct slot *slot = find_connection(pool, connection);
    slot->expendable = false;
    slot->state = RUNNING;
    sdi_unlock(&pool->mutex);
}

static struct slot *take_running(sdi_pool *pool)
{
    sdi_lock(&pool->mutex);
    struct slot *slot = find_state(pool, RUNNING);
    if (slot)
        slot->state = TAKEN;
    sdi_unlock(&pool->mutex);
    return slot;
}

static bool end_backend(const struct slot *slot, sdi_pg_connection *by, int64_t deadline)
{
    sdi_pg_backend_id victim = sdi_pg_backend(slot->connection);
    return !by || sdi_pg_terminate(by, &victim, deadline, NULL) == 0;
}

/* Its slot is free only then: the server never has more of our backends than the pool is large. */
size_t sdi_pool_reap(sdi_pool *pool, sdi_pg_connection *by, int64_t deadline)
{
    size_t ended = 0;
    struct slot *slot;
    while ((slot = take_running(pool))) {
        if (!end_backend(slot, by, deadline)) {
            sdi_pool_give_running(pool, slot->connection);
            break;
        }
        drop(pool, slot);
        give_up(pool, slot);
        ended++;
    }
    return ended;
}

static struct slot *find_old_idle(sdi_pool *pool)
{
    for (size_t i = 0; i < pool->size; i++)
        if (pool->slots[i].state == IDLE && pool->slots[i].generation != pool->generation)
            return &pool->slots[i];
    return NULL;
}

void sdi_pool_flush(sdi_pool *pool)
{
    sdi_lock(&pool->mutex);
    pool->generation++;
    struct slot *slot;
    while ((slot = find_old_idle(pool))) {
        slot->state = TAKEN;
        sdi_unlock(&pool->mutex);
        drop(pool, slot);
        sdi_lock(&pool->mutex);
        release(pool, slot);
    }
    sdi_unlock(&pool->mutex);
}

void sdi_pool_gauges(sdi_pool *pool, size_t elsewhere)
{
    size_t connections = 0, busy = 0;
    sdi_lock(&pool->mutex);
    for (size_t i = 0; i < pool->size; i++) {
        connections += pool->slots[i].connection != NULL;
        busy += pool->slots[i].state == TAKEN || pool->slots[i].state == RUNNING;
    }
    size_t waiting = (size_t)pool->waiting + elsewhere;
    sdi_unlock(&pool->mutex);
    sdi_gauge(pool->metrics, SDI_M_POOL_CONNECTIONS, pool->node, (double)connections);
    sdi_gauge(pool->metrics, SDI_M_POOL_BUSY, pool->node, (double)busy);
    sdi_gauge(pool->metrics, SDI_M_POOL_SIZE, pool->node, (double)pool->size);
    sdi_gauge(pool->metrics, SDI_M_POOL_WAITING, pool->node, (double)waiting);
}
