#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMN = 26 };

static const load_option *option_named(const load_option *options, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(options[i].name) == length && memcmp(options[i].name, name, length) == 0)
            return &options[i];
    return NULL;
}

static bool take(const load_option *option, const char *given, char **arguments, int *at, void *into, load_fault *fault)
{
    const char *equals = strchr(given, '=');
    if (!option->value)
        return equals ? load_fail(fault, "--%s takes no value", option->name) : option->take(into, NULL, fault);
    const char *value = equals ? equals + 1 : arguments[++*at];
    if (!value)
        return load_fail(fault, "--%s wants a value: --%s %s", option->name, option->name, option->value);
    return option->take(into, value, fault);
}

bool load_options_read(const load_option *options, size_t count, int argument_count, char **arguments, void *into,
                       load_fault *fault)
{
    for (int at = 1; at < argument_count; at++) {
        const char *given = arguments[at];
        if (strncmp(given, "--", 2) != 0)
            return load_fail(fault, "`%s` is no option; --help lists them", given);
        const load_option *option = option_named(options, count, given + 2, strcspn(given + 2, "="));
        if (!option)
            return load_fail(fault, "there is no option `%s`; --help lists them", given);
        if (!take(option, given, arguments, &at, into, fault))
            return false;
    }
    return true;
}

bool load_options_asked(int argument_count, char **arguments)
{
    for (int at = 1; at < argument_count; at++)
        if (strcmp(arguments[at], "--help") == 0 || strcmp(arguments[at], "-h") == 0)
            return true;
    return false;
}

void load_options_help(const char *head, const load_option *options, size_t count)
{
    fputs(head, stdout);
    for (size_t i = 0; i < count; i++) {
        int width = printf("  --%s %s", options[i].name, options[i].value ? options[i].value : "");
        printf("%*s%s\n", width < HELP_COLUMN ? HELP_COLUMN - width : 1, "", options[i].help);
    }
}

bool load_read_number(const char *what, const char *text, double lowest, double highest, double *number_out,
                      load_fault *fault)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end || !isfinite(number) || number < lowest || number > highest)
        return load_fail(fault, "%s: `%s` is no number from %.15g to %.15g", what, text, lowest, highest);
    *number_out = number;
    return true;
}

bool load_read_count(const char *what, const char *text, uint64_t lowest, uint64_t highest, uint64_t *count_out,
                     load_fault *fault)
{
    char *end;
    errno = 0;
    uint64_t count = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || count < lowest || count > highest)
        return load_fail(fault, "%s: `%s` is no whole number from %" PRIu64 " to %" PRIu64, what, text, lowest,
                         highest);
    *count_out = count;
    return true;
}
