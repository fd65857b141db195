#include "plan.h"

#include <string.h>

#include "options.h"

enum { THREADS_USUAL = 64, THREADS_MOST = 4096 };

#define PATIENCE_USUAL_S 10

static bool take_config(void *into, const char *value, load_fault *fault)
{
    return load_settings_add_file(&((load_plan *)into)->settings, value, fault);
}

static bool take_set(void *into, const char *value, load_fault *fault)
{
    return load_settings_add_pair(&((load_plan *)into)->settings, value, fault);
}

static bool take_label(void *into, const char *value, load_fault *fault)
{
    (void)fault;
    ((load_plan *)into)->label = value;
    return true;
}

static bool take_workload(void *into, const char *value, load_fault *fault)
{
    (void)fault;
    ((load_plan *)into)->workload = value;
    return true;
}

static bool take_keys(void *into, const char *value, load_fault *fault)
{
    load_plan *plan = into;
    plan->keys_text = value;
    return load_keys_read(&plan->keys, value, fault);
}

static bool take_trace(void *into, const char *value, load_fault *fault)
{
    (void)fault;
    ((load_plan *)into)->trace_path = value;
    return true;
}

static bool take_trace_speed(void *into, const char *value, load_fault *fault)
{
    return load_read_number("--trace-speed", value, 1e-6, 1e9, &((load_plan *)into)->trace_speed, fault);
}

static bool take_seed(void *into, const char *value, load_fault *fault)
{
    return load_read_count("--seed", value, 0, UINT64_MAX, &((load_plan *)into)->seed, fault);
}

static bool take_threads(void *into, const char *value, load_fault *fault)
{
    return load_read_count("--threads", value, 1, THREADS_MOST, &((load_plan *)into)->threads, fault);
}

static bool take_patience(void *into, const char *value, load_fault *fault)
{
    return load_read_number("--patience", value, 0.001, 86400, &((load_plan *)into)->patience_s, fault);
}

static bool take_phase(void *into, const char *value, load_fault *fault)
{
    load_plan *plan = into;
    if (plan->phase_count == LOAD_PLAN_PHASES)
        return load_fail(fault, "--phase: there are over %d", LOAD_PLAN_PHASES);
    plan->phases[plan->phase_count++] = value;
    return true;
}

static bool take_commands(void *into, const char *value, load_fault *fault)
{
    (void)value;
    (void)fault;
    ((load_plan *)into)->reads_commands = true;
    return true;
}

static const load_option options[] = {
    {"config", "FILE", "the library's configuration; repeatable", take_config},
    {"set", "KEY=VALUE", "one key of it more; repeatable", take_set},
    {"label", "TEXT", "stands in every line that is printed", take_label},
    {"seed", "N", "of arrivals, keys and mixes; default 1", take_seed},
    {"threads", "N", "so many requests at once at most; default 64", take_threads},
    {"workload", "NAME", "browse shop order point mixed write trace, or a file with a mix", take_workload},
    {"keys", "SPEC", "zipf:0.82 uniform latest:0.82 hotspot:0.2:0.8 trace", take_keys},
    {"trace", "FILE", "recorded keys", take_trace},
    {"trace-speed", "X", "arrivals at the trace's own times, X times as fast", take_trace_speed},
    {"patience", "S", "what no thread took for so long is dropped; default 10", take_patience},
    {"phase", "SPEC", "\"measure seconds=60 rate=5000\"; repeatable", take_phase},
    {"commands", NULL, "then take commands on standard input", take_commands},
};

enum { OPTIONS = sizeof options / sizeof *options };

void load_plan_help(void)
{
    load_options_help("shopload run - generate load and measure; FORMAT.md tells all of it\n\n", options, OPTIONS);
}

static bool read_trace(load_plan *plan, load_fault *fault)
{
    if (plan->trace_path && !plan->keys_text && !load_keys_read(&plan->keys, "trace", fault))
        return false;
    if (plan->keys.kind == LOAD_KEYS_TRACE && !plan->trace_path)
        return load_fail(fault, "--keys trace wants a --trace FILE");
    if (plan->trace_path && !load_trace_read(&plan->trace, plan->trace_path, fault))
        return false;
    if (plan->trace_speed > 0 && !plan->trace.times)
        return load_fail(fault, "--trace-speed wants a --trace FILE with times; give the phase a rate");
    return true;
}

static bool check_phases(const load_plan *plan, load_fault *fault)
{
    load_phase phase;
    for (size_t i = 0; i < plan->phase_count; i++)
        if (!load_phase_read(&phase, plan->phases[i], plan->trace_speed > 0, plan->threads, fault))
            return false;
    return plan->phase_count > 0 || plan->reads_commands ||
           load_fail(fault, "there is nothing to do: give a --phase \"measure seconds=60\", or --commands");
}

bool load_plan_read(load_plan *plan, int count, char **arguments, load_fault *fault)
{
    *plan = (load_plan){.seed = 1, .threads = THREADS_USUAL, .patience_s = PATIENCE_USUAL_S};
    if (!load_keys_read(&plan->keys, "zipf", fault) ||
        !load_options_read(options, OPTIONS, count, arguments, plan, fault))
        return false;
    if (!plan->workload)
        return load_fail(fault,
                         "say what to ask: --workload browse, shop, order, point, mixed, write, trace or a file");
    if (strcmp(plan->workload, "trace") == 0 && !plan->trace_path)
        return load_fail(fault, "--workload trace wants a --trace FILE");
    return load_mix_read(&plan->mix, plan->workload, fault) && read_trace(plan, fault) && check_phases(plan, fault);
}

void load_plan_free(load_plan *plan)
{
    load_trace_free(&plan->trace);
}
