#include "statements.h"

#define CHANGED "version = version + 1, written_at = clock_timestamp()"

/* TPC-W: a product of which fewer than ten would be left is ordered anew, 21 of it. */
#define STOCK_LEFT "stock - $2 + CASE WHEN stock - $2 < 10 THEN 21 ELSE 0 END"

const load_sql load_sql_table[LOAD_STATEMENTS] = {
    [LOAD_PRODUCT] = {"product", "product",
                      "SELECT product_id, version, category_id, name, description, price, stock"
                      " FROM shopbench.products WHERE product_id = $1",
                      LOAD_PRODUCTS, false},
    [LOAD_CATEGORIES] = {"categories", "list",
                         "SELECT category_id, name FROM shopbench.categories ORDER BY category_id", LOAD_UNVERSIONED,
                         false},
    [LOAD_NEW_PRODUCTS] = {"new_products", "list",
                           "SELECT product_id, version, name, price, stock FROM shopbench.products"
                           " WHERE category_id = $1 ORDER BY product_id DESC LIMIT 50",
                           LOAD_PRODUCTS, false},
    /* TPC-W lets this page be half a minute old: policy.best_sellers.stale_overtaken is for that. */
    [LOAD_BEST_SELLERS] = {"best_sellers", "best_sellers",
                           "SELECT p.product_id, p.name, p.price, sum(l.quantity) AS sold"
                           " FROM shopbench.order_lines l JOIN shopbench.products p ON p.product_id = l.product_id"
                           " WHERE p.category_id = $1"
                           " AND l.order_id > (SELECT max(order_id) - 3333 FROM shopbench.orders)"
                           " GROUP BY p.product_id, p.name, p.price ORDER BY sold DESC, p.product_id LIMIT 50",
                           LOAD_UNVERSIONED, false},
    [LOAD_SEARCH] = {"search", "list",
                     "SELECT product_id, version, name, price, stock FROM shopbench.products"
                     " WHERE search @@ websearch_to_tsquery('english', $1) ORDER BY product_id LIMIT 50",
                     LOAD_PRODUCTS, false},
    [LOAD_CUSTOMER] = {"customer", "product",
                       "SELECT customer_id, version, name, email, address FROM shopbench.customers"
                       " WHERE customer_id = $1",
                       LOAD_CUSTOMERS, false},
    [LOAD_CART] = {"cart", "product",
                   "SELECT customer_id, version, product_ids FROM shopbench.carts WHERE customer_id = $1", LOAD_CARTS,
                   false},
    [LOAD_NEWEST_ORDER] = {"newest_order", "order",
                           "SELECT order_id, ordered_at, status, total FROM shopbench.orders"
                           " WHERE customer_id = $1 ORDER BY order_id DESC LIMIT 1",
                           LOAD_UNVERSIONED, false},
    [LOAD_ORDER_LINES] = {"order_lines", "order",
                          "SELECT line_number, product_id, quantity, price FROM shopbench.order_lines"
                          " WHERE order_id = $1 ORDER BY line_number",
                          LOAD_UNVERSIONED, false},
    /* The newest five. */
    [LOAD_CART_ADD] = {"cart_add", "product",
                       "UPDATE shopbench.carts SET product_ids = (ARRAY[$2::bigint] || product_ids)[1:5], " CHANGED
                       " WHERE customer_id = $1 RETURNING customer_id, version, product_ids",
                       LOAD_CARTS, true},
    [LOAD_CART_EMPTY] = {"cart_empty", "product",
                         "UPDATE shopbench.carts SET product_ids = '{}', " CHANGED
                         " WHERE customer_id = $1 RETURNING customer_id, version",
                         LOAD_CARTS, true},
    [LOAD_LOGIN] = {"login", "product",
                    "UPDATE shopbench.customers SET last_login = clock_timestamp(), " CHANGED
                    " WHERE customer_id = $1 RETURNING customer_id, version",
                    LOAD_CUSTOMERS, true},
    [LOAD_NEW_ORDER] = {"new_order", "order",
                        "INSERT INTO shopbench.orders (customer_id, status, total) VALUES ($1, 'pending', $2)"
                        " RETURNING order_id",
                        LOAD_UNVERSIONED, true},
    [LOAD_NEW_LINE] = {"new_line", "order",
                       "INSERT INTO shopbench.order_lines (order_id, line_number, product_id, quantity, price)"
                       " VALUES ($1, $2, $3, $4, $5)",
                       LOAD_UNVERSIONED, true},
    [LOAD_TAKE_STOCK] = {"take_stock", "product",
                         "UPDATE shopbench.products SET stock = " STOCK_LEFT ", " CHANGED
                         " WHERE product_id = $1 RETURNING product_id, version, price",
                         LOAD_PRODUCTS, true},
    [LOAD_REPRICE] = {"reprice", "product",
                      "UPDATE shopbench.products SET price = $2, " CHANGED
                      " WHERE product_id = $1 RETURNING product_id, version",
                      LOAD_PRODUCTS, true},
    [LOAD_COMMIT] = {"commit", NULL, NULL, LOAD_UNVERSIONED, true},
};
