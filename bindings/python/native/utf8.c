#include "utf8.h"

#include <string.h>

#include "errors.h"

bool sdb_text_of(PyObject *object, const char **text_out)
{
    Py_ssize_t length = 0;
    const char *text = NULL;
    if (object != Py_None && !PyUnicode_Check(object)) {
        sdb_raise_as("ParameterError", "a str is wanted, not %s", Py_TYPE(object)->tp_name);
        return false;
    }
    if (object != Py_None && !(text = PyUnicode_AsUTF8AndSize(object, &length))) {
        PyErr_Clear();
        sdb_raise_as("ParameterError", "%A is no valid Unicode: it has a lone surrogate", object);
        return false;
    }
    if (text && strlen(text) != (size_t)length) {
        sdb_raise_as("ParameterError", "%A has a NUL character, which no text in PostgreSQL can have", object);
        return false;
    }
    *text_out = text;
    return true;
}

bool sdb_texts_of(PyObject *list, const char ***texts_out, size_t *count_out)
{
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "a list of texts is wanted");
        return false;
    }
    Py_ssize_t count = PyList_GET_SIZE(list);
    const char **texts = PyMem_Calloc((size_t)count + 1, sizeof *texts);
    bool good = texts != NULL || !PyErr_NoMemory();
    for (Py_ssize_t i = 0; good && i < count; i++)
        good = sdb_text_of(PyList_GET_ITEM(list, i), &texts[i]);
    if (!good) {
        PyMem_Free(texts);
        return false;
    }
    *texts_out = texts;
    *count_out = (size_t)count;
    return true;
}

PyObject *sdb_to_text(const char *text)
{
    return text ? PyUnicode_FromString(text) : Py_NewRef(Py_None);
}
