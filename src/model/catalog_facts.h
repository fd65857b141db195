/* catalog_facts.h - what the catalog says of a statement's names; for the files of this room that make a plan of it. */
#ifndef SDI_MODEL_CATALOG_FACTS_H
#define SDI_MODEL_CATALOG_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "model/catalog.h"
#include "model/key.h"

typedef struct sdi_column {
    const char *name;
    enum sdi_key_type type;
    size_t key;      /* its place in the primary key, from 1; 0: not in it */
    bool moment;     /* a date or time type: text that says `now` never stands in it */
    bool referenced; /* by a foreign key with an ON UPDATE action */
    bool repeats;    /* what it is by default may have stood there before: no function makes it */
} sdi_column;

/* Who else is written or read along with a relation. */
enum sdi_bond {
    SDI_BOND_FAMILY = 'f',   /* partitions, parents and children */
    SDI_BOND_DELETE = 'd',   /* changed by ON DELETE actions, at any remove */
    SDI_BOND_UPDATE = 'u',   /* changed by ON UPDATE actions, at any remove */
    SDI_BOND_TRUNCATE = 't', /* emptied by TRUNCATE ... CASCADE */
};

typedef struct sdi_bound {
    enum sdi_bond bond;
    const char *schema, *name;
    char kind, persistence; /* as sdi_relation */
} sdi_bound;

/* A statement that stands behind a relation, opened: what a view selects, what row-level security demands. */
typedef struct sdi_inside {
    sdi_buffer text;
    sdi_sql *sql;         /* NULL: there is none, or it was not opened */
    sdi_catalog *catalog; /* of what `sql` names */
    char *fault;          /* why it could not be opened */
} sdi_inside;

/* What a write runs unseen: a trigger, or a volatile function in a default, a CHECK or a policy. */
typedef struct sdi_hidden {
    enum sdi_bond bond; /* fires where rows of the relation itself and its family are written, or by an action */
    unsigned events;    /* SDI_INSERTS... */
    const char *table;  /* schema.name, for people */
    const char *what;   /* "the trigger stamp", "a default, CHECK or policy" */
    const char *function;
    const char *writes; /* what the function's comment declares; NULL: nothing is declared */
} sdi_hidden;

typedef struct sdi_relation {
    bool found;
    const char *schema, *name;
    char kind;                /* pg_class.relkind */
    char persistence;         /* pg_class.relpersistence */
    bool system;              /* of pg_catalog or information_schema */
    bool row_security;        /* is enabled */
    bool row_security_active; /* and holds for this role */
    bool rules;
    const char *odd_column; /* one whose text follows the catalog or a locale; NULL: there is none */
    bool family;            /* has partitions, parents or children */
    size_t key_columns;     /* 0: no primary key that we use */
    sdi_buffer columns;     /* sdi_column */
    sdi_buffer bounds;      /* sdi_bound */
    sdi_buffer hidden;      /* sdi_hidden */
    sdi_inside view;
    sdi_inside policies;
} sdi_relation;

typedef struct sdi_verdict {
    char volatility; /* the worst: 'i', 's', 'v'; 0: nothing found (for operators: nothing to object to) */
    bool builtin;    /* functions: all of pg_catalog. Operators: none in the way of the built-in ones for keys */
    bool aggregate;
} sdi_verdict;

struct sdi_catalog {
    size_t relation_count, name_count;
    sdi_relation *relations; /* as sql->relations */
    sdi_verdict *verdicts;   /* as sql->names */
    sdi_buffer texts;        /* char *: what the names above point to */
    sdi_hash128 shape;
};

const sdi_column *sdi_relation_column(const sdi_relation *relation, const char *name);

#endif
