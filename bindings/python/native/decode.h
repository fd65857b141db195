/* decode.h - a cell's text as a Python value, by the column's type. */
#ifndef SDB_DECODE_H
#define SDB_DECODE_H

#include "python.h"

#include <stdbool.h>

#include "parse.h"

/* NULL without an exception: the text is none of this type's, or a value that Python's type cannot hold. NULL with one:
 * why not. */
typedef PyObject *(*sdb_decode)(sdb_slice text);

typedef struct sdb_type {
    uint32_t oid, array_oid;
    const char *name;   /* PostgreSQL's */
    const char *python; /* of the class that a value becomes */
    sdb_decode decode;
    bool contains; /* others, in cycles perhaps: the garbage collector's business */
} sdb_type;

int sdb_decode_init(void);

/* sdb_type_of finds the type of an OID, or of an array's elements. Types that Python has no class for are str. */
const sdb_type *sdb_type_of(uint32_t oid, bool *array);

/* sdb_decode_array makes a list, of lists if it has dimensions. */
PyObject *sdb_decode_array(sdb_slice text, sdb_decode decode);

#endif
