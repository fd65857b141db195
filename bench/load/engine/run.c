#include <string.h>

#include "clock.h"
#include "commands.h"
#include "input.h"
#include "lines.h"
#include "options.h"

enum { PURPOSE_ARRIVALS = 2 };

/* So long after it makes its threads a phase begins: all of them shall be there. */
#define HEAD_START_NS INT64_C(20000000)
#define HEAD_START_EACH_NS INT64_C(100000)

struct run {
    load_plan plan;
    load_shop shop;
    load_input input;
    load_lines lines;
    unsigned phases; /* that were begun */
    bool quits;
};

/* ---- a phase */

/* `stop` and `quit` are for the phase that runs; whatever else comes waits for its end. */
static bool is_told_to_stop(struct run *run)
{
    const char *command = load_input_peek(&run->input);
    bool quits = command && strcmp(command, "quit") == 0;
    if (!command || (!quits && strcmp(command, "stop") != 0))
        return false;
    run->quits = run->quits || quits;
    load_input_drop(&run->input);
    return true;
}

/* How the phase ends before its time, NULL while it does not. Without a reader there is no use in going on. */
static const char *early_end(struct run *run)
{
    if (run->input.interrupted || run->lines.failed)
        return "interrupted";
    return is_told_to_stop(run) ? "stopped" : NULL;
}

static int64_t head_start_ns(const struct run *run)
{
    return HEAD_START_NS + HEAD_START_EACH_NS * (int64_t)run->plan.threads;
}

/* A moment to begin at: the one that was asked for, or soon. */
static bool find_begin(const struct run *run, const load_phase *phase, int64_t *begin_ns, load_fault *fault)
{
    double left_s = phase->start_unix_s - load_unix_s();
    if (phase->start_unix_s > 0 && left_s < 0)
        return load_fail(fault, "start_unix_s: that was %.3f s ago", -left_s);
    *begin_ns = load_now_ns() + (phase->start_unix_s > 0 ? (int64_t)(left_s * 1e9) : head_start_ns(run));
    return true;
}

/* Waits until it is time to make the threads of a phase that begins later; how it ended before that, or NULL. */
static const char *await_begin(struct run *run, int64_t begin_ns)
{
    int64_t moment_ns = begin_ns - head_start_ns(run);
    const char *ended = early_end(run);
    while (!ended && load_now_ns() < moment_ns) {
        load_input_wait(&run->input, moment_ns);
        ended = early_end(run);
    }
    return ended;
}

/* Prints each second, until all requests are answered; gives how the phase ended. `ended`: it has before it began. */
static const char *watch(struct run *run, load_crew *crew, load_progress *progress, const char *ended)
{
    int64_t tick_ns = crew->begin_ns + LOAD_SECOND_NS;
    if (ended)
        load_crew_stop(crew);
    while (!load_input_wait(&run->input, tick_ns)) {
        if (!ended && (ended = early_end(run)))
            load_crew_stop(crew);
        if (load_now_ns() < tick_ns)
            continue;
        load_print_second(&run->lines, progress);
        tick_ns += LOAD_SECOND_NS;
    }
    load_print_second(&run->lines, progress);
    return ended ? ended : "done";
}

static void print_phase(load_lines *lines, const load_phase *phase)
{
    load_line_begin(lines, "phase");
    load_phase_write(phase, &lines->json);
    load_line_end(lines);
}

static bool run_crew(struct run *run, load_crew *crew, load_fault *fault)
{
    load_progress progress;
    const char *ended = await_begin(run, crew->begin_ns);
    bool good = load_progress_begin(&progress, crew) || load_fail(fault, "no memory for a phase's figures");
    if (good && (good = load_crew_start(crew, fault))) {
        print_phase(&run->lines, crew->phase);
        ended = watch(run, crew, &progress, ended);
        load_crew_join(crew);
        load_print_result(&run->lines, &progress, ended);
    }
    load_progress_end(&progress);
    return good;
}

static void init_schedule(const struct run *run, load_schedule *schedule, const load_phase *phase, int64_t begin_ns)
{
    load_random random = load_random_of(run->plan.seed, PURPOSE_ARRIVALS, phase->number);
    load_schedule_init(schedule, phase->arrivals, &phase->rate, random, begin_ns, phase->seconds);
    if (phase->arrivals == LOAD_ARRIVALS_TRACE)
        load_schedule_follow(schedule, &run->plan.trace, run->plan.trace_speed);
}

static bool run_phase(struct run *run, const load_phase *phase, load_fault *fault)
{
    load_schedule schedule;
    load_crew crew = {.shop = &run->shop,
                      .mix = &run->plan.mix,
                      .phase = phase,
                      .seed = run->plan.seed,
                      .threads = run->plan.threads,
                      .patience_ns = (int64_t)(run->plan.patience_s * 1e9),
                      .done_fd = run->input.done_fd};
    if (!find_begin(run, phase, &crew.begin_ns, fault))
        return false;
    crew.end_ns = crew.begin_ns + (int64_t)(phase->seconds * 1e9);
    crew.tally = load_tally_new();
    crew.schedule = phase->is_open ? &schedule : NULL;
    init_schedule(run, &schedule, phase, crew.begin_ns);
    bool good = crew.tally ? run_crew(run, &crew, fault) : load_fail(fault, "no memory for a phase's figures");
    load_schedule_free(&schedule);
    load_tally_free(crew.tally);
    return good;
}

static bool start_phase(struct run *run, const char *text, load_fault *fault)
{
    load_phase phase;
    if (!load_phase_read(&phase, text, run->plan.trace_speed > 0, run->plan.threads, fault))
        return false;
    phase.number = ++run->phases;
    return run_phase(run, &phase, fault);
}

/* ---- commands */

static bool flush(struct run *run, load_fault *fault)
{
    if (!load_shop_flush(&run->shop, fault))
        return false;
    load_line_begin(&run->lines, "flushed");
    load_line_end(&run->lines);
    return true;
}

static bool obey(struct run *run, const char *command, load_fault *fault)
{
    size_t length = strcspn(command, " \t");
    if (length == strlen("phase") && strncmp(command, "phase", length) == 0)
        return start_phase(run, command + length, fault);
    if (strcmp(command, "flush") == 0)
        return flush(run, fault);
    if (strcmp(command, "quit") == 0)
        run->quits = true;
    else if (*command && strcmp(command, "stop") != 0)
        return load_fail(fault, "there is no command `%.64s`; there are phase, stop, flush, quit", command);
    return true;
}

static void print_error(load_lines *lines, const load_fault *fault)
{
    load_line_begin(lines, "error");
    load_json_text(&lines->json, "message", fault->text);
    load_line_end(lines);
}

static bool is_over(const struct run *run)
{
    return run->quits || run->input.interrupted || run->lines.failed;
}

static void take_commands(struct run *run)
{
    load_fault fault;
    while (!is_over(run)) {
        char command[LOAD_INPUT_TEXT];
        const char *line = load_input_peek(&run->input);
        if (!line && !run->input.reads_commands)
            return;
        if (!line) {
            load_input_wait(&run->input, INT64_MAX);
            continue;
        }
        snprintf(command, sizeof command, "%s", line);
        load_input_drop(&run->input);
        if (!obey(run, command, &fault))
            print_error(&run->lines, &fault);
    }
}

/* ---- the whole */

static bool run_plan(struct run *run, load_fault *fault)
{
    for (size_t i = 0; i < run->plan.phase_count && !is_over(run); i++)
        if (!start_phase(run, run->plan.phases[i], fault))
            return false;
    take_commands(run);
    load_line_begin(&run->lines, "end");
    load_line_end(&run->lines);
    return !run->lines.failed || load_fail(fault, "standard output takes no more");
}

static bool open_shop(struct run *run, load_fault *fault)
{
    shopdata_client *client;
    const load_trace *trace = run->plan.trace_path ? &run->plan.trace : NULL;
    return load_settings_open(&run->plan.settings, &client, fault) &&
           load_shop_open(&run->shop, client, &run->plan.keys, trace, fault) &&
           (!load_mix_writes(&run->plan.mix) || load_shop_may_write(&run->shop, fault));
}

static int fail(const load_fault *fault, int exit_code)
{
    load_complain("run: %s", fault->text);
    return exit_code;
}

int load_run_main(int count, char **arguments)
{
    static struct run run; /* hundreds of KiB */
    load_fault fault;
    if (load_options_asked(count, arguments)) {
        load_plan_help();
        return LOAD_EXIT_GOOD;
    }
    if (!load_plan_read(&run.plan, count, arguments, &fault)) {
        load_plan_free(&run.plan);
        return fail(&fault, LOAD_EXIT_USAGE);
    }
    run.lines = (load_lines){.json = {.file = stdout}, .label = run.plan.label};
    /* Until there is something to tell, a signal just ends the program. */
    bool good = open_shop(&run, &fault) && load_input_open(&run.input, run.plan.reads_commands, &fault);
    if (good) {
        load_print_start(&run.lines, &run.plan, &run.shop, count, arguments);
        good = run_plan(&run, &fault);
        load_input_close(&run.input);
    }
    load_shop_close(&run.shop);
    load_plan_free(&run.plan);
    return good ? LOAD_EXIT_GOOD : fail(&fault, LOAD_EXIT_FAILED);
}
