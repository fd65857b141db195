/* tool.h - the operator's program `shopdata`: what its commands share. It stands above the library: it uses the public
 * interface where that suffices, and looks at the floors where an operator must see more than a service does. */
#ifndef SDI_TOOL_TOOL_H
#define SDI_TOOL_TOOL_H

#include <getopt.h>
#include <stddef.h>

#include <shopdata/shopdata.h>

/* What the program returns. */
enum { SDI_TOOL_GOOD = 0, SDI_TOOL_PROBLEM = 1, SDI_TOOL_USAGE = 2 };

typedef struct sdi_tool_command {
    const char *name;
    const char *help; /* the usage, and a line an option */
    /* `arguments` begin with the command's name, as getopt_long wants it. */
    int (*run)(const struct sdi_tool_command *command, int count, char **arguments);
} sdi_tool_command;

extern const sdi_tool_command sdi_tool_check, sdi_tool_explain, sdi_tool_invalidate, sdi_tool_top;

/* sdi_tool_option is the next option, as getopt_long gives it; -1 at the end. It answers --help, and complains of what
 * is unknown or lacks its value, itself: then it returns 0 and *status is what the command has to return. */
int sdi_tool_option(const sdi_tool_command *command, int count, char **arguments, const struct option *options,
                    int *status);
/* sdi_tool_misused complains in one line, and returns SDI_TOOL_USAGE. */
int sdi_tool_misused(const sdi_tool_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* sdi_tool_failed complains, frees the error, and returns SDI_TOOL_PROBLEM. */
int sdi_tool_failed(const sdi_tool_command *command, shopdata_error *error);

/* sdi_tool_open opens a client of a configuration file. Its log lines from warning on go to stderr, because they have
 * the reasons that an error at a deadline has not. */
int sdi_tool_open(const char *path, shopdata_client **client_out, shopdata_error **error_out);

#endif
