#include "keys.h"

#include <inttypes.h>
#include <string.h>

#include "options.h"

/* What real shops' accesses follow; YCSB's 0.99 makes caches look better than they are. */
#define USUAL_EXPONENT 0.82

enum { ARGUMENT_TEXT = 32 };

static const char *const names[] = {[LOAD_KEYS_ZIPF] = "zipf",
                                    [LOAD_KEYS_UNIFORM] = "uniform",
                                    [LOAD_KEYS_LATEST] = "latest",
                                    [LOAD_KEYS_HOTSPOT] = "hotspot",
                                    [LOAD_KEYS_TRACE] = "trace"};

static bool read_kind(load_keys *keys, const char *text, size_t length, load_fault *fault)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == length && memcmp(names[i], text, length) == 0) {
            keys->kind = (enum load_key_kind)i;
            return true;
        }
    return load_fail(fault, "keys: there is no `%s`; there are zipf:0.82, uniform, latest:0.82, hotspot:0.2:0.8, trace",
                     text);
}

/* Reads one `:NUMBER`, and moves on. */
static bool read_argument(const char **text, const char *what, double lowest, double highest, double *number_out,
                          load_fault *fault)
{
    char number[ARGUMENT_TEXT];
    if (**text != ':')
        return load_fail(fault, "%s is missing; it follows a colon, as in hotspot:0.2:0.8", what);
    size_t length = strcspn(++*text, ":");
    if (length >= sizeof number)
        return load_fail(fault, "%s: `%s` is too long for a number", what, *text);
    memcpy(number, *text, length);
    number[length] = '\0';
    *text += length;
    return load_read_number(what, number, lowest, highest, number_out, fault);
}

static bool read_arguments(load_keys *keys, const char **text, load_fault *fault)
{
    if (keys->kind == LOAD_KEYS_HOTSPOT)
        return read_argument(text, "keys: the share of hot keys", 0, 1, &keys->hot_keys, fault) &&
               read_argument(text, "keys: the share of their accesses", 0, 1, &keys->hot_accesses, fault);
    bool has_exponent = keys->kind == LOAD_KEYS_ZIPF || keys->kind == LOAD_KEYS_LATEST;
    return !has_exponent || !**text || read_argument(text, "keys: the exponent", 0, 10, &keys->exponent, fault);
}

bool load_keys_read(load_keys *keys, const char *text, load_fault *fault)
{
    const char *rest = text + strcspn(text, ":");
    *keys = (load_keys){.exponent = USUAL_EXPONENT};
    if (!read_kind(keys, text, (size_t)(rest - text), fault) || !read_arguments(keys, &rest, fault))
        return false;
    return !*rest || load_fail(fault, "keys: `%s` is more than %s takes", rest, names[keys->kind]);
}

bool load_keys_open(load_keys *keys, uint64_t count, const load_trace *trace, load_fault *fault)
{
    keys->count = count;
    keys->scatter = load_scatter_new(count);
    keys->zipf = load_zipf_new((int64_t)count, keys->exponent);
    keys->trace = trace;
    atomic_init(&keys->access, 0);
    if (count == 0)
        return load_fail(fault, "keys: there is no product to ask for");
    if (keys->kind != LOAD_KEYS_TRACE)
        return true;
    if (!trace)
        return load_fail(fault, "keys: trace needs a --trace FILE");
    if (trace->distinct > count)
        return load_fail(fault, "trace: it has %" PRIu64 " keys and there are %" PRIu64 " products: load as many",
                         trace->distinct, count);
    return true;
}

static uint64_t draw_hotspot(const load_keys *keys, load_random *random)
{
    uint64_t hot = (uint64_t)(keys->hot_keys * (double)keys->count);
    bool is_hot = load_random_uniform(random) < keys->hot_accesses;
    if (hot == 0 || (!is_hot && hot < keys->count))
        return hot + load_random_below(random, keys->count - hot);
    return load_random_below(random, hot);
}

/* From 0 on, by popularity. */
static uint64_t draw_rank(load_keys *keys, load_random *random)
{
    switch (keys->kind) {
    case LOAD_KEYS_UNIFORM:
        return load_random_below(random, keys->count);
    case LOAD_KEYS_HOTSPOT:
        return draw_hotspot(keys, random);
    case LOAD_KEYS_TRACE:
        return load_trace_at(keys->trace, atomic_fetch_add_explicit(&keys->access, 1, memory_order_relaxed));
    case LOAD_KEYS_ZIPF:
    case LOAD_KEYS_LATEST:
        break;
    }
    return (uint64_t)load_zipf_draw(&keys->zipf, random) - 1;
}

int64_t load_keys_draw(load_keys *keys, load_random *random)
{
    uint64_t rank = draw_rank(keys, random);
    if (keys->kind == LOAD_KEYS_LATEST)
        return (int64_t)(keys->count - rank);
    return (int64_t)load_scatter_at(&keys->scatter, rank) + 1;
}

const char *load_keys_name(const load_keys *keys)
{
    return names[keys->kind];
}
