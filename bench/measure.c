#include "measure.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WARM_UP_ROUNDS = 2, COMPLAINTS = 5, CALLS_KEPT = 8192 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* ---- order */

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Between two neighbours in order. */
static double quantile(const double *ordered, size_t count, double share)
{
    double place = share * (double)(count - 1);
    size_t below = (size_t)place;
    if (below + 1 >= count)
        return ordered[count - 1];
    return ordered[below] + (place - (double)below) * (ordered[below + 1] - ordered[below]);
}

static bench_spread spread_of(double *values, size_t count)
{
    if (count == 0)
        return (bench_spread){0, 0, 0};
    qsort(values, count, sizeof *values, ascending);
    return (bench_spread){quantile(values, count, 0.1), quantile(values, count, 0.5), quantile(values, count, 0.9)};
}

/* ---- the crew of a contest: its threads live as long as the measurement and sleep while others are at it */

struct crew;

struct worker {
    struct crew *crew;
    pthread_t thread;
    unsigned number;
    uint64_t next; /* number of the next call, one stream for each side */
    uint64_t calls, errors;
    double rate;
    double micros[CALLS_KEPT]; /* how long each of the first calls took */
};

struct crew {
    unsigned size;
    pthread_barrier_t begin, end;
    const bench_side *side; /* NULL: the measurement is over */
    double slice;
    struct worker workers[BENCH_THREADS_MAX];
};

static void work(struct worker *worker, const bench_side *side, double slice)
{
    double began = now(), ends = began + slice, before = began, after;
    do {
        worker->errors += !side->call(side->self, worker->number, worker->next++);
        after = now();
        if (worker->calls < CALLS_KEPT)
            worker->micros[worker->calls] = (after - before) * 1e6;
        worker->calls++;
        before = after;
    } while (after < ends);
    worker->rate = (double)worker->calls / (after - began);
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct crew *crew = worker->crew;
    for (;;) {
        pthread_barrier_wait(&crew->begin);
        if (!crew->side)
            return NULL;
        work(worker, crew->side, crew->slice);
        pthread_barrier_wait(&crew->end);
    }
}

/* The threads bear the contest's name, so that a profiler can tell them apart: `perf report --comm "hit 1"`. */
static bool crew_start(struct crew *crew, const char *contest, unsigned size)
{
    char name[16];
    *crew = (struct crew){.size = size};
    snprintf(name, sizeof name, "%s %u", contest, size);
    if (pthread_barrier_init(&crew->begin, NULL, size + 1) || pthread_barrier_init(&crew->end, NULL, size + 1))
        return false;
    for (unsigned i = 0; i < size; i++) {
        crew->workers[i] = (struct worker){.crew = crew, .number = i};
        if (pthread_create(&crew->workers[i].thread, NULL, worker_main, &crew->workers[i]))
            return false;
        pthread_setname_np(crew->workers[i].thread, name);
    }
    return true;
}

static void crew_end(struct crew *crew)
{
    crew->side = NULL;
    pthread_barrier_wait(&crew->begin);
    for (unsigned i = 0; i < crew->size; i++)
        pthread_join(crew->workers[i].thread, NULL);
    pthread_barrier_destroy(&crew->begin);
    pthread_barrier_destroy(&crew->end);
}

struct pace {
    double rate, micros;
};

/* One side for one slice. */
static struct pace crew_run(struct crew *crew, bench_side *side, double slice, uint64_t round)
{
    struct pace pace = {0, 0};
    crew->side = side;
    crew->slice = slice;
    for (unsigned i = 0; i < crew->size; i++) {
        struct worker *worker = &crew->workers[i];
        worker->calls = worker->errors = 0;
        worker->next = round << 32;
    }
    pthread_barrier_wait(&crew->begin);
    pthread_barrier_wait(&crew->end);
    for (unsigned i = 0; i < crew->size; i++) {
        side->calls += crew->workers[i].calls;
        side->errors += crew->workers[i].errors;
        pace.rate += crew->workers[i].rate;
    }
    uint64_t kept = crew->workers[0].calls;
    pace.micros = spread_of(crew->workers[0].micros, kept < CALLS_KEPT ? kept : CALLS_KEPT).median;
    return pace;
}

/* ---- rounds */

static void run_round(struct crew *crews, bench_contest *contests, size_t count, double slice, uint64_t round)
{
    for (size_t i = 0; i < count; i++) {
        bench_contest *contest = &contests[i];
        struct pace paces[BENCH_SIDES];
        for (unsigned turn = 0; turn < BENCH_SIDES; turn++) {
            /* Who goes first changes: to follow the other may be an advantage. */
            unsigned who = (turn + (unsigned)round) % BENCH_SIDES;
            paces[who] = crew_run(&crews[i], &contest->sides[who], slice, round);
        }
        if (round < WARM_UP_ROUNDS)
            continue;
        for (unsigned who = 0; who < BENCH_SIDES; who++) {
            contest->rates[who][contest->rounds] = paces[who].rate;
            contest->micros[who][contest->rounds] = paces[who].micros;
        }
        contest->rounds++;
    }
}

/* Long enough for hundreds of calls, short enough for at least a few rounds. */
static double slice_for(size_t count, double seconds)
{
    double slice = seconds / (double)(count * BENCH_SIDES) / 10;
    return slice > 0.025 ? 0.025 : slice;
}

bool bench_measure(bench_contest *contests, size_t count, double seconds)
{
    struct crew *crews = calloc(count, sizeof *crews);
    bool good = crews != NULL;
    for (size_t i = 0; i < count && good; i++)
        good = crew_start(&crews[i], contests[i].name, contests[i].threads);
    if (!good)
        return false; /* the program ends now, and the threads with it */
    double slice = slice_for(count, seconds), ends = now() + seconds;
    for (uint64_t round = 0; now() < ends && round < BENCH_ROUNDS_MAX + WARM_UP_ROUNDS; round++)
        run_round(crews, contests, count, slice, round);
    for (size_t i = 0; i < count; i++)
        crew_end(&crews[i]);
    free(crews);
    return true;
}

/* ---- figures */

bench_spread bench_ratio(const bench_contest *contest)
{
    const double(*figures)[BENCH_ROUNDS_MAX] = contest->threads > 1 ? contest->rates : contest->micros;
    double values[BENCH_ROUNDS_MAX];
    for (size_t i = 0; i < contest->rounds; i++)
        values[i] = figures[BENCH_OURS][i] / figures[BENCH_BARE][i];
    return spread_of(values, contest->rounds);
}

static bench_spread spread_of_copy(const double *figures, size_t count)
{
    double values[BENCH_ROUNDS_MAX];
    memcpy(values, figures, count * sizeof *values);
    return spread_of(values, count);
}

bench_spread bench_micros(const bench_contest *contest, enum bench_who who)
{
    return spread_of_copy(contest->micros[who], contest->rounds);
}

bench_spread bench_rate(const bench_contest *contest, enum bench_who who)
{
    return spread_of_copy(contest->rates[who], contest->rounds);
}

/* ---- small things */

void bench_complain(const char *what, const char *why)
{
    static atomic_int complaints;
    if (atomic_fetch_add(&complaints, 1) < COMPLAINTS)
        fprintf(stderr, "roundtrips: %s: %s\n", what, why);
}

uint64_t bench_random(unsigned thread, uint64_t number)
{
    /* splitmix64 */
    uint64_t x = (number + ((uint64_t)thread << 48)) * 0x9e3779b97f4a7c15U + 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}
