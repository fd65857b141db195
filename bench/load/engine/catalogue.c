#include "catalogue.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

enum { FIELDS_MOST = 8 };

static const char category_columns[] = "category_id\tname";
static const char product_columns[] = "product_id\tcategory\tstyle\tname\tdescription\tprice\tstock\timage";

/* A file on its way through: where it is read. */
typedef struct lines {
    const char *path;
    char *next;
    size_t number;
    size_t columns;
    char *fields[FIELDS_MOST];
} lines;

/* The whole file with a zero behind; NULL: it has complained. */
static char *read_whole(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;
    ssize_t length = file ? getdelim(&text, &size, '\0', file) : -1;
    if (length < 0) {
        load_complain("%s: %s", path, file ? "the file is empty" : strerror(errno));
        free(text);
        text = NULL;
    } else if (!feof(file)) {
        load_complain("%s: there is a zero byte in it: it must be a tab separated text", path);
        free(text);
        text = NULL;
    }
    if (file)
        fclose(file);
    return text;
}

/* FNV-1a: enough to see that a file is not that of before. */
static void fingerprint(uint64_t *sum, const char *text)
{
    for (; *text; text++)
        *sum = (*sum ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
}

/* Cuts the next line out of the text; NULL at its end. */
static char *next_line(lines *at)
{
    char *line = at->next;
    if (!line || !*line)
        return NULL;
    char *end = strchr(line, '\n');
    at->next = end ? end + 1 : NULL;
    if (end)
        *end = '\0';
    line[strcspn(line, "\r")] = '\0';
    at->number++;
    return line;
}

static bool begin(lines *at, char *text, const char *columns)
{
    at->next = text;
    at->columns = 1;
    for (const char *one = columns; *one; one++)
        at->columns += *one == '\t';
    char *head = next_line(at);
    if (head && strcmp(head, columns) == 0)
        return true;
    load_complain("%s:1: the first line must name the columns, tab separated: %s", at->path, columns);
    return false;
}

/* The next line's fields. False at the end, and with *good_out false where a line is wrong. */
static bool next_fields(lines *at, bool *good_out)
{
    char *line = next_line(at);
    size_t count = 0;
    if (!line)
        return false;
    for (char *field; (field = strsep(&line, "\t"));)
        if (count++ < FIELDS_MOST)
            at->fields[count - 1] = field;
    if (count == at->columns)
        return true;
    load_complain("%s:%zu: %zu fields in place of %zu", at->path, at->number, count, at->columns);
    return *good_out = false;
}

static bool fault(const lines *at, const char *what, const char *value)
{
    load_complain("%s:%zu: %s: `%s`", at->path, at->number, what, value);
    return false;
}

static bool read_number(const char *text, int64_t *number_out)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9 || text[digits])
        return false;
    *number_out = strtoll(text, NULL, 10);
    return true;
}

/* 19.99, 19.9 and 19 are amounts. */
static bool read_cents(const char *text, int64_t *cents_out)
{
    size_t whole = strspn(text, "0123456789");
    size_t part = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
    if (whole == 0 || whole > 8 || part > 2 || text[whole + (part > 0) + part])
        return false;
    int64_t cents = part == 0 ? 0 : strtoll(text + whole + 1, NULL, 10);
    *cents_out = strtoll(text, NULL, 10) * 100 + (part == 1 ? cents * 10 : cents);
    return true;
}

/* Room for one more of `size` bytes, twice as many each time; true if it is there. */
static bool grow(void **array, int64_t count, size_t size)
{
    if (count & (count - 1))
        return true;
    void *grown = realloc(*array, (size_t)(count ? count * 2 : 1) * size);
    if (!grown)
        load_complain("out of memory");
    else
        *array = grown;
    return grown != NULL;
}

static int64_t category_of(const load_catalogue *catalogue, const char *name)
{
    for (int64_t i = 0; i < catalogue->category_count; i++)
        if (strcmp(catalogue->categories[i].name, name) == 0)
            return i + 1;
    return 0;
}

static bool is_taken(const load_catalogue *catalogue, int64_t number)
{
    for (int64_t i = 0; i < catalogue->category_count; i++)
        if (catalogue->categories[i].number == number)
            return true;
    return false;
}

static bool add_category(load_catalogue *catalogue, const lines *at)
{
    load_category one = {0, at->fields[1]};
    if (!read_number(at->fields[0], &one.number))
        return fault(at, "category_id is no number", at->fields[0]);
    if (!*one.name || category_of(catalogue, one.name) > 0 || is_taken(catalogue, one.number))
        return fault(at, "the name is empty, or name or number come a second time", one.name);
    if (!grow((void **)&catalogue->categories, catalogue->category_count, sizeof one))
        return false;
    catalogue->categories[catalogue->category_count++] = one;
    return true;
}

static bool add_good(load_catalogue *catalogue, const lines *at)
{
    load_good one = {
        .style = at->fields[2], .name = at->fields[3], .description = at->fields[4], .image = at->fields[7]};
    one.category = category_of(catalogue, at->fields[1]);
    if (one.category == 0)
        return fault(at, "the category is not in categories.tsv", at->fields[1]);
    if (!*one.name)
        return fault(at, "the name is empty", one.name);
    if (!read_cents(at->fields[5], &one.cents))
        return fault(at, "the price is no amount such as 19.99", at->fields[5]);
    if (!read_number(at->fields[6], &one.stock))
        return fault(at, "the stock is no number", at->fields[6]);
    if (!grow((void **)&catalogue->goods, catalogue->good_count, sizeof one))
        return false;
    catalogue->goods[catalogue->good_count++] = one;
    return true;
}

/* read_file reads DIRECTORY/catalogue/NAME, line by line. */
static bool read_file(load_catalogue *catalogue, const char *directory, int which,
                      bool (*add)(load_catalogue *catalogue, const lines *at))
{
    char path[4096];
    lines at = {.path = path};
    bool good = true;
    snprintf(path, sizeof path, "%s/catalogue/%s", directory, which == 0 ? "categories.tsv" : "products.tsv");
    char *text = catalogue->texts[which] = read_whole(path);
    if (!text)
        return false;
    fingerprint(&catalogue->fingerprint, text);
    if (!begin(&at, text, which == 0 ? category_columns : product_columns))
        return false;
    while (good && next_fields(&at, &good))
        good = add(catalogue, &at);
    return good;
}

bool load_catalogue_read(load_catalogue *catalogue, const char *directory)
{
    *catalogue = (load_catalogue){.fingerprint = UINT64_C(0xcbf29ce484222325)};
    if (!read_file(catalogue, directory, 0, add_category) || !read_file(catalogue, directory, 1, add_good))
        return false;
    if (catalogue->good_count == 0)
        load_complain("%s/catalogue/products.tsv: there is no product in it", directory);
    return catalogue->good_count > 0;
}

void load_catalogue_free(load_catalogue *catalogue)
{
    free(catalogue->texts[0]);
    free(catalogue->texts[1]);
    free(catalogue->categories);
    free(catalogue->goods);
    *catalogue = (load_catalogue){.fingerprint = 0};
}
