#include "rows.h"

#include <inttypes.h>
#include <time.h>

#include "random.h"
#include "words.h"

/* What is drawn by itself, besides each table: a price is needed where its product is not made. */
enum { DRAW_PRICE = LOAD_TABLES, DRAW_LINES };

/* When the last order of the shop was placed: 2026-01-01. A year's orders are before it. */
enum { NEWEST_ORDER = 1767225600, YEAR = 365 * 86400 };

/* What is random in a row hangs on the seed, its table and its number alone: so any part of a table can be made at any
 * time, and is the same each time. */
static load_random row_of(const load_shop *shop, unsigned what, int64_t number)
{
    return load_random_of(shop->size.seed, what, (uint64_t)number);
}

static int64_t below(load_random *draw, int64_t limit)
{
    return (int64_t)load_random_below(draw, (uint64_t)limit);
}

/* Mean 0, deviation 1. */
static double normal(load_random *draw)
{
    double radius = sqrt(-2 * log(load_random_uniform(draw)));
    return radius * cos(6.283185307179586 * load_random_uniform(draw));
}

static const char *pick(load_random *draw, const load_words *words)
{
    return words->words[below(draw, (int64_t)words->count)];
}

/* Another one than that. */
static const char *pick_other(load_random *draw, const load_words *words, const char *taken)
{
    const char *one = pick(draw, words);
    while (one == taken)
        one = pick(draw, words);
    return one;
}

static const load_department *department_of(load_random *draw, int64_t *number_out)
{
    int64_t share = below(draw, LOAD_SHARES);
    int number = 0;
    for (; number < LOAD_DEPARTMENTS - 1 && share >= load_departments[number].share; number++)
        share -= load_departments[number].share;
    *number_out = number + 1;
    return &load_departments[number];
}

/* ---- categories */

static void add_category(load_text *text, const load_shop *shop, int64_t number)
{
    const load_catalogue *catalogue = &shop->catalogue;
    bool real = catalogue->good_count > 0;
    load_text_add(text, "%" PRId64 "\t", number);
    load_text_add_copied(text, real ? catalogue->categories[number - 1].name : load_departments[number - 1].name);
    load_text_add(text, "\n");
}

/* ---- products */

static const load_good *good_of(const load_shop *shop, int64_t product)
{
    int64_t count = shop->catalogue.good_count;
    return count > 0 ? &shop->catalogue.goods[(product - 1) % count] : NULL;
}

/* Log-normal, as prices are, and mostly ending in .99. */
static int64_t cents_of(const load_shop *shop, int64_t product)
{
    const load_good *good = good_of(shop, product);
    if (good)
        return good->cents;
    int64_t category;
    load_random row = row_of(shop, LOAD_PRODUCTS, product);
    load_random draw = row_of(shop, DRAW_PRICE, product);
    double dollars = 1.3 * department_of(&row, &category)->median * exp(0.9 * normal(&draw));
    int64_t whole = dollars < 1 ? 1 : dollars > 24999 ? 24999 : (int64_t)dollars;
    return whole * 100 + (below(&draw, 5) > 0 ? 99 : below(&draw, 100));
}

/* Small for the most part, and a few products are sold out. */
static int64_t stock_of(load_random *draw)
{
    int64_t chance = below(draw, 100);
    return chance < 2 ? 0 : chance < 90 ? 1 + below(draw, 19) : 20 + below(draw, 400);
}

static void add_real_product(load_text *text, const load_shop *shop, int64_t number)
{
    const load_good *good = good_of(shop, number);
    int64_t variant = 1 + (number - 1) / shop->catalogue.good_count;
    load_text_add(text, "%" PRId64 "\t%" PRId64 "\t", number, good->category);
    load_text_add_copied(text, good->style);
    load_text_add(text, "\t");
    load_text_add_copied(text, good->name);
    if (variant > 1) /* more products than the catalogue has */
        load_text_add(text, ", variant %" PRId64, variant);
    load_text_add(text, "\t");
    load_text_add_copied(text, good->description);
    load_text_add(text, "\t%" PRId64 ".%02d\t%" PRId64 "\t", good->cents / 100, (int)(good->cents % 100), good->stock);
    load_text_add_copied(text, good->image);
    load_text_add(text, "\n");
}

static void add_made_product(load_text *text, const load_shop *shop, int64_t number)
{
    int64_t category, cents = cents_of(shop, number);
    load_random draw = row_of(shop, LOAD_PRODUCTS, number);
    const load_department *department = department_of(&draw, &category);
    const char *kind = department->kinds[below(&draw, 5)], *mood = pick(&draw, &load_moods);
    const char *material = pick(&draw, &load_materials), *virtue = pick(&draw, &load_virtues);
    const char *use = pick(&draw, &load_uses);
    load_text_add(text, "%" PRId64 "\t%" PRId64 "\t%s\t%s %s %s %" PRId64 "\t", number, category, kind, mood, material,
                  kind, number);
    load_text_add(text, "Our %s %s: %s, and %s. ", mood, kind, virtue, pick_other(&draw, &load_virtues, virtue));
    load_text_add(text, "Made of %s, for %s and for %s. ", material, use, pick_other(&draw, &load_uses, use));
    load_text_add(text, "Ships in two days, and may be sent back within a month.\t");
    load_text_add(text, "%" PRId64 ".%02d\t%" PRId64 "\t%s-%" PRId64 ".jpg\n", cents / 100, (int)(cents % 100),
                  stock_of(&draw), kind, number);
}

static void add_product(load_text *text, const load_shop *shop, int64_t number)
{
    (good_of(shop, number) ? add_real_product : add_made_product)(text, shop, number);
}

/* ---- customers */

static void add_customer(load_text *text, const load_shop *shop, int64_t number)
{
    load_random draw = row_of(shop, LOAD_CUSTOMERS, number);
    const char *first = pick(&draw, &load_first_names), *last = pick(&draw, &load_last_names);
    size_t city = (size_t)below(&draw, (int64_t)load_cities.count);
    load_text_add(text, "%" PRId64 "\t%s %s\t%s.%s.%" PRId64 "@example.com\t", number, first, last, first, last,
                  number);
    load_text_add(text, "%" PRId64 " %s, %s, %s\n", 1 + below(&draw, 120), pick(&draw, &load_streets),
                  load_cities.words[city], load_countries[city]);
}

/* Two thirds are empty: most visitors look around. */
static void add_cart(load_text *text, const load_shop *shop, int64_t number)
{
    load_random draw = row_of(shop, LOAD_CARTS, number);
    int64_t count = below(&draw, 3) > 0 ? 0 : 1 + below(&draw, 3);
    load_text_add(text, "%" PRId64 "\t{", number);
    for (int64_t i = 0; i < count; i++)
        load_text_add(text, "%s%" PRId64, i > 0 ? "," : "", 1 + below(&draw, shop->size.products));
    load_text_add(text, "}\n");
}

/* ---- orders */

typedef struct line {
    int64_t product, quantity, cents;
} line;

enum { LINES_MOST = 10 };

/* By the square of a number that is evenly drawn: the first tenth of the products has a third of the sales. Each
 * product comes once in an order, so one that is drawn again is left out. */
static int lines_of(const load_shop *shop, int64_t order, line *lines)
{
    load_random draw = row_of(shop, DRAW_LINES, order);
    int count = 0, wanted = 1;
    while (wanted < LINES_MOST && below(&draw, 100) < 60)
        wanted++;
    for (int drawn = 0; drawn < wanted; drawn++) {
        double place = load_random_uniform(&draw);
        line one = {1 + (int64_t)(place * place * (double)shop->size.products), 1, 0};
        one.quantity += below(&draw, 10) > 7 ? 1 + below(&draw, 3) : 0;
        int known = 0;
        while (known < count && lines[known].product != one.product)
            known++;
        if (known < count)
            continue;
        one.cents = cents_of(shop, one.product);
        lines[count++] = one;
    }
    return count;
}

/* Orders are numbered in the order in which they were placed; the newest are still on their way. */
static void add_order(load_text *text, const load_shop *shop, int64_t number)
{
    static const char *const young[] = {"placed", "paid", "shipped"};
    line lines[LINES_MOST];
    int count = lines_of(shop, number, lines);
    int64_t total = 0, age = (int64_t)((double)YEAR * (1 - (double)number / (double)shop->size.orders));
    time_t at = NEWEST_ORDER - age;
    struct tm moment;
    char when[32];
    load_random draw = row_of(shop, LOAD_ORDERS, number);
    double place = load_random_uniform(&draw);
    for (int i = 0; i < count; i++)
        total += lines[i].quantity * lines[i].cents;
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S+00", gmtime_r(&at, &moment));
    const char *status = age < 5 * 86400 ? young[below(&draw, 3)] : below(&draw, 100) < 4 ? "returned" : "delivered";
    load_text_add(text, "%" PRId64 "\t%" PRId64 "\t%s\t%s\t%" PRId64 ".%02d\n", number,
                  1 + (int64_t)(place * place * (double)shop->size.customers), when, status, total / 100,
                  (int)(total % 100));
}

static void add_lines(load_text *text, const load_shop *shop, int64_t number)
{
    line lines[LINES_MOST];
    int count = lines_of(shop, number, lines);
    for (int i = 0; i < count; i++)
        load_text_add(text, "%" PRId64 "\t%d\t%" PRId64 "\t%" PRId64 "\t%" PRId64 ".%02d\n", number, i + 1,
                      lines[i].product, lines[i].quantity, lines[i].cents / 100, (int)(lines[i].cents % 100));
}

/* ---- all of them */

int64_t load_categories(const load_catalogue *catalogue)
{
    return catalogue->good_count > 0 ? catalogue->category_count : LOAD_DEPARTMENTS;
}

int64_t load_rows_count(const load_shop *shop, enum load_table table)
{
    switch (table) {
    case LOAD_CATEGORIES:
        return shop->size.categories;
    case LOAD_PRODUCTS:
        return shop->size.products;
    case LOAD_CUSTOMERS:
    case LOAD_CARTS:
        return shop->size.customers;
    default:
        return shop->size.orders;
    }
}

void load_rows_add(load_text *text, const load_shop *shop, enum load_table table, int64_t number)
{
    static void (*const add[LOAD_TABLES])(load_text *, const load_shop *, int64_t) = {
        add_category, add_product, add_customer, add_cart, add_order, add_lines};
    add[table](text, shop, number);
}
