/* shape.h - what results with the same columns have in common: how each is decoded, and the class of their rows. */
#ifndef SDB_SHAPE_H
#define SDB_SHAPE_H

#include "python.h"

#include <shopdata/shopdata.h>

#include "decode.h"

typedef struct sdb_column {
    const sdb_type *type;
    bool array;
} sdb_column;

typedef struct sdb_shape {
    Py_ssize_t references; /* the table's is one; the GIL guards them all */
    uint64_t hash;
    struct sdb_shape *next; /* of the table */
    PyObject *names;        /* a tuple of str */
    PyTypeObject *row_class;
    bool collected; /* rows may be part of cycles */
    size_t count;
    char *signature; /* OID and name of each column */
    size_t signature_length;
    sdb_column columns[];
} sdb_shape;

/* sdb_shape_of finds or makes the shape of a result; a new reference, NULL with an exception. */
sdb_shape *sdb_shape_of(const shopdata_result *result);
void sdb_shape_release(sdb_shape *shape);

#endif
