#include "shape.h"

#include <string.h>

#include "row.h"
#include "types.h"

enum { BUCKETS = 256, SHAPES_MAX = 1024 };

static sdb_shape *table[BUCKETS];
static size_t held;

/* What tells shapes apart: of each column the OID and the name with its zero byte. */
static void sign(const shopdata_result *result, sdb_text *signature)
{
    size_t count = shopdata_result_columns(result);
    for (size_t i = 0; i < count; i++) {
        uint32_t oid = shopdata_result_column_type(result, i);
        const char *name = shopdata_result_column_name(result, i);
        sdb_text_append(signature, (const char *)&oid, sizeof oid);
        sdb_text_append(signature, name, strlen(name) + 1);
    }
}

/* FNV-1a: the texts are short, and whoever chooses them writes the SQL. */
static uint64_t hash_of(const sdb_text *signature)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < signature->length; i++)
        hash = (hash ^ (unsigned char)signature->data[i]) * 0x100000001b3;
    return hash;
}

static sdb_shape *find(uint64_t hash, const sdb_text *signature)
{
    sdb_shape *shape = table[hash % BUCKETS];
    while (shape && (shape->hash != hash || shape->signature_length != signature->length ||
                     memcmp(shape->signature, signature->data, signature->length) != 0))
        shape = shape->next;
    return shape;
}

void sdb_shape_release(sdb_shape *shape)
{
    if (!shape || --shape->references > 0)
        return;
    Py_XDECREF(shape->names);
    Py_XDECREF(shape->row_class);
    PyMem_Free(shape->signature);
    PyMem_Free(shape);
}

/* Programs have as many shapes as they have statements; one that makes them up starts over now and then. */
static void forget_all(void)
{
    sdb_shape *dropped[BUCKETS];
    memcpy(dropped, table, sizeof table);
    memset(table, 0, sizeof table);
    held = 0;
    for (size_t i = 0; i < BUCKETS; i++)
        while (dropped[i]) {
            sdb_shape *shape = dropped[i];
            dropped[i] = shape->next;
            sdb_shape_release(shape);
        }
}

static void keep(sdb_shape *shape)
{
    if (held >= SHAPES_MAX)
        forget_all();
    shape->references++;
    shape->next = table[shape->hash % BUCKETS];
    table[shape->hash % BUCKETS] = shape;
    held++;
}

static PyObject *names_of(const shopdata_result *result)
{
    Py_ssize_t count = (Py_ssize_t)shopdata_result_columns(result);
    PyObject *names = PyTuple_New(count);
    for (Py_ssize_t i = 0; names && i < count; i++) {
        PyObject *name = PyUnicode_FromString(shopdata_result_column_name(result, (size_t)i));
        if (name) {
            PyUnicode_InternInPlace(&name);
            PyTuple_SET_ITEM(names, i, name);
        } else
            Py_CLEAR(names);
    }
    return names;
}

static void choose_types(sdb_shape *shape, const shopdata_result *result)
{
    for (size_t i = 0; i < shape->count; i++) {
        sdb_column *column = &shape->columns[i];
        column->type = sdb_type_of(shopdata_result_column_type(result, i), &column->array);
        shape->collected |= column->array || column->type->contains;
    }
}

static sdb_shape *new_shape(const shopdata_result *result, uint64_t hash, const sdb_text *signature)
{
    size_t count = shopdata_result_columns(result);
    sdb_shape *shape = PyMem_Calloc(1, sizeof *shape + count * sizeof *shape->columns);
    if (!shape)
        return (sdb_shape *)PyErr_NoMemory();
    shape->references = 1;
    shape->hash = hash;
    shape->count = count;
    choose_types(shape, result);
    shape->signature_length = signature->length;
    shape->signature = PyMem_Malloc(signature->length + 1);
    shape->names = shape->signature ? names_of(result) : PyErr_NoMemory();
    shape->row_class = shape->names ? sdb_row_class(shape->names) : NULL;
    if (!shape->row_class) {
        sdb_shape_release(shape);
        return NULL;
    }
    memcpy(shape->signature, signature->data, signature->length);
    return shape;
}

/* Making a class runs Python code, and other threads meanwhile: one of them may have kept the same shape, which then is
 * there twice and does no harm. */
static sdb_shape *find_or_make(const shopdata_result *result, const sdb_text *signature)
{
    if (signature->failed)
        return (sdb_shape *)PyErr_NoMemory();
    uint64_t hash = hash_of(signature);
    sdb_shape *shape = find(hash, signature);
    if (shape) {
        shape->references++;
        return shape;
    }
    shape = new_shape(result, hash, signature);
    if (shape)
        keep(shape);
    return shape;
}

sdb_shape *sdb_shape_of(const shopdata_result *result)
{
    sdb_text signature;
    sdb_text_begin(&signature);
    sign(result, &signature);
    sdb_shape *shape = find_or_make(result, &signature);
    sdb_text_end(&signature);
    return shape;
}
