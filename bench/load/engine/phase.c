#include "phase.h"

#include <string.h>

#include "options.h"

enum { WORD_TEXT = LOAD_PHASE_RATE + 32 };

#define LONGEST_S (366 * 86400.0)

static bool take_seconds(load_phase *phase, const char *value, load_fault *fault)
{
    return load_read_number("seconds", value, 0.001, LONGEST_S, &phase->seconds, fault);
}

/* It is read when the seconds are known. */
static bool take_rate(load_phase *phase, const char *value, load_fault *fault)
{
    if (strlen(value) >= sizeof phase->rate_text)
        return load_fail(fault, "rate: it is over %zu bytes", sizeof phase->rate_text - 1);
    snprintf(phase->rate_text, sizeof phase->rate_text, "%s", value);
    phase->is_open = true;
    return true;
}

static bool take_arrivals(load_phase *phase, const char *value, load_fault *fault)
{
    if (strcmp(value, "constant") == 0)
        phase->arrivals = LOAD_ARRIVALS_CONSTANT;
    else if (strcmp(value, "poisson") != 0)
        return load_fail(fault, "arrivals: `%s` is neither constant nor poisson", value);
    return true;
}

static bool take_clients(load_phase *phase, const char *value, load_fault *fault)
{
    return load_read_count("clients", value, 1, UINT64_MAX, &phase->clients, fault);
}

static bool take_think_us(load_phase *phase, const char *value, load_fault *fault)
{
    return load_read_number("think_us", value, 0, 3.6e9, &phase->think_us, fault);
}

static bool take_think(load_phase *phase, const char *value, load_fault *fault)
{
    phase->think_is_constant = strcmp(value, "constant") == 0;
    return phase->think_is_constant || strcmp(value, "exponential") == 0 ||
           load_fail(fault, "think: `%s` is neither exponential nor constant", value);
}

static bool take_start(load_phase *phase, const char *value, load_fault *fault)
{
    return load_read_number("start_unix_s", value, 1, 1e11, &phase->start_unix_s, fault);
}

static bool take_measured(load_phase *phase, const char *value, load_fault *fault)
{
    phase->measured = strcmp(value, "yes") == 0;
    return phase->measured || strcmp(value, "no") == 0 ||
           load_fail(fault, "measured: `%s` is neither yes nor no", value);
}

static const struct key {
    const char *name;
    bool (*take)(load_phase *phase, const char *value, load_fault *fault);
} keys[] = {
    {"seconds", take_seconds},   {"rate", take_rate},   {"arrivals", take_arrivals},  {"clients", take_clients},
    {"think_us", take_think_us}, {"think", take_think}, {"start_unix_s", take_start}, {"measured", take_measured},
};

/* Cuts the word in two. */
static bool take_word(load_phase *phase, char *word, load_fault *fault)
{
    char *equals = strchr(word, '=');
    if (equals)
        *equals = '\0';
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i].name, word) == 0)
            return equals ? keys[i].take(phase, equals + 1, fault)
                          : load_fail(fault, "%s wants a value: %s=...", word, word);
    return load_fail(fault,
                     "phase: there is no `%s`; there are seconds, rate, arrivals, clients, think_us, think, "
                     "start_unix_s, measured",
                     word);
}

static bool name_phase(load_phase *phase, char *name, load_fault *fault)
{
    size_t length = strlen(name);
    if (length >= sizeof phase->name || strchr(name, '='))
        return load_fail(fault, "phase: `%s` is no name; one stands first: phase measure seconds=60", name);
    memcpy(phase->name, name, length + 1);
    phase->measured = strcmp(name, "warmup") != 0 && strcmp(name, "cold") != 0 && strcmp(name, "idle") != 0;
    return true;
}

static bool read_words(load_phase *phase, const char *text, load_fault *fault)
{
    char word[WORD_TEXT];
    for (size_t words = 0, length; *(text += strspn(text, " \t")); text += length, words++) {
        length = strcspn(text, " \t");
        if (length >= sizeof word)
            return load_fail(fault, "phase: `%.32s...` is too long", text);
        memcpy(word, text, length);
        word[length] = '\0';
        if (!(words ? take_word : name_phase)(phase, word, fault))
            return false;
    }
    return true;
}

static bool check(load_phase *phase, bool follows_trace, uint64_t threads, load_fault *fault)
{
    if (!*phase->name || phase->seconds == 0)
        return load_fail(fault, "phase: it wants a name and seconds: phase measure seconds=60 rate=5000");
    if (follows_trace && phase->is_open)
        return load_fail(fault, "phase: --trace-speed says when requests arrive; leave out the rate");
    if (phase->is_open && (phase->clients || phase->think_us > 0))
        return load_fail(fault, "phase: with a rate arrivals do not wait for clients to think: leave out one of them");
    if (phase->clients > threads)
        return load_fail(fault, "clients: %llu are more than there are threads, %llu",
                         (unsigned long long)phase->clients, (unsigned long long)threads);
    if (!phase->clients)
        phase->clients = threads;
    if (follows_trace) {
        phase->is_open = true;
        phase->arrivals = LOAD_ARRIVALS_TRACE;
        return true;
    }
    return !phase->is_open || load_rate_read(&phase->rate, phase->rate_text, phase->seconds, fault);
}

bool load_phase_read(load_phase *phase, const char *text, bool follows_trace, uint64_t threads, load_fault *fault)
{
    *phase = (load_phase){.arrivals = LOAD_ARRIVALS_POISSON};
    return read_words(phase, text, fault) && check(phase, follows_trace, threads, fault);
}

static void write_open(const load_phase *phase, load_json *json)
{
    static const char *const arrivals[] = {
        [LOAD_ARRIVALS_CONSTANT] = "constant", [LOAD_ARRIVALS_POISSON] = "poisson", [LOAD_ARRIVALS_TRACE] = "trace"};
    load_json_text(json, "arrivals", arrivals[phase->arrivals]);
    if (*phase->rate_text)
        load_json_text(json, "rate", phase->rate_text);
}

static void write_closed(const load_phase *phase, load_json *json)
{
    load_json_count(json, "clients", phase->clients);
    load_json_number(json, "think_us", phase->think_us, 3);
    load_json_text(json, "think", phase->think_is_constant ? "constant" : "exponential");
}

void load_phase_write(const load_phase *phase, load_json *json)
{
    load_json_text(json, "phase", phase->name);
    load_json_count(json, "number", phase->number);
    load_json_flag(json, "measured", phase->measured);
    load_json_number(json, "seconds", phase->seconds, 3);
    load_json_text(json, "loop", phase->is_open ? "open" : "closed");
    (phase->is_open ? write_open : write_closed)(phase, json);
}
