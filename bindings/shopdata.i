/* shopdata.i - what the library's handles, outputs and errors mean, for every language.
 *
 * SWIG reads include/shopdata/shopdata.h, and the rules below, which are those at the head of that file, tell it what a
 * signature means. So a function that is added there needs a line here only if it breaks a rule.
 *
 * A language's own file includes this one. Before, it defines in C what differs from language to language:
 *
 *   SHOPDATA_OBJECT                     the type of a value of the language
 *   SHOPDATA_ENTER(KIND, object)        the pointer of a handle, which then stays valid until the call is over; NULL with
 *                                       an exception for what is closed, of another kind, or (a session) in use
 *   SHOPDATA_LEAVE(object)              the call is over
 *   SHOPDATA_OWN(KIND, pointer)         an object that owns the pointer and frees it when it is collected
 *   SHOPDATA_TEXT_OF(object, textp)     a text of the language as UTF-8 that lives as long as the call; false with an
 *                                       exception for anything else
 *   SHOPDATA_TO_TEXT(text)              UTF-8 (NULL: nothing) as a text of the language, which is a copy
 *   SHOPDATA_IS_NOTHING(object)         is it what stands for NULL?
 *   SHOPDATA_NOTHING, SHOPDATA_TRUTH(c) what a function returns that has no answer, or a yes and no
 *   SHOPDATA_REPLACE(object, other)     another answer in place of one
 *   SHOPDATA_UNLOCKED, SHOPDATA_LOCKED  around each call: it may wait, so other threads of the language run meanwhile
 *   SHOPDATA_FAILED(status, error)      true if the call failed: then an exception is set, and the error freed
 *
 * and as typemaps of SWIG what takes apart a list of texts, (const char *const *tags, size_t count). What is called so
 * often that SWIG's wrapping would be felt (queries, and all that looks into a result) it leaves out, and writes by hand
 * by the same rules. */

%include <stdint.i>

/* ------------------------------------------------------------------------------------------------------------ calls */

%exception {
    SHOPDATA_UNLOCKED
    $action
    SHOPDATA_LOCKED
}

/* "On failure no other output is written": the last argument decides whether there is an answer. */
%typemap(in, numinputs=0) shopdata_error **error_out (shopdata_error *error = NULL) "$1 = &error;"
%typemap(argout) shopdata_error **error_out {
    if (SHOPDATA_FAILED(result, *$1)) {
        SHOPDATA_REPLACE($result, NULL);
        SWIG_fail;
    }
}

/* A status is no answer, but for the two calls where a positive one has something to tell: true is "the cache knows". */
%typemap(out) int "$result = SHOPDATA_NOTHING;"
%typemap(out) int shopdata_commit, int shopdata_invalidate "$result = SHOPDATA_TRUTH($1 != SHOPDATA_UNFENCED);"
%typemap(out) int shopdata_statement_is_read "$result = SHOPDATA_TRUTH($1);"

/* ---------------------------------------------------------------------------------------------------------- handles */

/* "What arrives through T ** is yours": an object of the language owns it. What it was made from it keeps alive by
 * itself, so objects may be collected in any order. */
%define SHOPDATA_HANDLE(KIND)
%typemap(in) shopdata_##KIND * (SHOPDATA_OBJECT entered = 0), const shopdata_##KIND * (SHOPDATA_OBJECT entered = 0) {
    $1 = SHOPDATA_ENTER(KIND, $input);
    if (!$1)
        SWIG_fail;
    entered = $input;
}
%typemap(freearg) shopdata_##KIND *, const shopdata_##KIND * {
    if (entered$argnum)
        SHOPDATA_LEAVE(entered$argnum);
}
%typemap(in, numinputs=0) shopdata_##KIND ** (shopdata_##KIND *made = NULL) "$1 = &made;"
%typemap(argout) shopdata_##KIND ** {
    if (*$1)
        SHOPDATA_REPLACE($result, SHOPDATA_OWN(KIND, *$1));
}
%enddef

SHOPDATA_HANDLE(config)
SHOPDATA_HANDLE(client)
SHOPDATA_HANDLE(statement)
SHOPDATA_HANDLE(session)
SHOPDATA_HANDLE(metrics)
SHOPDATA_HANDLE(queue)

/* The one handle that may be NULL. */
%typemap(in) const shopdata_metrics *previous (SHOPDATA_OBJECT entered = 0) {
    if (!SHOPDATA_IS_NOTHING($input)) {
        $1 = SHOPDATA_ENTER(metrics, $input);
        if (!$1)
            SWIG_fail;
        entered = $input;
    }
}

/* The object frees what it owns; no function of that kind is to be called by hand. */
%ignore shopdata_config_free;
%ignore shopdata_close;
%ignore shopdata_statement_free;
%ignore shopdata_session_free;
%ignore shopdata_metrics_free;
%ignore shopdata_queue_free;

/* ------------------------------------------------------------------------------------------------------------ texts */

/* "What you pass in is copied before the call returns." Nothing stands for NULL where that means something. */
%typemap(in) const char * {
    if (!SHOPDATA_TEXT_OF($input, (const char **)&$1))
        SWIG_fail;
}
%typemap(freearg) const char * ""

/* "What is returned ... belongs to the object asked and dies with it": it is copied while that is entered. */
%typemap(in, numinputs=0) const char **text_out (const char *text = NULL) "$1 = (char **)&text;"
%typemap(argout) const char **text_out {
    if (*$1)
        SHOPDATA_REPLACE($result, SHOPDATA_TO_TEXT(*$1));
}
%typemap(out) const char * "$result = SHOPDATA_TO_TEXT($1);"

/* ----------------------------------------------------------------------------------------- what is written by hand */

/* Errors become exceptions; parameters and calls are made of a language's own values. */
%rename("$ignore", regextarget=1, fullname=1) "^shopdata_(param|call)";
%ignore shopdata_error_status;
%ignore shopdata_error_message;
%ignore shopdata_error_sqlstate;
%ignore shopdata_error_is_retriable;
%ignore shopdata_error_free;
%ignore shopdata_null;
%ignore shopdata_bool;
%ignore shopdata_int64;
%ignore shopdata_double;
%ignore shopdata_text_n;
%ignore shopdata_text;
%ignore shopdata_bytes;
/* What does not wait is tied to a language's own event loop by hand. */
%ignore shopdata_queue_fd;
%ignore shopdata_queue_next;
%ignore shopdata_start;
%ignore shopdata_start_execute;
%ignore shopdata_start_step;
%ignore shopdata_op_wait;
%ignore shopdata_op_cancel;
%ignore shopdata_op_take;
%ignore shopdata_op_context;
%ignore shopdata_op_free;
/* A function of the language's own is called back by hand-written code only. */
%ignore shopdata_config_set_log;
%ignore shopdata_session_set_interrupt;

/* --------------------------------------------------------------------------------------------------------- the rest */

%rename("%(strip:[shopdata_])s", %$isfunction) "";
%rename("%(strip:[SHOPDATA_])s", %$isenumitem) "";
%include <shopdata/shopdata.h>
