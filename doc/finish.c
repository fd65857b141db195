#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "finish.h"

int finish_page(const char *program)
{
    const char *reason = fflush(stdout) == 0 ? "a write failed" : strerrordesc_np(errno);
    if (!ferror(stdout))
        return 0;
    fprintf(stderr, "%s: cannot write to standard output: %s\n", program, reason);
    return 1;
}
