/* format.h - the one way in which text gets into a page: what is filled in is escaped, always. */
#ifndef SHOP_FORMAT_H
#define SHOP_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#define SHOP_LIKE_PRINTF __attribute__((format(printf, 2, 3)))

/* What an answer is written into; one block, for a page is many short pieces. Begin with {0}; whoever ends it frees
 * `text`. Without memory the rest is left out, and it has `failed`. */
struct shop_output {
    char *text;
    size_t length, room;
    bool failed;
};

/* shop_html adds `format` to the page as it stands. %s fills in a text escaped for HTML (in text and in quoted
 * attributes), %d an int, %% a percent sign; there is nothing else, so nothing can get in unescaped. */
void shop_html(struct shop_output *out, const char *format, ...) SHOP_LIKE_PRINTF;

/* shop_json is the same for JSON: %s becomes a whole string with its quotes (NULL becomes null). */
void shop_json(struct shop_output *out, const char *format, ...) SHOP_LIKE_PRINTF;

/* shop_address adds a text as a part of an address: whatever would mean something there is %XX. */
void shop_address(struct shop_output *out, const char *text);

/* shop_put adds text as it stands: for constants, and for numbers that PostgreSQL wrote. */
void shop_add(struct shop_output *out, const void *text, size_t length);
void shop_put(struct shop_output *out, const char *text);

#endif
