/* sql_facts.h - what sql.c found in a statement; for the files of this room that make a plan of it.
 * All texts belong to the parse tree, which lives as long as the sdi_sql. */
#ifndef SDI_MODEL_SQL_FACTS_H
#define SDI_MODEL_SQL_FACTS_H

#include <pg_query/pg_query.pb-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "model/sql.h"

enum sdi_sql_kind {
    SDI_SQL_READ = 1,
    SDI_SQL_STATUS, /* EXPLAIN, SHOW, a read without tables: read, and never worth caching */
    SDI_SQL_WRITE,
    SDI_SQL_SCHEMA, /* DDL */
    SDI_SQL_EFFECT, /* NOTIFY, ANALYZE: for the primary, and changes no rows */
    SDI_SQL_UNTOLD, /* CALL, DO: may write anything */
};

enum sdi_table_role {
    SDI_TABLE_ELSEWHERE, /* in a sub-select, a CTE, DDL: only its table tag */
    SDI_TABLE_OUTER,     /* in the top FROM, but under an outer join: names resolve, rows are not certain */
    SDI_TABLE_INNER,     /* in the top FROM or in an inner join of it */
    SDI_TABLE_TARGET,    /* what INSERT, UPDATE, DELETE, MERGE of the top statement writes */
};

enum {
    SDI_INSERTS = 1,
    SDI_UPDATES = 2,
    SDI_DELETES = 4,
    SDI_TRUNCATES = 8,
    SDI_CASCADES = 16,  /* TRUNCATE ... CASCADE */
    SDI_RESHAPES = 32,  /* DDL, REFRESH MATERIALIZED VIEW */
    SDI_COARSE = 64,    /* the rows that it writes are not told by a fixed key */
    SDI_SETS_ANY = 128, /* which columns it sets is not noted */
};

/* A name that the catalog is asked about; each stands once. */
enum sdi_name_kind {
    SDI_NAME_FUNCTION = 'f',
    SDI_NAME_OPERATOR = 'o',
    SDI_NAME_TYPE = 't',
    SDI_NAME_ATTRIBUTE = 'a', /* x.name: a column, or a function called in functional notation */
    SDI_NAME_CASTS = 'c',     /* stands for all casts that run unasked */
};

typedef struct sdi_sql_name {
    enum sdi_name_kind kind;
    const char *schema; /* "" if not given */
    const char *name;
    size_t arguments; /* functions: the fewest that a call has */
    bool at_top;      /* functions: if it is an aggregate, it may aggregate the top FROM */
    bool over;        /* functions: a window call at the top */
    bool zone_utc;    /* functions: every call's first argument is the constant 'UTC' */
    bool dynamic;     /* types: cast from something else than a constant, a parameter or a column */
} sdi_sql_name;

typedef struct sdi_sql_relation {
    const char *schema; /* "" if not given */
    const char *name;
} sdi_sql_relation;

typedef struct sdi_sql_table {
    const PgQuery__RangeVar *node; /* NULL: named otherwise */
    size_t relation;
    const char *alias; /* the name by which its columns are qualified */
    enum sdi_table_role role;
    unsigned writes;
    bool perhaps_cte;       /* has the name of a CTE: no table if the catalog knows none */
    bool renames_columns;   /* t AS x(a, b) */
    const char *becomes[2]; /* schema and name that DDL gives it; NULL: unchanged */
} sdi_sql_table;

/* `column = $n`, `column = $n::type` or `column = constant` in a top-level AND; or one of several of `column IN (...)`
 */
typedef struct sdi_sql_fixed {
    const char *schema, *qualifier; /* "" if not given */
    const char *column;
    size_t parameter; /* 0: the constant */
    const char *constant;
    char number[16];
    const char *cast_schema, *cast; /* NULL: as it is */
    size_t choices;                 /* 1; IN: how many there are from here on */
} sdi_sql_fixed;

/* One column of a SELECT's answer. */
typedef struct sdi_sql_target {
    const char *name;
    const PgQuery__ColumnRef *column; /* NULL: something computed */
} sdi_sql_target;

/* x::type where x is a column: whether that reads the clock depends on the column's type */
typedef struct sdi_sql_cast {
    size_t name;
    const char *column;
} sdi_sql_cast;

struct sdi_sql {
    PgQuery__ParseResult *tree;
    enum sdi_sql_kind kind;
    const char *reason; /* why a SDI_SQL_STATUS or SDI_SQL_UNTOLD is what it is */
    bool changes_schema;
    bool locks_rows;         /* FOR UPDATE, FOR SHARE */
    bool picks_rows;         /* DISTINCT, LIMIT, OFFSET: a row depends on others that a condition around would drop */
    bool explains;           /* EXPLAIN ANALYZE of what follows */
    bool rows_uncertain;     /* GROUP BY, set operation...: no row tags for the top FROM */
    bool opaque_from;        /* an item of the top FROM is no plain table: bare column names are not attributed */
    bool has_subqueries;     /* sub-selects or CTEs anywhere */
    bool has_sample;         /* TABLESAMPLE */
    bool says_clock;         /* a constant with today, now... */
    bool has_table_function; /* XMLTABLE */
    bool foreign_database;   /* database.schema.table */
    bool makes_temporary;    /* CREATE TEMP ... */
    bool computes;           /* calls functions now, not when a table that it defines is used */
    const char *value_function; /* what CURRENT_DATE and its kin tell of; NULL: there is none */
    const char *system_column;  /* xmin, ctid...; NULL: there is none */
    bool settings_untold;       /* current_setting() of a name that is not a constant */
    size_t parameters;
    sdi_buffer uses;        /* size_t: how often $n stands, by n - 1 */
    sdi_buffer relations;   /* sdi_sql_relation */
    sdi_buffer tables;      /* sdi_sql_table */
    sdi_buffer fixed;       /* sdi_sql_fixed */
    sdi_buffer names;       /* sdi_sql_name */
    sdi_buffer casts;       /* sdi_sql_cast */
    sdi_buffer ctes;        /* const char *: names of CTEs */
    sdi_buffer set_columns; /* const char *: what UPDATE or ON CONFLICT sets */
    sdi_buffer targets;     /* sdi_sql_target: of the top SELECT */
    sdi_buffer settings;    /* const char *: names that current_setting() is asked for */
};

#define SDI_COUNT(buffer, type) ((buffer).length / sizeof(type))
#define SDI_ITEMS(buffer, type) ((type *)(void *)(buffer).data)

/* How deep a statement may nest: the parser recurses, about 2 KiB of stack a level, and knows no limit of its own. */
enum { SDI_SQL_DEPTH_MAX = 1000, SDI_SQL_BYTES_MAX = 512 * 1024, SDI_CHOICES_MAX = 32 };

/* sdi_sql_depth_check bounds the nesting from the tokens, before the parser recurses. */
int sdi_sql_depth_check(const char *text, shopdata_error **error_out);

/* sdi_sql_classify sets kind, or refuses. */
int sdi_sql_classify(sdi_sql *sql, const PgQuery__Node *statement, shopdata_error **error_out);
/* sdi_sql_top notes the tables of the top statement's FROM, its target, and the fixed columns. */
void sdi_sql_top(sdi_sql *sql, const PgQuery__Node *statement);
/* sdi_sql_walk notes everything that stands anywhere in the tree; after sdi_sql_top. False if it nests too deeply. */
bool sdi_sql_walk(sdi_sql *sql, const PgQuery__Node *statement);
/* sdi_sql_refused_call is the error for a call that would change a pooled connection, SHOPDATA_OK if there is none. */
int sdi_sql_refused_call(const sdi_sql *sql, shopdata_error **error_out);

/* sdi_sql_is_effect: a function of PostgreSQL's that writes, but no rows of any table. */
bool sdi_sql_is_effect(const char *function);

/* sdi_sql_explained is the statement that EXPLAIN explains, else the statement itself. */
const PgQuery__Node *sdi_sql_explained(const PgQuery__Node *statement);

sdi_sql_table *sdi_sql_note_table(sdi_sql *sql, const PgQuery__RangeVar *node, enum sdi_table_role role,
                                  unsigned writes);
void sdi_sql_note_named_table(sdi_sql *sql, const char *schema, const char *name, unsigned writes);
/* sdi_sql_note_name returns the name's only entry; NULL without memory. */
sdi_sql_name *sdi_sql_note_name(sdi_sql *sql, enum sdi_name_kind kind, const char *schema, const char *name);
void sdi_sql_note_cte(sdi_sql *sql, const char *name);
bool sdi_sql_is_cte(const sdi_sql *sql, const PgQuery__RangeVar *node);

/* sdi_text_of is the text of a String node, NULL for any other. */
const char *sdi_text_of(const PgQuery__Node *node);
/* sdi_last_names splits [..., schema, name] of String nodes; schema is "" for one name. False for none. */
bool sdi_last_names(PgQuery__Node *const *nodes, size_t count, const char **schema, const char **name);
/* sdi_sql_value_of: a parameter, cast or not, or a constant. */
bool sdi_sql_value_of(const PgQuery__Node *node, sdi_sql_fixed *fixed);
/* sdi_sql_column_names splits [[schema,] qualifier,] column; what is not there is "". False for anything else. */
bool sdi_sql_column_names(const PgQuery__ColumnRef *ref, sdi_sql_fixed *fixed);

#endif
