/* catalog_facts.h - what the catalog says of a statement's names; for the files of this room that make a plan of it. */
#ifndef SDI_MODEL_CATALOG_FACTS_H
#define SDI_MODEL_CATALOG_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "model/catalog.h"
#include "model/key.h"

typedef struct sdi_column {
    const char *name;
    enum sdi_key_type type;
    size_t key;      /* its place in the primary key, from 1; 0: not in it */
    bool moment;     /* a date or time type: text that says `now` never stands in it */
    bool referenced; /* by a foreign key with an ON UPDATE action */
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
} sdi_bound;

typedef struct sdi_relation {
    bool found;
    const char *schema, *name;
    char kind;        /* pg_class.relkind */
    char persistence; /* pg_class.relpersistence */
    bool system;      /* of pg_catalog or information_schema */
    bool row_security;
    bool rules;
    bool family;        /* has partitions, parents or children */
    size_t key_columns; /* 0: no primary key that we use */
    sdi_buffer columns; /* sdi_column */
    sdi_buffer bounds;  /* sdi_bound */
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
};

const sdi_column *sdi_relation_column(const sdi_relation *relation, const char *name);

#endif
