/* input.h - what happens to a run from outside: commands on standard input, SIGINT and SIGTERM, the end of a phase. */
#ifndef LOAD_INPUT_H
#define LOAD_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"

enum { LOAD_INPUT_TEXT = 4096 };

typedef struct load_input {
    int signal_fd, done_fd; /* done_fd: an eventfd, for who is done */
    bool reads_commands;    /* and has not come to the end of standard input */
    bool interrupted;       /* by a signal; a second one ends the program */
    char text[LOAD_INPUT_TEXT];
    size_t length;
} load_input;

/* load_input_open takes the signals from all threads that are made from now on. */
bool load_input_open(load_input *input, bool reads_commands, load_fault *fault);
void load_input_close(load_input *input);

/* load_input_wait waits until a moment of the monotonic clock (INT64_MAX: without end), or until something happens;
 * what is only heard when a line has room for it. True: it is done_fd that was written to. */
bool load_input_wait(load_input *input, int64_t moment_ns);
/* load_input_peek is the first command that waits, NULL if there is none; load_input_drop takes it away. A line that is
 * too long is handed out in pieces. */
const char *load_input_peek(load_input *input);
void load_input_drop(load_input *input);

#endif
