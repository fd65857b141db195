#include "host.h"

#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "clock.h"

enum { LINE_TEXT = 256, NAME_TEXT = 256 };

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

/* The first line: `cpu USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL...`, in ticks. What the hypervisor stole was not
 * idle for us. */
static void read_machine(load_usage *usage)
{
    unsigned long long ticks[8] = {0};
    FILE *file = fopen("/proc/stat", "r");
    if (!file)
        return;
    int found = fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &ticks[0], &ticks[1], &ticks[2], &ticks[3],
                       &ticks[4], &ticks[5], &ticks[6], &ticks[7]);
    fclose(file);
    double a_second = (double)sysconf(_SC_CLK_TCK);
    for (int i = 0; i < found; i++)
        usage->machine_s += (double)ticks[i] / a_second;
    usage->idle_s = (double)(ticks[3] + ticks[4]) / a_second;
}

load_usage load_host_usage(void)
{
    struct rusage used;
    load_usage usage = {.now_ns = load_now_ns()};
    getrusage(RUSAGE_SELF, &used);
    usage.cpu_s = seconds(used.ru_utime) + seconds(used.ru_stime);
    read_machine(&usage);
    return usage;
}

unsigned load_host_cores(void)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed))
        return (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    return (unsigned)CPU_COUNT(&allowed);
}

uint64_t load_host_memory(void)
{
    unsigned long long total, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file)
        return 0;
    if (fscanf(file, "%llu %llu", &total, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

double load_host_cpu_cores(const load_usage *before, const load_usage *after)
{
    double length = (double)(after->now_ns - before->now_ns) / 1e9;
    return length > 0 ? (after->cpu_s - before->cpu_s) / length : 0;
}

double load_host_machine_busy(const load_usage *before, const load_usage *after)
{
    double all = after->machine_s - before->machine_s, idle = after->idle_s - before->idle_s;
    return all > 0 ? (all - idle) / all : 0;
}

/* The first processor's; on some machines none is told. */
static void read_model(char model[NAME_TEXT])
{
    char line[LINE_TEXT];
    FILE *file = fopen("/proc/cpuinfo", "r");
    model[0] = '\0';
    while (file && !*model && fgets(line, sizeof line, file))
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':'))
            snprintf(model, NAME_TEXT, "%.*s", (int)strcspn(strchr(line, ':') + 2, "\n"), strchr(line, ':') + 2);
    if (file)
        fclose(file);
}

void load_host_write(load_json *json)
{
    struct utsname kernel;
    char model[NAME_TEXT], text[sizeof kernel.sysname + sizeof kernel.release + sizeof kernel.machine + 2];
    uname(&kernel);
    read_model(model);
    snprintf(text, sizeof text, "%s %s %s", kernel.sysname, kernel.release, kernel.machine);
    load_json_begin(json, "host");
    load_json_text(json, "name", kernel.nodename);
    load_json_text(json, "kernel", text);
    load_json_text(json, "cpu_model", model);
    load_json_count(json, "cores", load_host_cores());
    load_json_count(json, "memory_bytes", (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE));
    load_json_end(json);
}
