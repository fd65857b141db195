/* options.h - command lines: each subcommand has a table of what it takes. `--name value` and `--name=value` are the
 * same. */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include <stdint.h>

#include "fault.h"

typedef struct load_option {
    const char *name;  /* without the dashes */
    const char *value; /* what the help calls its value; NULL: it is a switch, and takes NULL */
    const char *help;
    bool (*take)(void *into, const char *value, load_fault *fault);
} load_option;

/* load_options_read hands each argument after the first to its option. */
bool load_options_read(const load_option *options, size_t count, int argument_count, char **arguments, void *into,
                       load_fault *fault);
/* load_options_asked: is there a --help or -h? */
bool load_options_asked(int argument_count, char **arguments);
/* load_options_help prints `head` and the table on standard output. */
void load_options_help(const char *head, const load_option *options, size_t count);

/* A number that is all of the text, and within its bounds: else a fault that says which they are. `what` is the name of
 * the thing. */
bool load_read_number(const char *what, const char *text, double lowest, double highest, double *number_out,
                      load_fault *fault);
bool load_read_count(const char *what, const char *text, uint64_t lowest, uint64_t highest, uint64_t *count_out,
                     load_fault *fault);

#endif
