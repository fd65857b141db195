#include "base/proving.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/slice.h"

enum { MILLION = 1000000, SECONDS_MAX = 60 };

/* Rates are in a million passes. */
typedef struct disturbance {
    uint32_t delay_rate, kill_rate;
    int64_t delay_us;
    uint64_t only; /* a bit a step */
    uint64_t seed;
} disturbance;

static const char *const step_names[] = {
#define NAME(name, ...) #name,
    SDI_STEPS(NAME)};
static const char *const rule_names[] = {SDI_RULES(NAME)};
#undef NAME
static const char *const rule_steps[] = {
#define STEPS(name, without, steps, ...) steps,
    SDI_RULES(STEPS)
#undef STEPS
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int dropped = -1;
static disturbance disturb;

static void refuse(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void refuse(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

static int find(sdi_slice name, const char *const *names, int count, const char *what)
{
    char list[2048] = "";
    for (int i = 0; i < count; i++) {
        if (sdi_slice_equal(name, sdi_slice_of(names[i])))
            return i;
        size_t length = strlen(list);
        snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "", names[i]);
    }
    refuse("%s: there is no `%.*s`; there are %s", what, (int)name.length, name.data, list);
}

/* Takes what stands before the separator off the text. */
static sdi_slice take(sdi_slice *text, char separator)
{
    const char *at = memchr(text->data, separator, text->length);
    size_t length = at ? (size_t)(at - text->data) : text->length;
    sdi_slice taken = {text->data, length};
    text->data += length + (at != NULL);
    text->length -= length + (at != NULL);
    return taken;
}

/* A number and its unit; `max` is the largest in the unit. */
static double number(sdi_slice text, const char *unit, double max)
{
    char copy[32] = "", *end;
    if (text.length < sizeof copy)
        memcpy(copy, text.data, text.length);
    double value = strtod(copy, &end);
    if (end == copy || strcmp(end, unit) != 0 || !(value >= 0 && value <= max))
        refuse("SHOPDATA_STEPS: `%.*s` is no number from 0 to %g%s", (int)text.length, text.data, max, unit);
    return value;
}

static uint32_t rate(sdi_slice text)
{
    return (uint32_t)(number(text, "%", 100) * MILLION / 100);
}

static uint64_t read_steps(sdi_slice names)
{
    uint64_t steps = 0;
    while (names.length)
        steps |= UINT64_C(1) << find(take(&names, '+'), step_names, SDI_STEP_COUNT, "SHOPDATA_STEPS: only");
    return steps;
}

static void read_word(disturbance *read, sdi_slice name, sdi_slice value)
{
    if (sdi_slice_equal(name, sdi_slice_of("delay"))) {
        read->delay_rate = rate(take(&value, ':'));
        read->delay_us = (int64_t)(number(value, "ms", SECONDS_MAX * 1000) * 1000);
    } else if (sdi_slice_equal(name, sdi_slice_of("kill"))) {
        read->kill_rate = rate(value);
    } else if (sdi_slice_equal(name, sdi_slice_of("only"))) {
        read->only = read_steps(value);
    } else if (sdi_slice_equal(name, sdi_slice_of("seed"))) {
        read->seed = (uint64_t)number(value, "", INT32_MAX);
    } else {
        refuse("SHOPDATA_STEPS: there is no `%.*s`; there are delay=5%%:3ms, kill=0.01%%, only=STEP+STEP, seed=7",
               (int)name.length, name.data);
    }
}

static void read_environment(void)
{
    const char *drop = getenv("SHOPDATA_DROP"), *steps = getenv("SHOPDATA_STEPS");
    if (drop && *drop)
        dropped = find(sdi_slice_of(drop), rule_names, SDI_RULE_COUNT, "SHOPDATA_DROP");
    if (!steps)
        steps = dropped >= 0 ? rule_steps[dropped] : "";
    disturb = (disturbance){.only = UINT64_MAX, .seed = sdi_nonce()};
    for (sdi_slice text = sdi_slice_of(steps); text.length;) {
        sdi_slice value = take(&text, ','), name = take(&value, '=');
        read_word(&disturb, name, value);
    }
}

/* Even over 0 .. a million; of a thread's own when seeded. */
static uint32_t draw(uint64_t number_of_draw)
{
    static atomic_uint threads;
    static _Thread_local unsigned thread;
    if (!thread)
        thread = atomic_fetch_add(&threads, 1) + 1;
    uint64_t drawn[] = {disturb.seed, thread, number_of_draw};
    return (uint32_t)(sdi_hash64(drawn, sizeof drawn) % MILLION);
}

void sdi_step(enum sdi_step step)
{
    static _Thread_local uint64_t draws;
    pthread_once(&once, read_environment);
    if (!(disturb.only >> step & 1))
        return;
    if (disturb.kill_rate && draw(++draws) < disturb.kill_rate)
        kill(getpid(), SIGKILL);
    if (disturb.delay_rate && draw(++draws) < disturb.delay_rate)
        sdi_sleep(disturb.delay_us);
}

bool sdi_rule(enum sdi_rule rule)
{
    pthread_once(&once, read_environment);
    return dropped != (int)rule;
}
