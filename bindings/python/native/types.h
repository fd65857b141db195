/* types.h - the classes of Python's library that values are made of, and raising what shopdata.errors has. */
#ifndef SDB_TYPES_H
#define SDB_TYPES_H

#include "python.h"

/* Set once by sdb_types_init; each a reference that lives as long as the module. Names are made once and interned:
 * Python keeps each new one that an attribute is asked by in its cache of lookups, in place of others that are of use.
 */
typedef struct sdb_types {
    PyTypeObject *decimal, *uuid, *enumeration, *json;
    PyTypeObject *addresses[4];  /* of ipaddress: addresses (interfaces are such), networks */
    PyObject *uuid_safe_unknown; /* uuid.SafeUUID.unknown */
    PyObject *json_dumps;        /* makes compact JSON, NaN refused */
    PyObject *json_scan, *json_decode;
    PyObject *text_name, *utcoffset_name, *value_name, *int_name, *is_safe_name;
} sdb_types;

extern sdb_types sdb_type_objects;

/* sdb_types_init imports them, and readies the types of row.c. -1 with an exception. */
int sdb_types_init(void);

/* sdb_raise sets an exception of a class of shopdata.errors. One that is set already and came from Python code becomes
 * its cause. */
void sdb_raise_from(const char *class_name, const char *format, ...);

/* sdb_is_fault: is the exception that is set about the value at hand, not about memory or a wish to stop? */
int sdb_is_fault(void);

#endif
