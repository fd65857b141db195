#include "bottleneck.h"

enum { WHY_TEXT = 256 };

/* From these shares on the generator waits for a processor so often that what it measures is itself. */
#define OWN_CPU_MOST 0.9
#define MACHINE_MOST 0.95
#define LATE_MOST 0.01
/* Of the time: a ramp may have used up all only at its end, where its slowest requests are. */
#define STRAINED_MOST 0.05

static double share(uint64_t part, uint64_t all)
{
    return all ? (double)part / (double)all : 0;
}

bool load_bottleneck_strains(double cpu_cores, double cores, double machine_busy)
{
    return cpu_cores >= OWN_CPU_MOST * cores || machine_busy >= MACHINE_MOST;
}

enum load_bottleneck load_bottleneck_of(const load_strain *strain)
{
    uint64_t all = strain->sent + strain->dropped;
    if (load_bottleneck_strains(strain->cpu_cores, strain->cores, strain->machine_busy) ||
        strain->strained_seconds > STRAINED_MOST * strain->seconds)
        return LOAD_BOTTLENECK_CPU;
    if (share(strain->late_free, all) > LATE_MOST)
        return LOAD_BOTTLENECK_WAKE_UP;
    if (share(strain->late_busy + strain->dropped, all) > LATE_MOST)
        return LOAD_BOTTLENECK_THREADS;
    return LOAD_BOTTLENECK_NONE;
}

static void tell_why(const load_strain *strain, enum load_bottleneck bottleneck, char why[WHY_TEXT])
{
    uint64_t all = strain->sent + strain->dropped;
    if (bottleneck == LOAD_BOTTLENECK_CPU)
        snprintf(why, WHY_TEXT,
                 "the machine's processors were %.0f %% busy, and this process used %.1f of its %.0f cores; in %.0f of "
                 "%.0f s none was to spare: more load needs more machines to send it from",
                 strain->machine_busy * 100, strain->cpu_cores, strain->cores, strain->strained_seconds,
                 strain->seconds);
    else if (bottleneck == LOAD_BOTTLENECK_WAKE_UP)
        snprintf(why, WHY_TEXT,
                 "%.1f %% of the requests were sent over 1 ms late although a thread was free: something else takes "
                 "this machine's processors",
                 share(strain->late_free, all) * 100);
    else
        snprintf(why, WHY_TEXT,
                 "%.1f %% of the arrivals waited for one of the %llu threads: the servers are slower than the rate, or "
                 "there are too few threads",
                 share(strain->late_busy + strain->dropped, all) * 100, (unsigned long long)strain->threads);
}

void load_bottleneck_write(const load_strain *strain, load_json *json)
{
    static const char *const names[] = {"none", "cpu", "wake_up", "threads"};
    enum load_bottleneck bottleneck = load_bottleneck_of(strain);
    char why[WHY_TEXT];
    load_json_text(json, "bottleneck", names[bottleneck]);
    if (bottleneck == LOAD_BOTTLENECK_NONE)
        return;
    tell_why(strain, bottleneck, why);
    load_json_text(json, "bottleneck_why", why);
}
