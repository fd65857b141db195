/* rows.h - the rows of the shop, as COPY reads them. */
#ifndef LOAD_ROWS_H
#define LOAD_ROWS_H

#include "catalogue.h"
#include "marker.h"
#include "schema.h"
#include "text.h"

typedef struct load_shop {
    load_size size;
    load_catalogue catalogue; /* without goods: they are made up */
} load_shop;

/* load_categories is how many departments the shop has: the catalogue's, or those that are made up. */
int64_t load_categories(const load_catalogue *catalogue);

/* load_rows_count is how many numbers a table is made from: its rows, and for the order lines the orders. */
int64_t load_rows_count(const load_shop *shop, enum load_table table);

/* load_rows_add adds the rows of number `number`, counted from 1. */
void load_rows_add(load_text *text, const load_shop *shop, enum load_table table, int64_t number);

#endif
