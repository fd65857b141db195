/* fault.h - why something could not be done: one line for people, that says what is wrong, where, and what would be
 * right. Who can fail takes a fault as the last argument and is false then. */
#ifndef LOAD_FAULT_H
#define LOAD_FAULT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct load_fault {
    char text[1024];
} load_fault;

/* load_fail writes the line, and is false: `return load_fail(fault, ...)`. */
bool load_fail(load_fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* load_complain prints a line for people on standard error, as all of this program begin. */
void load_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
