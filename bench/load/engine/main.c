#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "fault.h"

static const struct command {
    const char *name, *help;
    int (*run)(int argument_count, char **arguments);
} commands[] = {
    {"run", "generate load and measure", load_run_main},
    {"load", "fill a database with the shop", load_load_main},
    {"clean", "drop what load has made", load_clean_main},
    {"status", "tell what is there", load_status_main},
};

static const size_t command_count = sizeof commands / sizeof *commands;

static int help(void)
{
    printf("shopload - the engine of the load benchmark; bench/shopbench is its front, FORMAT.md tells what it "
           "prints\n\n");
    for (size_t i = 0; i < command_count; i++)
        printf("  shopload %-8s %s\n", commands[i].name, commands[i].help);
    printf("\n`shopload COMMAND --help` lists what a command takes.\n");
    return LOAD_EXIT_GOOD;
}

int main(int argument_count, char **arguments)
{
    signal(SIGPIPE, SIG_IGN); /* who reads us may go: a write fails then, and is told */
    if (argument_count < 2) {
        load_complain("say what to do: shopload run, load, clean or status; --help tells more");
        return LOAD_EXIT_USAGE;
    }
    if (strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "-h") == 0)
        return help();
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i].name, arguments[1]) == 0)
            return commands[i].run(argument_count - 1, arguments + 1);
    load_complain("there is no command `%s`; there are run, load, clean and status", arguments[1]);
    return LOAD_EXIT_USAGE;
}
