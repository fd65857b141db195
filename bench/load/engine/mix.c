#include "mix.h"

#include <errno.h>
#include <string.h>

#include "options.h"

enum { LINE_TEXT = 256 };

/* Percent that do not add up by less than this were rounded. */
#define SLIP 0.005

/* The web interaction mixes of TPC Benchmark W's specification (browsing, shopping and ordering), and our own; `trace`
 * has the share of purchases among the events of a real shop. */
static const load_mix workloads[] = {
    {.name = "browse",
     .percent = {29.00, 11.00, 11.00, 21.00, 12.00, 11.00, 2.00, 0.82, 0.75, 0.69, 0.30, 0.25, 0.10, 0.09}},
    {.name = "shop",
     .percent = {16.00, 5.00, 5.00, 17.00, 20.00, 17.00, 11.60, 3.00, 2.60, 1.20, 0.75, 0.66, 0.10, 0.09}},
    {.name = "order",
     .percent = {9.12, 0.46, 0.46, 12.35, 14.53, 13.08, 13.53, 12.86, 12.73, 10.18, 0.25, 0.22, 0.12, 0.11}},
    {.name = "point", .percent = {[LOAD_POINT] = 100}},
    {.name = "write", .percent = {[LOAD_WRITE] = 100}},
    {.name = "mixed", .percent = {[LOAD_POINT] = 95, [LOAD_WRITE] = 5}},
    {.name = "trace", .percent = {[LOAD_POINT] = 97.65, [LOAD_WRITE] = 2.35}},
};

/* The last one that occurs ends at 1 exactly, whatever the rounding. */
static void add_up(load_mix *mix)
{
    double sum = 0, total = 0;
    for (size_t i = 0; i < LOAD_INTERACTIONS; i++)
        total += mix->percent[i];
    for (size_t i = 0; i < LOAD_INTERACTIONS; i++)
        mix->up_to[i] = (sum += mix->percent[i]) / total;
    for (size_t i = LOAD_INTERACTIONS; i-- > 0;) {
        mix->up_to[i] = 1;
        if (mix->percent[i] > 0)
            break;
    }
}

static bool number_of(const char *name, size_t *number_out)
{
    for (size_t i = 0; i < LOAD_INTERACTIONS; i++)
        if (strcmp(load_interaction_table[i].name, name) == 0) {
            *number_out = i;
            return true;
        }
    return false;
}

static char *trimmed(char *text)
{
    size_t length = strlen(text);
    while (length && strchr(" \t\r\n", text[length - 1]))
        text[--length] = '\0';
    return text + strspn(text, " \t");
}

static bool no_such(const char *place, const char *name, load_fault *fault)
{
    char names[2 * LINE_TEXT] = "";
    size_t length = 0;
    for (size_t i = 0; i < LOAD_INTERACTIONS && length < sizeof names; i++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", i ? ", " : "",
                                   load_interaction_table[i].name);
    return load_fail(fault, "%s: %s: there is no such interaction; there are %s", place, name, names);
}

/* Cuts the line in two. */
static bool read_line(load_mix *mix, char *line, const char *place, load_fault *fault)
{
    char *text = trimmed(line), *equals = strchr(text, '='), what[2 * LINE_TEXT + 8];
    size_t number;
    if (!*text || *text == '#')
        return true;
    if (!equals)
        return load_fail(fault, "%s: `%s`: not NAME = PERCENT, as product_detail = 90", place, text);
    *equals = '\0';
    const char *name = trimmed(text);
    if (!number_of(name, &number))
        return no_such(place, name, fault);
    if (mix->percent[number] > 0)
        return load_fail(fault, "%s: %s: it is there twice", place, name);
    snprintf(what, sizeof what, "%s: %s", place, name);
    return load_read_number(what, trimmed(equals + 1), 0, 100, &mix->percent[number], fault);
}

static bool read_lines(load_mix *mix, FILE *file, const char *path, load_fault *fault)
{
    char line[LINE_TEXT], place[LINE_TEXT];
    for (unsigned number = 1; fgets(line, sizeof line, file); number++) {
        snprintf(place, sizeof place, "%.*s:%u", LINE_TEXT - 16, path, number);
        if (!strchr(line, '\n') && !feof(file))
            return load_fail(fault, "%s: the line is over %d bytes", place, LINE_TEXT - 2);
        if (!read_line(mix, line, place, fault))
            return false;
    }
    return !ferror(file) || load_fail(fault, "%s: cannot be read: %s", path, strerror(errno));
}

static bool check_sum(const load_mix *mix, load_fault *fault)
{
    double sum = 0;
    for (size_t i = 0; i < LOAD_INTERACTIONS; i++)
        sum += mix->percent[i];
    return fabs(sum - 100) <= SLIP || load_fail(fault, "%s: it adds up to %.4g and not to 100", mix->name, sum);
}

static bool read_file(load_mix *mix, const char *path, load_fault *fault)
{
    FILE *file = fopen(path, "r");
    if (!file && errno == ENOENT)
        return load_fail(fault,
                         "workload: there is no `%s`, and no file of that name; there are browse, shop, order, "
                         "point, mixed, write, trace",
                         path);
    if (!file)
        return load_fail(fault, "%s: cannot be opened: %s", path, strerror(errno));
    *mix = (load_mix){.name = path};
    bool good = read_lines(mix, file, path, fault) && check_sum(mix, fault);
    fclose(file);
    return good;
}

static bool find(load_mix *mix, const char *name)
{
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
        if (strcmp(workloads[i].name, name) == 0) {
            *mix = workloads[i];
            return true;
        }
    return false;
}

bool load_mix_read(load_mix *mix, const char *name, load_fault *fault)
{
    if (!find(mix, name) && !read_file(mix, name, fault))
        return false;
    add_up(mix);
    return true;
}

enum load_interaction load_mix_draw(const load_mix *mix, load_random *random)
{
    double share = load_random_uniform(random);
    size_t drawn = 0;
    while (share >= mix->up_to[drawn])
        drawn++;
    return (enum load_interaction)drawn;
}

bool load_mix_writes(const load_mix *mix)
{
    for (size_t i = 0; i < LOAD_INTERACTIONS; i++)
        if (mix->percent[i] > 0 && load_interaction_table[i].writes)
            return true;
    return false;
}

void load_mix_write(const load_mix *mix, load_json *json)
{
    load_json_begin(json, "workload");
    load_json_text(json, "name", mix->name);
    load_json_begin(json, "mix");
    for (size_t i = 0; i < LOAD_INTERACTIONS; i++)
        if (mix->percent[i] > 0)
            load_json_number(json, load_interaction_table[i].name, mix->percent[i], 4);
    load_json_end(json);
    load_json_end(json);
}
