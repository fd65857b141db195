/* main.c - `shopdata COMMAND ...`: finds the command. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tool/tool.h"

static const sdi_tool_command *const commands[] = {&sdi_tool_check, &sdi_tool_explain, &sdi_tool_invalidate,
                                                   &sdi_tool_top};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static const char usage[] = "usage: shopdata COMMAND ...\n"
                            "  check CONFIG             look at every node and the cache, and tell what is missing\n"
                            "  explain CONFIG SQL       tell what the library makes of a statement\n"
                            "  invalidate CONFIG TAG... forget what hangs on tags, after a write made elsewhere\n"
                            "  top ADDRESS              live metrics of a running process\n"
                            "  --version                the version of the library\n"
                            "`shopdata COMMAND --help` and shopdata(1) tell more.\n";

int sdi_tool_misused(const sdi_tool_command *command, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "shopdata %s: ", command->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "; see shopdata %s --help\n", command->name);
    return SDI_TOOL_USAGE;
}

int sdi_tool_failed(const sdi_tool_command *command, shopdata_error *error)
{
    fprintf(stderr, "shopdata %s: %s\n", command->name, shopdata_error_message(error));
    shopdata_error_free(error);
    return SDI_TOOL_PROBLEM;
}

int sdi_tool_option(const sdi_tool_command *command, int count, char **arguments, const struct option *options,
                    int *status)
{
    opterr = 0;
    int option = getopt_long(count, arguments, ":", options, NULL);
    if (option != '?' && option != ':' && option != 'h')
        return option;
    const char *given = arguments[optind - 1];
    *status = SDI_TOOL_GOOD;
    if (option == 'h')
        fputs(command->help, stdout);
    else if (option == ':')
        *status = sdi_tool_misused(command, "option %s needs a value", given);
    else
        *status = sdi_tool_misused(command, "unknown option %s", given);
    return 0;
}

static int run(const char *name, int count, char **arguments)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i]->name, name))
            return commands[i]->run(commands[i], count, arguments);
    fprintf(stderr, "shopdata: unknown %s %s; see shopdata --help\n", *name == '-' ? "option" : "command", name);
    return SDI_TOOL_USAGE;
}

/* What could not be written was not told, whatever the command made of it. */
static int finish(int status)
{
    const char *reason = fflush(stdout) == 0 ? "a write failed" : strerrordesc_np(errno);
    if (!ferror(stdout))
        return status;
    fprintf(stderr, "shopdata: cannot write to standard output: %s\n", reason);
    return status == SDI_TOOL_GOOD ? SDI_TOOL_PROBLEM : status;
}

int main(int count, char **arguments)
{
    if (count < 2) {
        fputs(usage, stderr);
        return SDI_TOOL_USAGE;
    }
    int status = SDI_TOOL_GOOD;
    if (!strcmp(arguments[1], "--help"))
        fputs(usage, stdout);
    else if (!strcmp(arguments[1], "--version"))
        printf("shopdata %s\n", shopdata_version());
    else
        status = run(arguments[1], count - 1, arguments + 1);
    return finish(status);
}
