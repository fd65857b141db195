/* plan_facts.h - a plan while it is made; for the files plan*.c. */
#ifndef SDI_MODEL_PLAN_FACTS_H
#define SDI_MODEL_PLAN_FACTS_H

#include "base/slice.h"
#include "model/catalog_facts.h"
#include "model/plan.h"
#include "model/sql_facts.h"

/* One column of a fixed key. Its value is the parameter's, or the constant, which is canonical already. */
typedef struct sdi_key_part {
    char *column; /* escaped */
    enum sdi_key_type type;
    size_t parameter; /* 0: the constant */
    bool shared;      /* the parameter stands elsewhere too */
    char *constant;
} sdi_key_part;

enum sdi_reach {
    SDI_REACH_ROW,   /* read: row + table/\*, and table if empty. Write: row + table */
    SDI_REACH_TABLE, /* table */
    SDI_REACH_BULK,  /* table/\* + table */
};

/* What a call hangs on, or bumps, for one table. */
typedef struct sdi_hook {
    enum sdi_reach reach;
    char *table;    /* escaped: schema.name */
    sdi_buffer key; /* sdi_key_part */
} sdi_hook;

/* Why it is not simply cached; the first reason of each kind is kept. */
enum sdi_objection {
    SDI_UNKNOWN,   /* something is not in the catalog: PostgreSQL will say so */
    SDI_UNTOLD,    /* may write what the SQL does not tell; declared tags tell it */
    SDI_PRIMARY,   /* only the primary can answer */
    SDI_NEVER,     /* not cached, whatever is declared */
    SDI_UNDECIDED, /* not cached until tags are declared */
    SDI_OBJECTIONS,
};

struct sdi_plan {
    enum sdi_plan_kind kind;
    bool changes_schema;
    bool final;
    bool writes; /* the tags are bumped, not hung on */
    char *reason;
    char *text;
    sdi_buffer hooks;    /* sdi_hook */
    sdi_buffer own;      /* char *: the application's templates */
    sdi_buffer settings; /* char *: the session's settings that an answer depends on */
    bool all_settings;   /* it may depend on any: something not looked into was declared by tags */
};

/* What is found in the statement and in the views and policies that it leads to, together. */
typedef struct sdi_findings {
    char *objections[SDI_OBJECTIONS];
    bool has_effect; /* nextval() and the like: for the primary, and changes no rows */
    bool own_calls;  /* functions, aggregates or operators of the application's own */
    bool failed;     /* out of memory */
} sdi_findings;

/* The statement, or what stands behind a relation of it. */
typedef struct sdi_planner {
    const sdi_sql *sql;
    const sdi_catalog *catalog;
    const sdi_sql *statement; /* the outermost: its parameters are counted */
    sdi_plan *plan;
    sdi_findings *found;
    const char *within;  /* "the view shop.cheap"; NULL for the statement itself */
    bool rows_uncertain; /* no row tags for reads */
    bool unhooked;       /* a write reads this: only what it calls counts */
    bool as_owner;       /* within a view that reads as its owner */
    sdi_buffer fixed;    /* sdi_sql_fixed: its own, and what a condition on the view around fixes */
    sdi_buffer sets;     /* const char *: columns that a write sets */
} sdi_planner;

void sdi_object(sdi_planner *planner, enum sdi_objection objection, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* sdi_plan_judge_calls judges functions, operators, casts and constants. */
void sdi_plan_judge_calls(sdi_planner *planner);
/* sdi_plan_judge_tables judges the tables and hooks the plan to them. */
void sdi_plan_judge_tables(sdi_planner *planner);
/* sdi_plan_judge_read, _write judge one table of the planner's level. */
void sdi_plan_judge_read(sdi_planner *planner, const sdi_sql_table *table);
void sdi_plan_judge_write(sdi_planner *planner, const sdi_sql_table *table);
/* sdi_plan_read_view judges what a view reads, or a table's policies; sdi_plan_write_view what a write to the view
 * writes. */
void sdi_plan_read_view(sdi_planner *planner, const sdi_sql_table *table, const sdi_relation *view);
void sdi_plan_write_view(sdi_planner *planner, const sdi_sql_table *table, const sdi_relation *view);
void sdi_plan_read_policies(sdi_planner *planner, const sdi_relation *relation);
/* sdi_plan_judge_hidden judges the triggers and volatile defaults that a write runs. */
void sdi_plan_judge_hidden(sdi_planner *planner, const sdi_relation *relation, unsigned writes);
/* sdi_plan_add_table hooks the plan to a whole table. */
void sdi_plan_add_table(sdi_planner *planner, enum sdi_reach reach, const char *schema, const char *name);
/* sdi_plan_level begins a planner for the statement `sql`, or for what it leads to. False without memory. */
bool sdi_plan_level(sdi_planner *planner, const sdi_sql *sql, const sdi_catalog *catalog);
void sdi_plan_level_end(sdi_planner *planner);
/* sdi_plan_note_inserted notes which columns an INSERT sets, and the values that its rows are given there; false
 * without memory. What a default or a sequence gives is left out. */
bool sdi_plan_note_inserted(sdi_planner *planner);
/* sdi_plan_find_key appends the parts of the table's fixed primary key; false if it is not certainly fixed. */
bool sdi_plan_find_key(sdi_planner *planner, const sdi_sql_table *table, sdi_buffer *parts);
/* sdi_plan_choices: to how many values an IN fixes the key; 0 if none does. sdi_plan_find_choice is sdi_plan_find_key
 * for one of them, from 0. */
size_t sdi_plan_choices(const sdi_planner *planner, const sdi_sql_table *table);
bool sdi_plan_find_choice(sdi_planner *planner, const sdi_sql_table *table, size_t which, sdi_buffer *parts);
/* sdi_plan_belongs: is this column, as the level's conditions name it, the table's? */
bool sdi_plan_belongs(const sdi_planner *planner, const sdi_sql_fixed *fixed, const sdi_sql_table *table);
/* sdi_plan_cast_is_ours: a cast to a type of pg_catalog, or none. */
bool sdi_plan_cast_is_ours(const sdi_planner *planner, const sdi_sql_fixed *fixed);
void sdi_key_parts_free(sdi_buffer *parts);

/* sdi_plan_outline is sdi_plan_tags for people, with $n where a call has its values. */
void sdi_plan_outline(const sdi_plan *plan, sdi_tags *tags);
/* sdi_plan_explanation is the text of sdi_plan_explain; NULL without memory. */
char *sdi_plan_explanation(const sdi_plan *plan);

#endif
