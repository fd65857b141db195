/* request.h - one request and the ways to answer it. */
#ifndef SHOP_REQUEST_H
#define SHOP_REQUEST_H

#include <stdbool.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "cart.h"
#include "format.h"
#include "shop.h"

struct shop_request {
    struct evhttp_request *http;
    struct shop *shop;
    struct shop_batch batch; /* what the page asked; freed with the request */
    struct shop_output out;  /* the answer's body, as far as it is written */
    struct evkeyvalq query;  /* the arguments behind the "?" */
    struct evkeyvalq form;   /* the fields that were posted, once shop_read_form has read them */
    struct shop_cart cart;   /* the visitor's, from his cookie */
    char *path;              /* decoded, without the arguments */
    const char *rest;        /* the part of the path behind the route: a product's number, a category's name */
    bool is_text;            /* false: an argument holds a zero byte or is not UTF-8 */
    bool has_script;         /* the page may run our script */
    bool is_json;            /* the caller is a program: errors are told in JSON as well */
};

#define SHOP_HTML "text/html; charset=utf-8"
#define SHOP_JSON "application/json"
#define SHOP_TEXT "text/plain; charset=utf-8"

/* shop_request_begin reads the request's address; false if it is none that we could serve. */
bool shop_request_begin(struct shop_request *request, struct evhttp_request *http, struct shop *shop);
void shop_request_end(struct shop_request *request);

/* shop_argument is an argument of the address, NULL if missing. */
const char *shop_argument(const struct shop_request *request, const char *name);
/* shop_body is the request's body as text, yours to free; NULL if it holds a zero byte or is not UTF-8. */
char *shop_body(const struct shop_request *request);
/* shop_read_form reads the fields of a posted form; false if it has answered already: they come from another site's
 * page, or are no text. */
bool shop_read_form(struct shop_request *request);
/* shop_field is a field of the form, "" if missing. */
const char *shop_field(const struct shop_request *request, const char *name);
/* shop_is_from_here is false if a browser says that another site's page made it send this request. */
bool shop_is_from_here(const struct shop_request *request);

/* shop_header sets a header of the answer. */
void shop_header(struct shop_request *request, const char *name, const char *value);
/* shop_redirect answers a form: the browser gets `address` anew, and reloading that does not post again. */
void shop_redirect(struct shop_request *request, const char *address);
/* shop_reply sends what is in `out`. */
void shop_reply(struct shop_request *request, int code, const char *type);
/* shop_fail answers with an error: a page or JSON with one sentence that says what is wrong. */
void shop_fail(struct shop_request *request, int code, const char *sentence);
/* shop_fail_database answers 503 for batch.error, and tells the operator. */
void shop_fail_database(struct shop_request *request);

#endif
