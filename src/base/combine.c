#include "base/combine.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"

/* Of a request: what its caller waits for. Who has gone to sleep is to be woken. */
enum { WAITS, SLEEPS, LEADS, ANSWERED, GONE };

enum {
    BELLS = 64,
    SIGNS = 32,    /* a bell's sleepers are told apart by, as far as that goes */
    GLANCE_MS = 1, /* who leads several lanes looks at each so often */
};

/* Where a request is. */
enum { QUEUED, TAKEN, SETTLED };

/* What belongs to whoever leads, but for `requests`' states and `next_idle`, which are under the mutex. */
struct sdi_combine_lane {
    void *context;
    sdi_combine_request *requests; /* of the batch, that are not answered; NULL: idle */
    bool started;
    bool busy; /* for a forked child, who cannot trust the list of idle ones: it may be half changed */
    sdi_combine_lane *next_idle;
};

/* They outlive who rings them, whoever it may be that they wake. Some wake up for no reason, and sleep on. */
static sdi_futex bells[BELLS];
static atomic_uint parties;

unsigned sdi_combine_party(void)
{
    unsigned party = atomic_fetch_add_explicit(&parties, 1, memory_order_relaxed);
    return party ? party : sdi_combine_party();
}

static unsigned bell_of(unsigned party)
{
    return party % BELLS;
}

static uint32_t sign_of(unsigned party)
{
    return UINT32_C(1) << party / BELLS % SIGNS;
}

bool sdi_combiner_init(sdi_combiner *combiner, const sdi_combine_way *way, void *const *lanes, size_t lane_count,
                       const sdi_combine_bounds *bounds)
{
    *combiner = (sdi_combiner){.way = way, .bounds = *bounds, .lane_count = lane_count};
    combiner->lanes = sdi_calloc(lane_count, sizeof *combiner->lanes);
    if (!combiner->lanes)
        return false;
    sdi_mutex_init(&combiner->mutex);
    combiner->last = &combiner->first;
    combiner->bell = bell_of(sdi_combine_party());
    for (size_t i = lane_count; i-- > 0;) {
        combiner->lanes[i] = (sdi_combine_lane){.context = lanes[i], .next_idle = combiner->idle};
        combiner->idle = &combiner->lanes[i];
    }
    return true;
}

void sdi_combiner_free(sdi_combiner *combiner)
{
    if (!combiner->lanes)
        return;
    sdi_mutex_destroy(&combiner->mutex);
    sdi_free(combiner->lanes);
}

void sdi_combiner_abandon(sdi_combiner *combiner)
{
    sdi_free(combiner->lanes);
}

bool sdi_combiner_is_busy(const sdi_combiner *combiner, const void *lane)
{
    size_t at = 0;
    while (combiner->lanes[at].context != lane)
        at++;
    return combiner->lanes[at].busy;
}

void sdi_combiner_each_idle(sdi_combiner *combiner, void (*function)(void *lane))
{
    sdi_lock(&combiner->mutex);
    for (const sdi_combine_lane *at = combiner->idle; at; at = at->next_idle)
        function(at->context);
    sdi_unlock(&combiner->mutex);
}

size_t sdi_combiner_under_way(const sdi_combiner *combiner)
{
    return atomic_load_explicit(&combiner->under_way, memory_order_relaxed);
}

size_t sdi_combiner_waiting(sdi_combiner *combiner)
{
    size_t count = 0;
    sdi_lock(&combiner->mutex);
    for (const sdi_combine_request *at = combiner->first; at; at = at->next)
        count++;
    sdi_unlock(&combiner->mutex);
    return count;
}

static bool is_crowded(const sdi_combiner *combiner)
{
    return sdi_combiner_under_way(combiner) > combiner->lane_count;
}

static void come_locked(sdi_combiner *combiner)
{
    atomic_store_explicit(&combiner->under_way, sdi_combiner_under_way(combiner) + 1, memory_order_relaxed);
}

static void go_locked(sdi_combiner *combiner, size_t count)
{
    atomic_store_explicit(&combiner->under_way, sdi_combiner_under_way(combiner) - count, memory_order_relaxed);
}

/* Tells a caller; true if he is to be woken. Once he was told, his request may be gone. */
static bool tell(sdi_combine_request *request, uint32_t state)
{
    return atomic_exchange_explicit(&request->state, state, memory_order_acq_rel) == SLEEPS;
}

/* Whoever is about to sleep has seen another number, and does not. */
static void ring(unsigned bell, uint32_t signs)
{
    atomic_fetch_add_explicit(&bells[bell], 1, memory_order_acq_rel);
    sdi_futex_wake(&bells[bell], signs);
}

static bool is_gone(sdi_combine_request *request)
{
    return atomic_load_explicit(&request->state, memory_order_relaxed) == GONE;
}

static bool is_leading(sdi_combine_request *request)
{
    return atomic_load_explicit(&request->state, memory_order_relaxed) == LEADS;
}

static void enqueue_locked(sdi_combiner *combiner, sdi_combine_request *request)
{
    if (!request->party) {
        request->bell = combiner->bell;
        request->sign = UINT32_C(1) << combiner->waiting++ % SIGNS;
    }
    *combiner->last = request;
    combiner->last = &request->next;
}

static void unqueue_locked(sdi_combiner *combiner, sdi_combine_request *request)
{
    sdi_combine_request **at = &combiner->first;
    while (*at != request)
        at = &(*at)->next;
    *at = request->next;
    if (combiner->last == &request->next)
        combiner->last = at;
    request->next = NULL;
    go_locked(combiner, 1);
}

/* The next batch ends behind this one. */
static sdi_combine_request **find_end(sdi_combiner *combiner, sdi_combine_lane *lane)
{
    sdi_combine_request **end = &combiner->first;
    size_t bytes = 0;
    for (size_t count = 0; count < combiner->bounds.requests && *end; count++, end = &(*end)->next) {
        bytes += (*end)->bytes;
        if (count > 0 && bytes > combiner->bounds.bytes)
            break;
        (*end)->place = TAKEN;
        (*end)->lane = lane;
    }
    return end;
}

static void rest_locked(sdi_combiner *combiner, sdi_combine_lane *lane)
{
    lane->next_idle = combiner->idle;
    combiner->idle = lane;
    combiner->busy--;
    lane->busy = false;
}

/* The lane takes what has gathered as its next batch; false, and it is idle, where nothing has, or where others are
 * enough for a crowd. */
static bool take_locked(sdi_combiner *combiner, sdi_combine_lane *lane)
{
    lane->started = false;
    if (!combiner->first || (is_crowded(combiner) && combiner->busy > combiner->bounds.few)) {
        rest_locked(combiner, lane);
        return false;
    }
    sdi_combine_request **end = find_end(combiner, lane);
    combiner->waiting = 0;
    combiner->bell = (combiner->bell + 1) % BELLS;
    lane->requests = combiner->first;
    combiner->first = *end;
    if (!*end)
        combiner->last = &combiner->first;
    *end = NULL;
    return true;
}

static bool take(sdi_combiner *combiner, sdi_combine_lane *lane)
{
    sdi_lock(&combiner->mutex);
    bool taken = take_locked(combiner, lane);
    sdi_unlock(&combiner->mutex);
    return taken;
}

/* Makes one of those who wait for the lane's batch its leader. Where nobody does the batch is cut off, and returned. */
static bool appoint(sdi_combiner *combiner, sdi_combine_lane *lane, sdi_combine_request **gone_out)
{
    sdi_lock(&combiner->mutex);
    sdi_combine_request *next = lane->requests;
    size_t gone = 0;
    for (; next && is_gone(next); next = next->next)
        gone++;
    go_locked(combiner, next ? 0 : gone);
    unsigned bell = next ? next->bell : 0;
    uint32_t sign = next ? next->sign : 0;
    bool sleeps = next && tell(next, LEADS);
    *gone_out = next ? NULL : lane->requests;
    lane->requests = next ? lane->requests : NULL;
    sdi_unlock(&combiner->mutex);
    if (sleeps)
        ring(bell, sign);
    return next != NULL;
}

static void drop_all(const sdi_combiner *combiner, sdi_combine_request *request)
{
    for (sdi_combine_request *next; request; request = next) {
        next = request->next;
        combiner->way->drop(request);
    }
}

/* Who has led passes the lane on: to one who waits for the batch, or else for the next one, which is sent before he is
 * woken: while he wakes up, the server works. */
static void pass_on(sdi_combiner *combiner, sdi_combine_lane *lane)
{
    const sdi_combine_way *way = combiner->way;
    for (sdi_combine_request *gone; !appoint(combiner, lane, &gone);) {
        if (gone && lane->started)
            way->break_off(lane->context);
        drop_all(combiner, gone);
        if (!take(combiner, lane))
            return;
        lane->started = way->start(lane->context, lane->requests, 0);
    }
}

/* Cuts off the first requests of the batch, which were answered: those whose callers wait, and those without. */
static sdi_combine_request *cut_locked(sdi_combiner *combiner, sdi_combine_lane *lane, size_t count,
                                       sdi_combine_request **gone_out)
{
    sdi_combine_request *answered = NULL, **last = &answered;
    *gone_out = NULL;
    go_locked(combiner, count);
    for (; count > 0; count--) {
        sdi_combine_request *first = lane->requests, **to = is_gone(first) ? gone_out : last;
        lane->requests = first->next;
        first->next = to == gone_out ? *gone_out : NULL;
        first->place = SETTLED;
        *to = first;
        last = to == last ? &first->next : last;
    }
    return answered;
}

/* Who gathered for one batch sleep by one bell: to wake each by himself costs a system call for each, after which the
 * first to wake up takes the processor from him who has still to wake the others. */
static void tell_all(sdi_combine_request *answered)
{
    unsigned bell = 0;
    uint32_t signs = 0;
    for (sdi_combine_request *next; answered; answered = next) {
        unsigned own = answered->bell;
        uint32_t sign = answered->sign;
        next = answered->next;
        if (own != bell && signs) {
            ring(bell, signs);
            signs = 0;
        }
        bell = own;
        signs |= tell(answered, ANSWERED) ? sign : 0;
    }
    if (signs)
        ring(bell, signs);
}

/* The lane first: the others' answers do not run away. */
static void hand_out(sdi_combiner *combiner, sdi_combine_lane *lane, sdi_combine_request *leader, size_t count)
{
    const sdi_combine_way *way = combiner->way;
    sdi_combine_request *gone;
    sdi_lock(&combiner->mutex);
    sdi_combine_request *answered = cut_locked(combiner, lane, count, &gone);
    bool leads = leader->place != SETTLED, left = lane->requests != NULL;
    bool taken = !leads && !left && take_locked(combiner, lane);
    sdi_unlock(&combiner->mutex);
    if (taken)
        lane->started = way->start(lane->context, lane->requests, 0);
    if (taken || (!leads && left))
        pass_on(combiner, lane);
    tell_all(answered);
    drop_all(combiner, gone);
}

/* True once the leader's own request is answered; false: time is up. */
static bool lead(sdi_combiner *combiner, sdi_combine_request *leader, int64_t until)
{
    sdi_combine_lane *lane = leader->lane;
    const sdi_combine_way *way = combiner->way;
    while (is_leading(leader)) {
        if (!lane->started)
            lane->started = way->start(lane->context, lane->requests, until);
        size_t answered = lane->started ? way->step(lane->context, lane->requests, until) : 0;
        if (!answered)
            return false;
        hand_out(combiner, lane, leader, answered);
    }
    return true;
}

/* Does it lead, or is it answered? Where not, whoever tells it so rings from now on. */
static bool is_due(sdi_combine_request *request)
{
    uint32_t state = WAITS;
    atomic_compare_exchange_strong(&request->state, &state, SLEEPS);
    return state == LEADS || state == ANSWERED;
}

/* Waits until the request leads or is answered. */
static uint32_t sleep_until(sdi_combine_request *request, int64_t until)
{
    sdi_futex *bell = &bells[request->bell];
    for (;;) {
        uint32_t rung = atomic_load_explicit(bell, memory_order_acquire);
        if (is_due(request) || sdi_passed(until))
            return atomic_load_explicit(&request->state, memory_order_acquire);
        sdi_futex_wait(bell, rung, request->sign, until);
    }
}

/* A lane for who comes now; NULL: he waits. */
static sdi_combine_lane *find_lane(const sdi_combiner *combiner)
{
    bool enough = is_crowded(combiner) && combiner->busy >= combiner->bounds.few;
    return combiner->first || enough ? NULL : combiner->idle;
}

void sdi_combine_submit(sdi_combiner *combiner, sdi_combine_request *request, int64_t until)
{
    sdi_lock(&combiner->mutex);
    come_locked(combiner);
    sdi_combine_lane *lane = find_lane(combiner);
    request->next = NULL;
    request->combiner = combiner;
    request->answered = false;
    request->bell = bell_of(request->party);
    request->sign = sign_of(request->party);
    request->lane = lane;
    request->place = lane ? TAKEN : QUEUED;
    atomic_init(&request->state, lane ? LEADS : WAITS);
    if (lane) {
        combiner->idle = lane->next_idle;
        combiner->busy++;
        lane->busy = true;
        lane->requests = request;
    } else {
        enqueue_locked(combiner, request);
    }
    sdi_unlock(&combiner->mutex);
    if (lane)
        lane->started = combiner->way->start(lane->context, request, until);
}

bool sdi_combine_await(sdi_combine_request *request, int64_t until)
{
    uint32_t state = sleep_until(request, until);
    request->answered = state == LEADS ? lead(request->combiner, request, until) : state == ANSWERED;
    return request->answered;
}

/* Steps on where the caller leads, and takes what is answered. True if there was anything to do. */
static bool attend(sdi_combine_request *first, size_t *left, int64_t deadline)
{
    bool due = false;
    for (sdi_combine_request *at = first; at; at = at->beside) {
        if (at->answered || !is_due(at))
            continue;
        *left -= sdi_combine_await(at, *left > 1 ? sdi_deadline_within(deadline, GLANCE_MS) : deadline);
        due = true;
    }
    return due;
}

void sdi_combine_await_all(sdi_combine_request *first, int64_t deadline)
{
    size_t left = 0;
    for (const sdi_combine_request *at = first; at; at = at->beside)
        left += !at->answered;
    if (first && !first->beside && left)
        left -= sdi_combine_await(first, deadline);
    while (left > 0 && !sdi_passed(deadline)) {
        uint32_t listened = atomic_load_explicit(&bells[first->bell], memory_order_acquire);
        if (!attend(first, &left, deadline))
            sdi_futex_wait(&bells[first->bell], listened, first->sign, deadline);
    }
}

/* An answer that is being handed out just now comes at once, however late it is. */
static enum sdi_combine_end take_late(sdi_combine_request *request)
{
    sdi_interrupt_hold();
    sleep_until(request, SDI_NEVER);
    sdi_interrupt_resume();
    return SDI_COMBINE_ANSWERED;
}

/* Of a batch that was not sent, nor anybody else waits for. */
static enum sdi_combine_end withdraw(sdi_combiner *combiner, sdi_combine_request *request)
{
    sdi_combine_lane *lane = request->lane;
    sdi_lock(&combiner->mutex);
    bool alone = !lane->started && lane->requests == request && !request->next;
    if (!alone)
        atomic_store_explicit(&request->state, GONE, memory_order_relaxed);
    else
        lane->requests = NULL;
    go_locked(combiner, alone);
    sdi_unlock(&combiner->mutex);
    pass_on(combiner, lane);
    return alone ? SDI_COMBINE_UNSENT : SDI_COMBINE_LEFT;
}

enum sdi_combine_end sdi_combine_abandon(sdi_combiner *combiner, sdi_combine_request *request)
{
    sdi_lock(&combiner->mutex);
    int place = request->place;
    bool leads = place == TAKEN && is_leading(request);
    if (place == QUEUED)
        unqueue_locked(combiner, request);
    else if (place == TAKEN && !leads)
        atomic_store_explicit(&request->state, GONE, memory_order_relaxed);
    sdi_unlock(&combiner->mutex);
    if (leads)
        return withdraw(combiner, request);
    if (place == SETTLED)
        return take_late(request);
    return place == QUEUED ? SDI_COMBINE_UNSENT : SDI_COMBINE_LEFT;
}

enum sdi_combine_end sdi_combine_run(sdi_combiner *combiner, sdi_combine_request *request, int64_t deadline)
{
    sdi_combine_submit(combiner, request, deadline);
    return sdi_combine_await(request, deadline) ? SDI_COMBINE_ANSWERED : sdi_combine_abandon(combiner, request);
}
