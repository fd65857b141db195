/* overhead - what the engine itself adds to a request: the processor time of one that the engine sends, less that of
 * the same call in a bare loop, at the same load: as many threads, the same keys, the same library. Both run in turns,
 * so that what else the machine does strikes both. Prints a line for each kind of loop, and one of how long after its
 * time a request is sent when a thread is free.
 *
 *   overhead --config FILE [--set KEY=VALUE]... [--threads N] [--rounds N] [--rate N]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "crew.h"
#include "options.h"
#include "settings.h"

enum { THREADS_MOST = 256, ROUNDS_MOST = 1000, PURPOSE_BARE = 3 };

/* Of each turn of each side. */
#define SLICE_S 0.25

struct bench {
    load_settings settings;
    uint64_t threads, rounds;
    double rate;
    load_shop shop;
    load_keys keys;
    load_mix mix;
    unsigned phases;
    double bare[ROUNDS_MOST], closed[ROUNDS_MOST]; /* processor time of a request, in us */
    double paced[ROUNDS_MOST], open[ROUNDS_MOST];
    load_histogram *delay;
};

static bool take_config(void *into, const char *value, load_fault *fault)
{
    return load_settings_add_file(&((struct bench *)into)->settings, value, fault);
}

static bool take_set(void *into, const char *value, load_fault *fault)
{
    return load_settings_add_pair(&((struct bench *)into)->settings, value, fault);
}

static bool take_threads(void *into, const char *value, load_fault *fault)
{
    return load_read_count("--threads", value, 1, THREADS_MOST, &((struct bench *)into)->threads, fault);
}

static bool take_rounds(void *into, const char *value, load_fault *fault)
{
    return load_read_count("--rounds", value, 1, ROUNDS_MOST, &((struct bench *)into)->rounds, fault);
}

static bool take_rate(void *into, const char *value, load_fault *fault)
{
    return load_read_number("--rate", value, 1, LOAD_RATE_HIGHEST, &((struct bench *)into)->rate, fault);
}

static const load_option options[] = {
    {"config", "FILE", "the library's configuration; repeatable", take_config},
    {"set", "KEY=VALUE", "one key of it more; repeatable", take_set},
    {"threads", "N", "of both sides; default 4", take_threads},
    {"rounds", "N", "turns of each side; default 20", take_rounds},
    {"rate", "N", "arrivals a second in the open loop; default 5000", take_rate},
};

enum { OPTIONS = sizeof options / sizeof *options };

static double cpu_us(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

/* ---- the bare side */

struct asker {
    struct bench *bench;
    pthread_t thread;
    uint64_t number, asked;
    int64_t end_ns, gap_ns; /* 0: without a pause */
};

static bool ask(struct bench *bench, load_random *random)
{
    shopdata_session *session = NULL;
    shopdata_result *result = NULL;
    shopdata_param param = shopdata_int64(load_keys_draw(&bench->keys, random));
    bool good = shopdata_session_new(bench->shop.client, &session, NULL) == SHOPDATA_OK &&
                shopdata_query(session, bench->shop.statements[LOAD_PRODUCT], &param, 1, &result, NULL) == SHOPDATA_OK;
    shopdata_result_free(result);
    shopdata_session_free(session);
    return good;
}

/* Looks at the clock as often as a loop has to that ends in time. */
static void *asker_main(void *argument)
{
    struct asker *asker = argument;
    load_random random = load_random_of(1, PURPOSE_BARE, asker->number);
    int64_t next_ns = load_now_ns();
    prctl(PR_SET_TIMERSLACK, 1UL);
    while (load_now_ns() < asker->end_ns) {
        struct timespec next = load_timespec(next_ns += asker->gap_ns);
        if (asker->gap_ns)
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
        asker->asked += ask(asker->bench, &random);
    }
    return NULL;
}

static double run_bare(struct bench *bench, double rate)
{
    struct asker askers[THREADS_MOST];
    uint64_t asked = 0;
    double before = cpu_us();
    for (uint64_t i = 0; i < bench->threads; i++) {
        askers[i] = (struct asker){.bench = bench, .number = i, .end_ns = load_now_ns() + (int64_t)(SLICE_S * 1e9)};
        if (rate > 0)
            askers[i].gap_ns = (int64_t)(1e9 * (double)bench->threads / rate);
        if (pthread_create(&askers[i].thread, NULL, asker_main, &askers[i]))
            return 0;
    }
    for (uint64_t i = 0; i < bench->threads; i++) {
        pthread_join(askers[i].thread, NULL);
        asked += askers[i].asked;
    }
    return asked ? (cpu_us() - before) / (double)asked : 0;
}

/* ---- the engine's side */

static bool run_crew(struct bench *bench, const load_phase *phase, load_tally *tally, load_fault *fault)
{
    load_schedule schedule;
    load_crew crew = {.shop = &bench->shop, .tally = tally, .mix = &bench->mix, .phase = phase, .seed = 1};
    crew.threads = bench->threads;
    crew.patience_ns = 10 * LOAD_SECOND_NS;
    crew.begin_ns = load_now_ns();
    crew.end_ns = crew.begin_ns + (int64_t)(phase->seconds * 1e9);
    crew.done_fd = eventfd(0, EFD_CLOEXEC);
    crew.schedule = phase->is_open ? &schedule : NULL;
    load_schedule_init(&schedule, phase->arrivals, &phase->rate, load_random_of(1, PURPOSE_BARE, phase->number),
                       crew.begin_ns, phase->seconds);
    bool good = load_crew_start(&crew, fault);
    if (good)
        load_crew_join(&crew);
    load_schedule_free(&schedule);
    close(crew.done_fd);
    return good;
}

static double run_engine(struct bench *bench, const char *text, load_fault *fault)
{
    load_phase phase;
    load_tally *tally = load_tally_new();
    double before = cpu_us(), each = 0;
    if (tally && load_phase_read(&phase, text, false, bench->threads, fault)) {
        phase.number = ++bench->phases;
        if (run_crew(bench, &phase, tally, fault) && load_tally_counted(tally, LOAD_REQUESTS))
            each = (cpu_us() - before) / (double)load_tally_counted(tally, LOAD_REQUESTS);
        load_histogram *delay = atomic_load(&tally->times[LOAD_START_DELAY]);
        if (delay)
            load_histogram_add(bench->delay, delay);
    }
    load_tally_free(tally);
    return each;
}

/* ---- both */

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, uint64_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return values[count / 2];
}

static bool measure(struct bench *bench, load_fault *fault)
{
    char closed[64], open[64];
    snprintf(closed, sizeof closed, "closed seconds=%g", SLICE_S);
    snprintf(open, sizeof open, "open seconds=%g rate=%g", SLICE_S, bench->rate);
    run_bare(bench, 0); /* fills the caches */
    for (uint64_t round = 0; round < bench->rounds; round++) {
        bench->bare[round] = run_bare(bench, 0);
        bench->closed[round] = run_engine(bench, closed, fault);
        bench->paced[round] = run_bare(bench, bench->rate);
        bench->open[round] = run_engine(bench, open, fault);
        if (bench->bare[round] == 0 || bench->closed[round] == 0 || bench->paced[round] == 0 || bench->open[round] == 0)
            return load_fail(fault, "a turn brought no answer");
    }
    return true;
}

static void print_loop(const struct bench *bench, const char *loop, double *bare, double *ours)
{
    double theirs = median(bare, bench->rounds), with = median(ours, bench->rounds);
    printf("%s: the engine adds %.2f us a request (%.2f us of processor time, in a bare loop %.2f; %.2f times)\n", loop,
           with - theirs, with, theirs, with / theirs);
}

static void print(struct bench *bench)
{
    char open[64];
    snprintf(open, sizeof open, "open loop, %g/s", bench->rate);
    print_loop(bench, "closed loop", bench->bare, bench->closed);
    print_loop(bench, open, bench->paced, bench->open);
    printf("sent after its time, where a thread was free: p50 %.1f us, p99 %.1f us, max %.1f us\n",
           (double)load_histogram_quantile(bench->delay, 0.5) / 1e3,
           (double)load_histogram_quantile(bench->delay, 0.99) / 1e3,
           (double)load_histogram_highest(bench->delay) / 1e3);
}

static bool run(struct bench *bench, load_fault *fault)
{
    shopdata_client *client;
    if (!load_keys_read(&bench->keys, "zipf", fault) || !load_mix_read(&bench->mix, "point", fault) ||
        !load_settings_open(&bench->settings, &client, fault))
        return false;
    bool good = load_shop_open(&bench->shop, client, &bench->keys, NULL, fault) && measure(bench, fault);
    if (good)
        print(bench);
    load_shop_close(&bench->shop);
    return good;
}

int main(int count, char **arguments)
{
    static struct bench bench = {.threads = 4, .rounds = 20, .rate = 5000};
    load_fault fault;
    bench.delay = load_histogram_new();
    if (load_options_asked(count, arguments)) {
        load_options_help("overhead - what the load engine adds to a request\n\n", options, OPTIONS);
        return EXIT_SUCCESS;
    }
    bool good =
        load_options_read(options, OPTIONS, count, arguments, &bench, &fault) && bench.delay && run(&bench, &fault);
    if (!good)
        load_complain("overhead: %s", fault.text);
    free(bench.delay);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
