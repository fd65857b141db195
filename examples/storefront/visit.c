#include "visit.h"

#include <stdio.h>
#include <string.h>

#include "format.h"

enum { DAY = 24 * 3600 };

static const char cookie_name[] = "cart=";
static const char purpose[] = "form";

/* Copies the value of our cookie out of "a=1; cart=...; b=2". */
static bool find_cookie(const char *header, char *value, size_t size)
{
    for (; header; header = strchr(header, ';')) {
        header += strspn(header, "; ");
        if (strncmp(header, cookie_name, sizeof cookie_name - 1) != 0)
            continue;
        header += sizeof cookie_name - 1;
        snprintf(value, size, "%.*s", (int)strcspn(header, "; "), header); /* one that is cut is no good cart either */
        return true;
    }
    return false;
}

void shop_visit_load(struct shop_request *request)
{
    char value[SHOP_CART_SIZE + 1];
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(request->http);
    bool found = find_cookie(evhttp_find_header(headers, "Cookie"), value, sizeof value);
    shop_cart_read(shop_keys(request->shop), found ? value : NULL, &request->cart);
}

/* No script may read it, and another site's page may send it along only when a visitor follows a link to us. Behind TLS
 * it must be Secure as well. */
bool shop_visit_keep(struct shop_request *request)
{
    char value[SHOP_CART_SIZE], header[SHOP_CART_SIZE + 100];
    if (!request->cart.visitor[0] && !shop_nonce(request->cart.visitor)) {
        shop_fail(request, HTTP_SERVUNAVAIL, "The shop cannot draw random numbers. Please try again in a moment.");
        return false;
    }
    shop_cart_write(shop_keys(request->shop), &request->cart, value);
    snprintf(header, sizeof header, "%s%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax", cookie_name, value,
             SHOP_CART_DAYS * DAY);
    shop_header(request, "Set-Cookie", header);
    return true;
}

/* What a token signs: whose it is, and its number. */
static void subject(const struct shop_request *request, const char *nonce, char text[2 * SHOP_NONCE_SIZE])
{
    snprintf(text, 2 * SHOP_NONCE_SIZE, "%s.%s", request->cart.visitor, nonce);
}

void shop_visit_token(struct shop_request *request, const char *nonce)
{
    char drawn[SHOP_NONCE_SIZE], text[2 * SHOP_NONCE_SIZE], seal[SHOP_SEAL_SIZE];
    if (!nonce && !shop_nonce(drawn))
        return; /* a form without a token is refused, and says why */
    nonce = nonce ? nonce : drawn;
    subject(request, nonce, text);
    shop_seal(shop_keys(request->shop), purpose, text, seal);
    shop_html(&request->out, "<input type=\"hidden\" name=\"token\" value=\"%s.%s\">", nonce, seal);
}

bool shop_visit_is_ours(struct shop_request *request, char nonce[SHOP_NONCE_SIZE])
{
    char text[2 * SHOP_NONCE_SIZE];
    const char *token = shop_field(request, "token"), *seal = strchr(token, '.');
    if (seal && shop_is_nonce(token, (size_t)(seal - token)) && request->cart.visitor[0]) {
        snprintf(nonce, SHOP_NONCE_SIZE, "%s", token);
        subject(request, nonce, text);
        if (shop_seal_holds(shop_keys(request->shop), purpose, text, seal + 1, DAY))
            return true;
    }
    shop_fail(request, 403, "This form is more than a day old, or was not made for you. Please open its page again.");
    return false;
}
