/* marker.h - the table that says that a database is ours to write into, and what was loaded. */
#ifndef LOAD_MARKER_H
#define LOAD_MARKER_H

#include "connection.h"
#include "format.h"
#include "json.h"

/* What a shop holds. `source` tells where its catalogue is from: "generated", or the number of a
 * catalogue's files. */
typedef struct load_size {
    int64_t products, customers, orders, categories;
    uint64_t seed;
    char source[32];
} load_size;

typedef struct load_marker {
    load_size size;
    bool complete; /* all rows, keys and indexes are there */
} load_marker;

enum load_state {
    LOAD_STATE_EMPTY,   /* no table of anybody */
    LOAD_STATE_BESIDE,  /* tables of others, and no schema shopbench */
    LOAD_STATE_FOREIGN, /* a schema shopbench that has no marker: not ours */
    LOAD_STATE_PARTIAL, /* ours, and not loaded to the end */
    LOAD_STATE_COMPLETE
};

/* load_marker_look tells the state, and the marker where it is ours. False: it has complained. */
bool load_marker_look(PGconn *database, enum load_state *state_out, load_marker *marker_out);

/* load_marker_make makes it, in the transaction that makes the tables. load_marker_complete says that all is there. */
bool load_marker_make(PGconn *database, const load_size *size);
bool load_marker_complete(PGconn *database);

bool load_size_same(const load_size *one, const load_size *other);
/* load_json_size writes the fields of an object. */
void load_json_size(load_json *json, const load_size *size);
const char *load_state_name(enum load_state state);

#endif
