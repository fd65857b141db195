#include "cache/redis/outcome.h"

#include <stdarg.h>
#include <stdio.h>

int sdi_redis_tell(sdi_redis_trouble *trouble, int outcome, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(trouble->text, sizeof trouble->text, format, arguments);
    va_end(arguments);
    for (char *at = trouble->text; *at; at++)
        if ((unsigned char)*at < ' ' || (unsigned char)*at >= 127)
            *at = '?'; /* a server's words are not to steer a terminal */
    return outcome;
}
