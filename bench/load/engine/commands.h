/* commands.h - the subcommands of shopload: each takes its arguments, its own name first, and gives the exit code. */
#ifndef LOAD_COMMANDS_H
#define LOAD_COMMANDS_H

enum { LOAD_EXIT_GOOD = 0, LOAD_EXIT_FAILED = 1, LOAD_EXIT_USAGE = 2 };

int load_run_main(int count, char **arguments);
int load_load_main(int count, char **arguments);
int load_clean_main(int count, char **arguments);
int load_status_main(int count, char **arguments);

#endif
