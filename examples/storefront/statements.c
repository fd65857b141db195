#include "statements.h"

#define CARD_COLUMNS "p.product_id, p.name, p.price, p.stock, p.style, c.name AS category"
#define CARD_TABLES " FROM products p JOIN categories c ON c.category_id = p.category_id"
#define FOUND " WHERE strpos(lower(p.name), lower($1)) > 0"
/* The configuration is named: without, the function reads a setting of the session, and its answers are nobody else's.
 */
#define WORDS "websearch_to_tsquery('english', $1)"
#define MATCHES " WHERE p.search @@ " WORDS
#define SEARCH(order)                                                                                                  \
    {                                                                                                                  \
        "search", "SELECT " CARD_COLUMNS CARD_TABLES MATCHES " AND ($4 = '' OR c.name = $4) ORDER BY " order           \
                  ", p.product_id LIMIT $2 OFFSET $3"                                                                  \
    }

/* Nothing here says what may be cached or what a write makes stale: the library sees it in the SQL. PRODUCT fixes its
 * row by the primary key, so an edit of another product leaves it in the cache; the lists hang on the whole table.
 * FEATURED takes every 211th product: a choice that is the same for everybody and needs no column of its own. */
const struct shop_sql shop_sql[SHOP_STATEMENTS] = {
    [SHOP_SQL_MENU] = {"list", "SELECT category_id, name FROM categories ORDER BY name"},
    [SHOP_SQL_FEATURED] = {"list", "SELECT " CARD_COLUMNS CARD_TABLES " WHERE p.product_id % 211 = 7"
                                   " ORDER BY p.product_id LIMIT 12"},
    [SHOP_SQL_PRODUCT] = {"product", "SELECT " CARD_COLUMNS ", p.description" CARD_TABLES " WHERE p.product_id = $1"},
    [SHOP_SQL_RELATED] = {"list", "SELECT " CARD_COLUMNS CARD_TABLES
                                  " JOIN products self ON self.category_id = p.category_id AND self.style = p.style"
                                  " WHERE self.product_id = $1 AND p.product_id <> $1"
                                  " ORDER BY p.product_id < $1, p.product_id LIMIT $2"},
    [SHOP_SQL_CATEGORY] = {"list", "SELECT count(p.product_id), c.category_id FROM categories c"
                                   " LEFT JOIN products p ON p.category_id = c.category_id"
                                   " WHERE c.name = $1 GROUP BY c.category_id"},
    [SHOP_SQL_CATEGORY_PRODUCTS] = {"list", "SELECT " CARD_COLUMNS CARD_TABLES " WHERE c.name = $1"
                                            " ORDER BY p.product_id LIMIT $2 OFFSET $3"},
    [SHOP_SQL_FOUND_COUNT] = {"list", "SELECT count(*) FROM products p" FOUND},
    [SHOP_SQL_FOUND_PRODUCTS] = {"list",
                                 "SELECT " CARD_COLUMNS CARD_TABLES FOUND " ORDER BY p.product_id LIMIT $2 OFFSET $3"},
    [SHOP_SQL_SEARCH_SHELVES] = {"search",
                                 "SELECT c.name, count(*)" CARD_TABLES MATCHES " GROUP BY c.name ORDER BY c.name"},
    [SHOP_SQL_SEARCH_BY_RANK] = SEARCH("ts_rank(p.search, " WORDS ") DESC"),
    [SHOP_SQL_SEARCH_BY_PRICE] = SEARCH("p.price"),
    [SHOP_SQL_SEARCH_BY_PRICE_DOWN] = SEARCH("p.price DESC"),
    [SHOP_SQL_SEARCH_BY_NAME] = SEARCH("p.name"),
    [SHOP_SQL_SAVE] = {"product", "UPDATE products SET price = $2, stock = $3 WHERE product_id = $1"
                                  " RETURNING product_id, price, stock"},
    [SHOP_SQL_ORDER] = {"order",
                        "SELECT number, visitor, name, email, address, to_char(ordered_at, 'FMDD FMMonth YYYY')"
                        " FROM orders WHERE number = $1"},
    [SHOP_SQL_ORDER_LINES] = {"order", "SELECT p.product_id, p.name, c.name, l.quantity, l.price FROM order_lines l"
                                       " JOIN products p ON p.product_id = l.product_id"
                                       " JOIN categories c ON c.category_id = p.category_id"
                                       " WHERE l.number = $1 ORDER BY p.product_id"},
    [SHOP_SQL_ORDERS] = {"order", "SELECT o.number, to_char(o.ordered_at, 'FMDD FMMonth YYYY'), sum(l.quantity),"
                                  " sum(l.quantity * l.price) FROM orders o JOIN order_lines l ON l.number = o.number"
                                  " WHERE o.visitor = $1 AND ($2::text IS NULL OR o.email = $2)"
                                  " GROUP BY o.number ORDER BY o.ordered_at DESC, o.number LIMIT 50"},
    /* The checkout, in this order: see checkout.c. */
    [SHOP_SQL_ORDERED_BEFORE] = {"order", "SELECT number FROM orders WHERE token = $1"},
    [SHOP_SQL_NEW_ORDER] = {"order", "INSERT INTO orders (number, token, visitor, name, email, address)"
                                     " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (token) DO NOTHING"},
    [SHOP_SQL_TAKE] = {"product", "UPDATE products SET stock = stock - $2 WHERE product_id = $1 AND stock >= $2"
                                  " RETURNING price"},
    [SHOP_SQL_NEW_LINE] = {"order", "INSERT INTO order_lines (number, product_id, quantity, price)"
                                    " VALUES ($1, $2, $3, $4)"},
};
