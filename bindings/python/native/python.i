/* python.i - the private module shopdata._native: plain functions and one type of handle, no proxy classes. The package
 * `shopdata` beside it is what people import; it checks what a user passes, so that no message of SWIG's is ever seen. */
%module(package="shopdata") _native

%{
#include "errors.h"
#include "handle.h"
#include "log.h"
#include "module.h"
#include "utf8.h"

#define SHOPDATA_OBJECT PyObject *
#define SHOPDATA_ENTER(KIND, object) sdb_enter(object, &sdb_##KIND##_kind)
#define SHOPDATA_LEAVE(object) sdb_leave(object)
#define SHOPDATA_OWN(KIND, pointer) sdb_handle_new(&sdb_##KIND##_kind, pointer)
#define SHOPDATA_TEXT_OF(object, textp) sdb_text_of(object, textp)
#define SHOPDATA_TO_TEXT(text) sdb_to_text(text)
#define SHOPDATA_IS_NOTHING(object) ((object) == Py_None)
#define SHOPDATA_NOTHING Py_NewRef(Py_None)
#define SHOPDATA_TRUTH(condition) PyBool_FromLong(condition)
#define SHOPDATA_REPLACE(object, other) Py_XSETREF(object, other)
#define SHOPDATA_UNLOCKED Py_BEGIN_ALLOW_THREADS
#define SHOPDATA_LOCKED Py_END_ALLOW_THREADS
#define SHOPDATA_FAILED(status, error) sdb_failed(status, error)
%}

%typemap(in) (const char *const *tags, size_t count) (const char **texts = NULL) {
    if (!sdb_texts_of($input, &texts, &$2))
        SWIG_fail;
    $1 = (char **)texts;
}
%typemap(freearg) (const char *const *tags, size_t count) "PyMem_Free(texts$argnum);"

/* By hand: query.c, many.c, answer.c, metrics.c. */
%ignore shopdata_query;
%ignore shopdata_peek;
%ignore shopdata_query_many;
%ignore shopdata_execute;
%ignore shopdata_result_rows;
%ignore shopdata_result_columns;
%ignore shopdata_result_changed;
%ignore shopdata_result_column_name;
%ignore shopdata_result_column_type;
%ignore shopdata_result_find_column;
%ignore shopdata_result_is_null;
%ignore shopdata_result_text;
%ignore shopdata_result_int64;
%ignore shopdata_result_double;
%ignore shopdata_result_bool;
%ignore shopdata_result_bytes;
%ignore shopdata_result_source;
%ignore shopdata_result_node;
%ignore shopdata_result_age_ms;
%ignore shopdata_result_staleness_ms;
%ignore shopdata_result_retain;
%ignore shopdata_result_free;
%ignore shopdata_metrics_count;
%ignore shopdata_metrics_name;
%ignore shopdata_metrics_help;
%ignore shopdata_metrics_type;
%ignore shopdata_metrics_unit;
%ignore shopdata_metrics_labels;
%ignore shopdata_metrics_value;
/* By name: the exceptions, Result.source. */
%ignore shopdata_status;
%ignore shopdata_kind;
%ignore shopdata_source;
%rename("$ignore", regextarget=1) "^SHOPDATA_(OK|UNFENCED|PENDING|ERR_.*|NULL|BOOL|INT64|DOUBLE|TEXT|BYTES|FROM_.*)$";

%init %{
    if (sdb_module_ready(m))
        return NULL;
%}

%rename(client_open) shopdata_open; /* SWIG warns of a name that Python has */
%include "shopdata.i"

/* The log lines of clients opened with this configuration come to whom log_to names. */
%rename(config_log) sdb_log_of;
int sdb_log_of(shopdata_config *config, shopdata_error **error_out);
