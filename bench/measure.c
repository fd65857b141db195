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

/* ---- the crew of a side: its threads live as long as the measurement and sleep while others are at it */

struct crew;

struct worker {
    struct crew *crew;
    pthread_t thread;
    unsigned number;
    uint64_t next; /* number of the next call, one stream for each side */
    uint64_t calls, errors;
    double rate;
    double *micros; /* how long each of the first calls took */
};

struct crew {
    unsigned size;
    size_t kept; /* calls of each worker whose time is kept */
    pthread_barrier_t begin, end;
    const bench_side *side;
    double slice; /* negative: the measurement is over */
    struct worker *workers;
    double *micros;
};

static void work(struct worker *worker, const bench_side *side, double slice)
{
    unsigned each = side->each ? side->each : 1;
    double began = now(), ends = began + slice, before = began, after;
    do {
        worker->errors += !side->call(side->self, worker->number, worker->next++);
        after = now();
        if (worker->calls < worker->crew->kept)
            worker->micros[worker->calls] = (after - before) * 1e6 / each;
        worker->calls++;
        before = after;
    } while (after < ends);
    worker->rate = (double)worker->calls * each / (after - began);
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct crew *crew = worker->crew;
    for (;;) {
        pthread_barrier_wait(&crew->begin);
        if (crew->slice < 0)
            return NULL;
        work(worker, crew->side, crew->slice);
        pthread_barrier_wait(&crew->end);
    }
}

/* The threads bear the contest's name, so that a profiler can tell them apart: `perf report --comm "hit 1"`. */
static bool crew_hire(struct crew *crew, const char *contest)
{
    char name[16];
    snprintf(name, sizeof name, "%s %u", contest, crew->size);
    for (unsigned i = 0; i < crew->size; i++) {
        crew->workers[i] = (struct worker){.crew = crew, .number = i, .micros = crew->micros + i * crew->kept};
        if (pthread_create(&crew->workers[i].thread, NULL, worker_main, &crew->workers[i]))
            return false;
        pthread_setname_np(crew->workers[i].thread, name);
    }
    return true;
}

static bool crew_start(struct crew *crew, const char *contest, const bench_side *side, unsigned size)
{
    *crew = (struct crew){.size = size, .kept = CALLS_KEPT / size, .side = side};
    crew->workers = calloc(size, sizeof *crew->workers);
    crew->micros = calloc(size, crew->kept * sizeof *crew->micros);
    return crew->workers && crew->micros && pthread_barrier_init(&crew->begin, NULL, size + 1) == 0 &&
           pthread_barrier_init(&crew->end, NULL, size + 1) == 0 && crew_hire(crew, contest);
}

static void crew_end(struct crew *crew)
{
    if (!crew->size)
        return;
    crew->slice = -1;
    pthread_barrier_wait(&crew->begin);
    for (unsigned i = 0; i < crew->size; i++)
        pthread_join(crew->workers[i].thread, NULL);
    pthread_barrier_destroy(&crew->begin);
    pthread_barrier_destroy(&crew->end);
    free(crew->workers);
    free(crew->micros);
}

struct pace {
    double rate, micros, tail;
};

/* Puts the times that were kept one behind the other; how many. */
static size_t gather(struct crew *crew)
{
    size_t count = 0;
    for (unsigned i = 0; i < crew->size; i++) {
        const struct worker *worker = &crew->workers[i];
        size_t kept = worker->calls < crew->kept ? worker->calls : crew->kept;
        memmove(crew->micros + count, worker->micros, kept * sizeof *crew->micros);
        count += kept;
    }
    return count;
}

/* One side for one slice: longer for a crowd, of which each has few turns. */
static struct pace crew_run(struct crew *crew, bench_side *side, double slice, uint64_t round)
{
    struct pace pace = {0, 0, 0};
    crew->slice = slice * (1 + crew->size / 64.0);
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
    size_t kept = gather(crew);
    pace.micros = spread_of(crew->micros, kept).median;
    pace.tail = quantile(crew->micros, kept, 0.99);
    return pace;
}

/* ---- rounds */

typedef struct crew pair[BENCH_SIDES];

unsigned bench_threads(const bench_contest *contest, enum bench_who who)
{
    return contest->sides[who].threads ? contest->sides[who].threads : contest->threads;
}

static bool plays(const bench_contest *contest, enum bench_who who)
{
    return !contest->missing && contest->sides[who].call;
}

static void run_contest(pair crews, bench_contest *contest, double slice, uint64_t round)
{
    size_t at = contest->rounds;
    for (unsigned turn = 0; turn < BENCH_SIDES; turn++) {
        /* Who goes first changes: to follow the other may be an advantage. */
        unsigned who = (turn + (unsigned)round) % BENCH_SIDES;
        if (!plays(contest, who))
            continue;
        struct pace pace = crew_run(&crews[who], &contest->sides[who], slice, round);
        contest->rates[who][at] = pace.rate;
        contest->micros[who][at] = pace.micros;
        contest->tails[who][at] = pace.tail;
    }
    contest->rounds += round >= WARM_UP_ROUNDS && !contest->missing;
}

/* Long enough for hundreds of calls, short enough for at least a few rounds. */
static double slice_for(const bench_contest *contests, size_t count, double seconds)
{
    double parts = 0;
    for (size_t i = 0; i < count; i++)
        for (unsigned who = 0; who < BENCH_SIDES; who++)
            if (plays(&contests[i], who))
                parts += 1 + bench_threads(&contests[i], who) / 64.0;
    double slice = parts > 0 ? seconds / parts / (10 + WARM_UP_ROUNDS) : 0;
    return slice > 0.025 ? 0.025 : slice;
}

static bool hire(pair *crews, const bench_contest *contests, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (unsigned who = 0; who < BENCH_SIDES; who++)
            if (plays(&contests[i], who) && !crew_start(&crews[i][who], contests[i].name, &contests[i].sides[who],
                                                        bench_threads(&contests[i], who)))
                return false;
    return true;
}

bool bench_measure(bench_contest *contests, size_t count, double seconds)
{
    pair *crews = calloc(count, sizeof *crews);
    if (!crews || !hire(crews, contests, count))
        return false; /* the program ends now, and the threads with it */
    double slice = slice_for(contests, count, seconds), ends = now() + seconds;
    /* One round at least, however slow the machine is. */
    for (uint64_t round = 0; round <= WARM_UP_ROUNDS || (now() < ends && round < BENCH_ROUNDS_MAX + WARM_UP_ROUNDS);
         round++)
        for (size_t i = 0; i < count; i++)
            run_contest(crews[i], &contests[i], slice, round);
    for (size_t i = 0; i < count; i++)
        for (unsigned who = 0; who < BENCH_SIDES; who++)
            crew_end(&crews[i][who]);
    free(crews);
    return true;
}

/* ---- figures */

/* Calls a second of each thread. */
static double speed(const bench_contest *contest, enum bench_who who, size_t round, bool alone)
{
    if (alone)
        return 1e6 / contest->micros[who][round];
    return contest->rates[who][round] / bench_threads(contest, who);
}

bench_spread bench_ratio(const bench_contest *contest)
{
    double values[BENCH_ROUNDS_MAX];
    bool alone = bench_threads(contest, BENCH_OURS) == 1 && bench_threads(contest, BENCH_BARE) == 1;
    if (!contest->sides[BENCH_BARE].call)
        return (bench_spread){0, 0, 0};
    for (size_t i = 0; i < contest->rounds; i++) {
        values[i] = speed(contest, BENCH_OURS, i, alone) / speed(contest, BENCH_BARE, i, alone);
        if (contest->ratio_of == BENCH_TIME)
            values[i] = 1 / values[i];
    }
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

bench_spread bench_tail(const bench_contest *contest, enum bench_who who)
{
    return spread_of_copy(contest->tails[who], contest->rounds);
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
