#include "routes.h"

#include <string.h>

#include "pages.h"

enum { READS = EVHTTP_REQ_GET | EVHTTP_REQ_HEAD };

/* A route that ends in "/" (but the home page) takes what follows as its argument, in request->rest. */
static const struct route {
    const char *path;
    unsigned methods;
    const char *allow;
    void (*answer)(struct shop_request *request);
} routes[] = {
    {"/", READS, "GET, HEAD", shop_page_home},
    {"/category/", READS, "GET, HEAD", shop_page_category},
    {"/search", READS, "GET, HEAD", shop_page_search},
    {"/product/", READS, "GET, HEAD", shop_page_product},
    {"/cart", READS | EVHTTP_REQ_POST, "GET, HEAD, POST", shop_page_cart},
    {"/cart/add", EVHTTP_REQ_POST, "POST", shop_page_cart_add},
    {"/checkout", READS | EVHTTP_REQ_POST, "GET, HEAD, POST", shop_page_checkout},
    {"/order/", READS, "GET, HEAD", shop_page_order},
    {"/orders", READS | EVHTTP_REQ_POST, "GET, HEAD, POST", shop_page_orders},
    {"/admin", READS, "GET, HEAD", shop_page_admin},
    {"/admin/product/", READS | EVHTTP_REQ_POST, "GET, HEAD, POST", shop_page_admin_product},
    {"/api/home", READS, "GET, HEAD", shop_api_home},
    {"/api/category/", READS, "GET, HEAD", shop_api_category},
    {"/api/search", READS, "GET, HEAD", shop_api_search},
    {"/api/product/", READS | EVHTTP_REQ_PUT | EVHTTP_REQ_POST, "GET, HEAD, PUT, POST", shop_api_product},
    {"/api/admin", READS, "GET, HEAD", shop_api_admin},
    {"/topology", READS, "GET, HEAD", shop_page_topology},
    {"/topology.json", READS, "GET, HEAD", shop_api_topology},
    {"/topology.js", READS, "GET, HEAD", shop_page_topology_script},
    {"/topology/control", EVHTTP_REQ_POST, "POST", shop_page_topology_control},
    {"/healthz", READS, "GET, HEAD", shop_page_health},
    {"/metrics", READS, "GET, HEAD", shop_page_metrics},
    {"/style.css", READS, "GET, HEAD", shop_page_style},
    {"/icons.svg", READS, "GET, HEAD", shop_page_icons},
    {"/icon.svg", READS, "GET, HEAD", shop_page_icon},
};

static bool takes_argument(const char *path, size_t length)
{
    return length > 1 && path[length - 1] == '/';
}

static const struct route *find_route(struct shop_request *request)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        size_t length = strlen(routes[i].path);
        bool has_argument = takes_argument(routes[i].path, length);
        if (has_argument ? strncmp(request->path, routes[i].path, length) : strcmp(request->path, routes[i].path))
            continue;
        request->rest = request->path + length;
        return &routes[i];
    }
    return NULL;
}

void shop_route(struct shop_request *request)
{
    request->is_json = !strncmp(request->path, "/api/", 5);
    const struct route *route = find_route(request);
    if (!route) {
        shop_fail(request, HTTP_NOTFOUND, "There is no such page.");
    } else if (!(evhttp_request_get_command(request->http) & route->methods)) {
        shop_header(request, "Allow", route->allow);
        shop_fail(request, HTTP_BADMETHOD, "This page does not know that method.");
    } else {
        route->answer(request);
    }
}
