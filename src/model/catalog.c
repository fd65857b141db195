#include "model/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/catalog_facts.h"
#include "model/result.h"
#include "model/sql_facts.h"

typedef struct reader {
    sdi_catalog *catalog;
    const shopdata_result *answer;
    size_t row;
    bool failed;
} reader;

/* "" for NULL and for a cell that is not there */
static sdi_slice cell(const reader *r, size_t column)
{
    sdi_slice text;
    return sdi_result_at(r->answer, r->row, column, &text) ? text : (sdi_slice){"", 0};
}

static bool is_null(const reader *r, size_t column)
{
    sdi_slice text;
    return !sdi_result_at(r->answer, r->row, column, &text);
}

static char letter(const reader *r, size_t column)
{
    sdi_slice text = cell(r, column);
    return text.length ? text.data[0] : '\0';
}

static bool truth(const reader *r, size_t column)
{
    return letter(r, column) == 't';
}

/* Cells end with a zero byte behind. */
static size_t number(const reader *r, size_t column)
{
    return strtoul(cell(r, column).data, NULL, 10);
}

static const char *kept_text(reader *r, size_t column)
{
    sdi_slice text = cell(r, column);
    char *copy = sdi_memdup0(text.data, text.length);
    if (copy)
        sdi_buffer_append(&r->catalog->texts, &copy, sizeof copy);
    if (!copy || r->catalog->texts.failed) {
        r->failed = true;
        sdi_free(copy);
        return "";
    }
    return copy;
}

static size_t row_count(const shopdata_result *answer)
{
    return shopdata_result_rows(answer);
}

/* --------------------------------------------------------------------------------------------------------- columns */

enum {
    ORD,
    SCHEMA,
    NAME,
    KIND,
    PERSISTENCE,
    ROW_SECURITY,
    RULES,
    SYSTEM,
    COLUMN,
    TYPE,
    MOMENT,
    DETERMINISTIC,
    KEY,
    KEY_COLUMNS,
    REFERENCED,
    REPEATS,
    TYPE_TYPE,
    ROW_SECURITY_ACTIVE,
    ODD
};

/* A label of an enum stands for itself. */
static enum sdi_key_type key_type(size_t type_oid, char type_type, bool deterministic)
{
    if (type_type == 'e')
        return SDI_KEY_TEXT;
    switch (type_oid) {
    case 16:
        return SDI_KEY_BOOL;
    case 20:
        return SDI_KEY_INT8;
    case 21:
        return SDI_KEY_INT2;
    case 23:
        return SDI_KEY_INT4;
    case 25:
    case 1043:
        return deterministic ? SDI_KEY_TEXT : SDI_KEY_NONE;
    case 2950:
        return SDI_KEY_UUID;
    default:
        return SDI_KEY_NONE;
    }
}

static void read_relation(reader *r, sdi_relation *relation)
{
    relation->found = true;
    relation->schema = kept_text(r, SCHEMA);
    relation->name = kept_text(r, NAME);
    relation->kind = letter(r, KIND);
    relation->persistence = letter(r, PERSISTENCE);
    relation->row_security = truth(r, ROW_SECURITY);
    relation->row_security_active = truth(r, ROW_SECURITY_ACTIVE);
    relation->rules = truth(r, RULES);
    relation->system = truth(r, SYSTEM);
    relation->key_columns = number(r, KEY_COLUMNS);
}

static void read_column(reader *r, sdi_relation *relation)
{
    sdi_column column = {.name = kept_text(r, COLUMN), .moment = truth(r, MOMENT), .referenced = truth(r, REFERENCED)};
    column.type = key_type(number(r, TYPE), letter(r, TYPE_TYPE), truth(r, DETERMINISTIC));
    column.key = number(r, KEY);
    if (column.key > relation->key_columns) /* INCLUDE columns stand behind */
        column.key = 0;
    column.repeats = truth(r, REPEATS);
    if (truth(r, ODD))
        relation->odd_column = column.name;
    sdi_buffer_append(&relation->columns, &column, sizeof column);
    r->failed |= relation->columns.failed;
}

static void read_columns_row(reader *r)
{
    size_t ord = number(r, ORD);
    if (!ord || ord > r->catalog->relation_count || is_null(r, NAME))
        return;
    sdi_relation *relation = &r->catalog->relations[ord - 1];
    if (!relation->found)
        read_relation(r, relation);
    if (!is_null(r, COLUMN))
        read_column(r, relation);
}

/* --------------------------------------------------------------------------------------------------- names, bounds */

static void read_names_row(reader *r)
{
    size_t ord = number(r, 0);
    if (!ord || ord > r->catalog->name_count)
        return;
    r->catalog->verdicts[ord - 1] =
        (sdi_verdict){.volatility = letter(r, 1), .builtin = truth(r, 2), .aggregate = truth(r, 3)};
}

static void read_bounds_row(reader *r)
{
    size_t ord = number(r, 0);
    if (!ord || ord > r->catalog->relation_count || !r->catalog->relations[ord - 1].found)
        return;
    sdi_relation *relation = &r->catalog->relations[ord - 1];
    sdi_bound bound = {(enum sdi_bond)letter(r, 1), kept_text(r, 2), kept_text(r, 3), letter(r, 4), letter(r, 5)};
    bool itself = !strcmp(bound.schema, relation->schema) && !strcmp(bound.name, relation->name);
    relation->family |= bound.bond == SDI_BOND_FAMILY && !itself;
    sdi_buffer_append(&relation->bounds, &bound, sizeof bound);
    r->failed |= relation->bounds.failed;
}

/* ---------------------------------------------------------------------------------------------------------- behind */

enum { BEHIND_KIND = 1, BEHIND_TEXT, BEHIND_EVENTS, BEHIND_TABLE, BEHIND_WHAT, BEHIND_FUNCTION, BEHIND_COMMENT };

/* pg_trigger.tgtype */
static unsigned events_of(size_t type)
{
    return (type & 4 ? SDI_INSERTS : 0) | (type & 8 ? SDI_DELETES : 0) | (type & 16 ? SDI_UPDATES : 0) |
           (type & 32 ? SDI_TRUNCATES : 0);
}

/* What a function writes may stand in its comment: see doc/sql.md. */
static const char *declared_writes(const char *comment)
{
    static const char mark[] = "shopdata writes:";
    return strncmp(comment, mark, sizeof mark - 1) ? NULL : comment + sizeof mark - 1;
}

static void read_hidden(reader *r, sdi_relation *relation)
{
    sdi_hidden hidden = {.bond = (enum sdi_bond)letter(r, BEHIND_TEXT), .events = events_of(number(r, BEHIND_EVENTS))};
    hidden.table = kept_text(r, BEHIND_TABLE);
    hidden.what = kept_text(r, BEHIND_WHAT);
    hidden.function = kept_text(r, BEHIND_FUNCTION);
    hidden.writes = declared_writes(kept_text(r, BEHIND_COMMENT));
    sdi_buffer_append(&relation->hidden, &hidden, sizeof hidden);
    r->failed |= relation->hidden.failed;
}

/* Policies become one statement, so that what they call and read is judged as any statement's. */
static void read_policy(reader *r, sdi_relation *relation)
{
    sdi_slice condition = cell(r, BEHIND_TEXT);
    sdi_buffer *text = &relation->policies.text;
    sdi_buffer_text(text, text->length ? ", (" : "SELECT (");
    sdi_buffer_append(text, condition.data, condition.length);
    sdi_buffer_char(text, ')');
    r->failed |= text->failed;
}

static void read_view(reader *r, sdi_relation *relation)
{
    sdi_slice definition = cell(r, BEHIND_TEXT);
    sdi_buffer_append(&relation->view.text, definition.data, definition.length);
    r->failed |= relation->view.text.failed;
}

static void read_behind_row(reader *r)
{
    size_t ord = number(r, 0);
    if (!ord || ord > r->catalog->relation_count || !r->catalog->relations[ord - 1].found)
        return;
    sdi_relation *relation = &r->catalog->relations[ord - 1];
    switch (letter(r, BEHIND_KIND)) {
    case 'v':
        read_view(r, relation);
        break;
    case 'p':
        read_policy(r, relation);
        break;
    default:
        read_hidden(r, relation);
    }
}

/* ------------------------------------------------------------------------------------------------------------------ */

static bool read_rows(sdi_catalog *catalog, const shopdata_result *answer, void (*read_row)(reader *))
{
    reader r = {.catalog = catalog, .answer = answer};
    for (r.row = 0; r.row < row_count(answer) && !r.failed; r.row++)
        read_row(&r);
    return !r.failed;
}

static bool read_shape(sdi_catalog *catalog, shopdata_result *const answers[SDI_CATALOG_QUESTIONS])
{
    sdi_buffer all = SDI_BUFFER_INIT;
    for (size_t i = 0; i < SDI_CATALOG_QUESTIONS; i++)
        sdi_buffer_append(&all, answers[i]->rows, answers[i]->rows_length);
    if (!all.failed)
        catalog->shape = sdi_hash128_of(all.data, all.length);
    bool made = !all.failed;
    sdi_buffer_free(&all);
    return made;
}

static sdi_catalog *new_catalog(const sdi_sql *sql)
{
    sdi_catalog *catalog = sdi_calloc(1, sizeof *catalog);
    if (!catalog)
        return NULL;
    catalog->relation_count = SDI_COUNT(sql->relations, sdi_sql_relation);
    catalog->name_count = SDI_COUNT(sql->names, sdi_sql_name);
    catalog->relations = sdi_calloc(catalog->relation_count, sizeof *catalog->relations);
    catalog->verdicts = sdi_calloc(catalog->name_count, sizeof *catalog->verdicts);
    if (catalog->relations && catalog->verdicts)
        return catalog;
    catalog->relation_count = 0;
    sdi_catalog_free(catalog);
    return NULL;
}

int sdi_catalog_read(const sdi_sql *sql, shopdata_result *const answers[SDI_CATALOG_QUESTIONS],
                     sdi_catalog **catalog_out, shopdata_error **error_out)
{
    sdi_catalog *catalog = new_catalog(sql);
    if (catalog && read_rows(catalog, answers[0], read_columns_row) && read_rows(catalog, answers[1], read_names_row) &&
        read_rows(catalog, answers[2], read_bounds_row) && read_rows(catalog, answers[3], read_behind_row) &&
        read_shape(catalog, answers)) {
        *catalog_out = catalog;
        return SHOPDATA_OK;
    }
    sdi_catalog_free(catalog);
    return sdi_no_memory(error_out);
}

static void inside_free(sdi_inside *inside)
{
    sdi_catalog_free(inside->catalog);
    sdi_sql_free(inside->sql);
    sdi_free(inside->fault);
    sdi_buffer_free(&inside->text);
}

static void relation_free(sdi_relation *relation)
{
    sdi_buffer_free(&relation->columns);
    sdi_buffer_free(&relation->bounds);
    sdi_buffer_free(&relation->hidden);
    inside_free(&relation->view);
    inside_free(&relation->policies);
}

void sdi_catalog_free(sdi_catalog *catalog)
{
    if (!catalog)
        return;
    for (size_t i = 0; i < catalog->relation_count; i++)
        relation_free(&catalog->relations[i]);
    for (size_t i = 0; i < SDI_COUNT(catalog->texts, char *); i++)
        sdi_free(SDI_ITEMS(catalog->texts, char *)[i]);
    sdi_buffer_free(&catalog->texts);
    sdi_free(catalog->relations);
    sdi_free(catalog->verdicts);
    sdi_free(catalog);
}

const sdi_column *sdi_relation_column(const sdi_relation *relation, const char *name)
{
    for (size_t i = 0; i < SDI_COUNT(relation->columns, sdi_column); i++)
        if (!strcmp(SDI_ITEMS(relation->columns, sdi_column)[i].name, name))
            return &SDI_ITEMS(relation->columns, sdi_column)[i];
    return NULL;
}
