#include "fields.h"

#include <string.h>

/* Every function here takes something off the front of the text at *at, or returns false. */

static bool take(const char **at, char character)
{
    *at += strspn(*at, " \t\r\n");
    if (**at != character)
        return false;
    (*at)++;
    return true;
}

static bool take_text(const char **at, size_t length, char *copy)
{
    if (length >= SHOP_FIELD_SIZE)
        return false;
    memcpy(copy, *at, length);
    copy[length] = '\0';
    *at += length;
    return true;
}

/* None of our texts needs a backslash: one that has it is wrong anyway, so there is nothing to undo. */
static bool take_string(const char **at, char *copy)
{
    return take(at, '"') && take_text(at, strcspn(*at, "\"\\"), copy) && take(at, '"');
}

static bool take_value(const char **at, char *copy)
{
    *at += strspn(*at, " \t\r\n");
    if (**at == '"')
        return take_string(at, copy);
    return take_text(at, strspn(*at, "0123456789.+-eE"), copy) && copy[0];
}

static bool take_member(const char **at, struct shop_fields *fields)
{
    char name[SHOP_FIELD_SIZE];
    if (!take_string(at, name) || !take(at, ':'))
        return false;
    if (!strcmp(name, "price"))
        return take_value(at, fields->price);
    return !strcmp(name, "stock") && take_value(at, fields->stock);
}

bool shop_read_fields(const char *json, struct shop_fields *fields)
{
    const char *at = json;
    *fields = (struct shop_fields){0};
    if (!take(&at, '{') || !take_member(&at, fields))
        return false;
    while (take(&at, ',')) {
        if (!take_member(&at, fields))
            return false;
    }
    return take(&at, '}') && !at[strspn(at, " \t\r\n")];
}
