#include "local/handle.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/forking.h"
#include "base/memory.h"

enum { STRIPES_MAX = 64, SPARE_MAX = 64, LINE = _Alignof(sdi_stripe) };

struct sdi_handle {
    shopdata_result result; /* first: the one is the other */
    sdi_lender *lender;
    sdi_stripe *stripe;
    sdi_kept *kept;
    sdi_handle *next, *previous; /* among those that are out */
    bool counted;                /* it has a reference of its entry and of the lender */
};

void sdi_kept_drop(sdi_kept *kept)
{
    if (atomic_fetch_sub_explicit(&kept->references, 1, memory_order_acq_rel) == 1)
        sdi_free(kept);
}

static unsigned count_stripes(void)
{
    long processors = sysconf(_SC_NPROCESSORS_CONF);
    unsigned count = 1;
    while (count < STRIPES_MAX && count < processors)
        count *= 2;
    return count;
}

static unsigned spare_for(size_t bytes, unsigned stripes)
{
    size_t count = bytes / stripes / sizeof(sdi_handle);
    return count < 1 ? 1 : count > SPARE_MAX ? SPARE_MAX : (unsigned)count;
}

sdi_lender *sdi_lender_new(size_t bytes)
{
    unsigned count = count_stripes();
    sdi_lender *lender = sdi_calloc(1, sizeof *lender);
    void *memory = lender ? sdi_calloc(count + 1, sizeof(sdi_stripe)) : NULL; /* one more to align in */
    if (!memory) {
        sdi_free(lender);
        return NULL;
    }
    size_t beyond = (uintptr_t)memory % LINE;
    *lender = (sdi_lender){.generation = sdi_fork_generation(),
                           .stripe_count = count,
                           .stripes = (void *)((char *)memory + (beyond ? LINE - beyond : 0)),
                           .memory = memory};
    atomic_init(&lender->references, 1);
    for (unsigned i = 0; i < count; i++) {
        sdi_mutex_init(&lender->stripes[i].mutex);
        lender->stripes[i].spare_max = spare_for(bytes, count);
    }
    return lender;
}

size_t sdi_lender_bytes(const sdi_lender *lender)
{
    size_t stripe = sizeof(sdi_stripe) + lender->stripes[0].spare_max * sizeof(sdi_handle);
    return sizeof *lender + sizeof(sdi_stripe) + lender->stripe_count * stripe;
}

static void free_spares(sdi_stripe *stripe)
{
    for (sdi_handle *handle = stripe->spare, *next; handle; handle = next) {
        next = handle->next;
        sdi_free(handle);
    }
}

static void drop_lender(sdi_lender *lender)
{
    if (atomic_fetch_sub_explicit(&lender->references, 1, memory_order_acq_rel) != 1)
        return;
    for (unsigned i = 0; i < lender->stripe_count; i++) {
        free_spares(&lender->stripes[i]);
        sdi_mutex_destroy(&lender->stripes[i].mutex);
    }
    sdi_free(lender->memory);
    sdi_free(lender);
}

static void count_handle(sdi_handle *handle)
{
    handle->counted = true;
    atomic_fetch_add_explicit(&handle->kept->references, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&handle->lender->references, 1, memory_order_relaxed);
}

void sdi_lender_settle(sdi_lender *lender)
{
    for (unsigned i = 0; i < lender->stripe_count; i++) {
        sdi_stripe *stripe = &lender->stripes[i];
        sdi_lock(&stripe->mutex);
        for (sdi_handle *handle = stripe->out; handle; handle = handle->next)
            count_handle(handle);
        stripe->out = NULL;
        sdi_unlock(&stripe->mutex);
    }
}

void sdi_lender_close(sdi_lender *lender)
{
    sdi_lender_settle(lender);
    drop_lender(lender);
}

bool sdi_lender_hold(sdi_lender *lender)
{
    for (unsigned i = 0; i < lender->stripe_count; i++)
        if (!sdi_try_lock(&lender->stripes[i].mutex))
            return false;
    return true;
}

void sdi_lender_let_go(sdi_lender *lender)
{
    for (unsigned i = 0; i < lender->stripe_count; i++)
        sdi_unlock(&lender->stripes[i].mutex);
    lender->generation = sdi_fork_generation();
}

sdi_stripe *sdi_lender_enter(sdi_lender *lender)
{
    int processor = sched_getcpu();
    sdi_stripe *stripe = &lender->stripes[(processor < 0 ? 0 : (unsigned)processor) & (lender->stripe_count - 1)];
    sdi_lock(&stripe->mutex);
    return stripe;
}

void sdi_lender_leave(sdi_stripe *stripe)
{
    sdi_unlock(&stripe->mutex);
}

static void take_out(sdi_handle *handle)
{
    *(handle->previous ? &handle->previous->next : &handle->stripe->out) = handle->next;
    if (handle->next)
        handle->next->previous = handle->previous;
}

/* Where it came from, not where it is given back: a caller of another thread would gather what it never lends. */
static void put_away(sdi_handle *handle)
{
    sdi_stripe *stripe = handle->stripe;
    if (stripe->spare_count == stripe->spare_max) {
        sdi_free(handle);
        return;
    }
    handle->next = stripe->spare;
    stripe->spare = handle;
    stripe->spare_count++;
}

/* What was lent before fork() stays behind in the child: a thread that is not there may hold the stripe's lock. */
static void give_back(shopdata_result *result)
{
    sdi_handle *handle = (sdi_handle *)result;
    sdi_lender *lender = handle->lender;
    if (lender->generation != sdi_fork_generation())
        return;
    sdi_stripe *stripe = handle->stripe;
    sdi_lock(&stripe->mutex);
    sdi_kept *counted = handle->counted ? handle->kept : NULL;
    if (!counted)
        take_out(handle);
    put_away(handle);
    sdi_unlock(&stripe->mutex);
    if (counted) {
        sdi_kept_drop(counted);
        drop_lender(lender);
    }
}

static sdi_handle *take_spare(sdi_stripe *stripe)
{
    sdi_handle *handle = stripe->spare;
    if (!handle)
        return sdi_malloc(sizeof *handle);
    stripe->spare = handle->next;
    stripe->spare_count--;
    return handle;
}

shopdata_result *sdi_lend(sdi_lender *lender, sdi_stripe *stripe, sdi_kept *kept)
{
    sdi_handle *handle = take_spare(stripe);
    if (!handle)
        return NULL;
    handle->lender = lender;
    handle->stripe = stripe;
    handle->kept = kept;
    handle->counted = false;
    handle->previous = NULL;
    handle->next = stripe->out;
    if (stripe->out)
        stripe->out->previous = handle;
    stripe->out = handle;
    sdi_result_lend(&handle->result, sdi_kept_rows(kept), kept->rows_length, give_back);
    return &handle->result;
}
