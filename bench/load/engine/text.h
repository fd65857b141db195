/* text.h - a text that grows, for the rows on their way to COPY. */
#ifndef LOAD_TEXT_H
#define LOAD_TEXT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct load_text {
    char *data;
    size_t length, capacity;
    bool failed; /* out of memory: what came after is lost, and the text is not to be used */
} load_text;

/* load_text_add adds as printf does; load_text_add_copied a value as COPY reads it, blanks and backslashes kept. */
__attribute__((format(printf, 2, 3), nonnull(2))) void load_text_add(load_text *text, const char *format, ...);
void load_text_add_copied(load_text *text, const char *value);
void load_text_free(load_text *text);

#endif
