#include "crew.h"

#include <linux/futex.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "visit.h"

/* What is sent later than this after its time is late. */
#define LATE_NS INT64_C(1000000)
/* Exponential times to think are cut at so many means. */
#define THINK_MOST 10

enum { CACHE_LINE = 64, PURPOSE_THINK = 1, PURPOSE_PHASE = 1000 };

struct load_worker {
    _Alignas(CACHE_LINE) load_crew *crew;
    pthread_t thread;
    uint64_t number;
    uint32_t woken; /* a futex: 1 when there is no use in sleeping on */
};

/* Sleeps to a moment of the monotonic clock, or until woken. The kernel's timer is exact to a microsecond once the
 * thread's slack is down (see worker_main), so no core is burnt to be on time: what is left is how long the machine
 * takes to wake a thread, and `start_delay` tells it. */
static void sleep_until(struct load_worker *worker, int64_t moment_ns)
{
    struct timespec moment = load_timespec(moment_ns);
    while (!__atomic_load_n(&worker->woken, __ATOMIC_RELAXED) && load_now_ns() < moment_ns)
        syscall(SYS_futex, &worker->woken, FUTEX_WAIT_BITSET_PRIVATE, 0, &moment, NULL, FUTEX_BITSET_MATCH_ANY);
}

static bool is_stopping(const load_crew *crew)
{
    return atomic_load_explicit(&crew->stopping, memory_order_relaxed);
}

/* What a request is depends on the seed and its number only, whichever thread it falls to. */
static void send(load_crew *crew, uint64_t number, int64_t intended_ns, int64_t sent_ns)
{
    load_visit visit;
    load_random random = load_random_of(crew->seed, PURPOSE_PHASE + crew->phase->number, number);
    load_request request = {load_mix_draw(crew->mix, &random), LOAD_SOURCE_NONE, intended_ns, sent_ns, 0, false};
    atomic_fetch_add_explicit(&crew->tally->busy_threads, 1, memory_order_relaxed);
    request.failed = !load_visit_begin(&visit, crew->shop, crew->tally, random) ||
                     !load_interaction_table[request.interaction].run(&visit);
    request.ended_ns = load_now_ns();
    request.source = visit.source;
    load_visit_end(&visit);
    load_tally_request(crew->tally, &request);
    atomic_fetch_sub_explicit(&crew->tally->busy_threads, 1, memory_order_relaxed);
}

/* ---- open loop */

static void note_pause(load_pause *pause, int64_t from_ns, int64_t to_ns)
{
    pthread_mutex_lock(&pause->lock);
    bool is_apart = from_ns > pause->to_ns || to_ns < pause->from_ns;
    pause->from_ns = is_apart || from_ns < pause->from_ns ? from_ns : pause->from_ns;
    pause->to_ns = is_apart || to_ns > pause->to_ns ? to_ns : pause->to_ns;
    pthread_mutex_unlock(&pause->lock);
}

static bool is_within(load_pause *pause, int64_t at_ns)
{
    pthread_mutex_lock(&pause->lock);
    bool within = pause->from_ns <= at_ns && at_ns <= pause->to_ns;
    pthread_mutex_unlock(&pause->lock);
    return within;
}

/* Where the whole process stood still, few threads had an arrival to wake up for; those of all others came due behind
 * them, and are late for the same reason. */
static void note_delay(load_crew *crew, const load_arrival *arrival, int64_t now_ns, bool was_free)
{
    load_tally *tally = crew->tally;
    int64_t delay_ns = now_ns - arrival->at_ns;
    if (was_free)
        load_tally_time(&tally->times[LOAD_START_DELAY], delay_ns);
    if (delay_ns <= LATE_NS)
        return;
    if (was_free)
        note_pause(&crew->pause, arrival->at_ns, now_ns);
    load_tally_count(tally, is_within(&crew->pause, arrival->at_ns) ? LOAD_LATE_FREE : LOAD_LATE_BUSY);
}

static void meet(load_crew *crew, const load_arrival *arrival, bool was_free)
{
    int64_t now_ns = load_now_ns();
    if (is_stopping(crew) || now_ns - arrival->at_ns > crew->patience_ns) {
        load_tally_count(crew->tally, LOAD_DROPPED);
        return;
    }
    note_delay(crew, arrival, now_ns, was_free);
    send(crew, arrival->number, arrival->at_ns, now_ns);
}

/* A phase lasts to its end, also where nothing arrives. */
static void work_open(struct load_worker *worker)
{
    load_crew *crew = worker->crew;
    load_arrival arrival;
    while (load_schedule_next(crew->schedule, &arrival)) {
        bool was_free = arrival.at_ns > load_now_ns();
        if (was_free)
            sleep_until(worker, arrival.at_ns);
        if (load_now_ns() >= arrival.at_ns) /* else it does not come any more: woken, to stop */
            meet(crew, &arrival, was_free);
    }
    sleep_until(worker, crew->end_ns);
}

/* ---- closed loop */

static int64_t think_ns(const load_phase *phase, load_random *random)
{
    double means = phase->think_is_constant ? 1 : fmin(load_random_exponential(random), THINK_MOST);
    return (int64_t)(phase->think_us * 1e3 * means);
}

static void work_closed(struct load_worker *worker)
{
    load_crew *crew = worker->crew;
    load_random random = load_random_of(crew->seed, PURPOSE_THINK, worker->number);
    int64_t now_ns = crew->begin_ns;
    sleep_until(worker, now_ns);
    while (!is_stopping(crew)) {
        int64_t awake_ns = now_ns + think_ns(crew->phase, &random);
        sleep_until(worker, awake_ns < crew->end_ns ? awake_ns : crew->end_ns);
        now_ns = load_now_ns();
        if (now_ns >= crew->end_ns || is_stopping(crew))
            return;
        send(crew, atomic_fetch_add_explicit(&crew->number, 1, memory_order_relaxed), now_ns, now_ns);
        now_ns = load_now_ns();
    }
}

/* ---- the crew */

static void *worker_main(void *argument)
{
    struct load_worker *worker = argument;
    load_crew *crew = worker->crew;
    prctl(PR_SET_TIMERSLACK, 1UL); /* nanoseconds; 50,000 is usual */
    if (crew->phase->is_open)
        work_open(worker);
    else
        work_closed(worker);
    if (atomic_fetch_sub(&crew->running, 1) == 1)
        eventfd_write(crew->done_fd, 1);
    return NULL;
}

static bool start(struct load_worker *worker)
{
    if (pthread_create(&worker->thread, NULL, worker_main, worker))
        return false;
    pthread_setname_np(worker->thread, "shopload");
    return true;
}

bool load_crew_start(load_crew *crew, load_fault *fault)
{
    uint64_t wanted = crew->phase->is_open ? crew->threads : crew->phase->clients;
    crew->workers = aligned_alloc(CACHE_LINE, wanted * sizeof *crew->workers);
    atomic_init(&crew->running, wanted);
    atomic_init(&crew->number, 0);
    atomic_init(&crew->stopping, 0);
    pthread_mutex_init(&crew->pause.lock, NULL);
    if (!crew->workers)
        return load_fail(fault, "no memory for %llu threads", (unsigned long long)wanted);
    for (crew->started = 0; crew->started < wanted; crew->started++) {
        struct load_worker *worker = &crew->workers[crew->started];
        *worker = (struct load_worker){.crew = crew, .number = crew->started};
        if (!start(worker)) {
            load_fail(fault, "only %llu threads of %llu could be made", (unsigned long long)crew->started,
                      (unsigned long long)wanted);
            load_crew_stop(crew);
            load_crew_join(crew);
            return false;
        }
    }
    return true;
}

void load_crew_stop(load_crew *crew)
{
    if (crew->schedule)
        load_schedule_stop(crew->schedule, load_now_ns());
    atomic_store(&crew->stopping, 1);
    for (uint64_t i = 0; i < crew->started; i++) {
        __atomic_store_n(&crew->workers[i].woken, 1, __ATOMIC_RELAXED);
        syscall(SYS_futex, &crew->workers[i].woken, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
}

void load_crew_join(load_crew *crew)
{
    for (uint64_t i = 0; i < crew->started; i++)
        pthread_join(crew->workers[i].thread, NULL);
    pthread_mutex_destroy(&crew->pause.lock);
    free(crew->workers);
    crew->workers = NULL;
}
