/* statements - prints the part of doc/sql.md that lists what is not cached, from the statements of tests/plans: each is
 * held against a real server there, so the page cannot say anything else.
 *
 *     build/doc/statements        between the two marks of doc/sql.md; a test compares */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../tests/plans/plans.h"
#include "finish.h"

static bool begins_with(const char *text, const char *beginning)
{
    return !strncmp(text, beginning, strlen(beginning));
}

static bool is_listed(const char *explained)
{
    return begins_with(explained, "read, not cached") || begins_with(explained, "read on the primary") ||
           begins_with(explained, "refused");
}

/* A row for each reason is enough. */
static bool said_before(size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (plans[i].explained && !strcmp(plans[i].explained, plans[at].explained))
            return true;
    return false;
}

/* The bar would end the cell. */
static void put_cell(const char *text)
{
    for (; *text && *text != '\n'; text++) {
        if (*text == '|')
            putchar('\\');
        putchar(*text);
    }
}

static void put_row(size_t at)
{
    fputs("| `", stdout);
    put_cell(plans[at].sql);
    fputs("` | ", stdout);
    put_cell(plans[at].explained);
    fputs(" |\n", stdout);
}

int main(void)
{
    const char *kind = NULL;
    for (size_t i = 0; i < PLAN_COUNT; i++) {
        if (!plans[i].explained)
            kind = plans[i].sql;
        if (!plans[i].explained || !is_listed(plans[i].explained) || said_before(i))
            continue;
        if (kind)
            printf("\n### %s\n\n| statement | `explain` says |\n| --- | --- |\n", kind);
        kind = NULL;
        put_row(i);
    }
    putchar('\n');
    return finish_page("statements");
}
