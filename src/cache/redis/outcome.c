#include "cache/redis/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A server repeats what it was sent to a command that it does not know, or may have been forbidden: a password behind
 * AUTH, the values in a tag. */
static void cut_arguments(char *text)
{
    char *arguments = strstr(text, ", with args beginning with");
    if (arguments)
        *arguments = '\0';
}

int sdi_redis_tell(sdi_redis_trouble *trouble, int outcome, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(trouble->text, sizeof trouble->text, format, arguments);
    va_end(arguments);
    cut_arguments(trouble->text);
    for (char *at = trouble->text; *at; at++)
        if ((unsigned char)*at < ' ' || (unsigned char)*at >= 127)
            *at = '?'; /* a server's words are not to steer a terminal */
    return outcome;
}
