#include "deeds.h"

#include "rows.h"

#define ROW "id, version, payload"
#define RAISED "SET version = version + 1"

/* Every answer has rows of (number, version, payload), one or two side by side. */
const ask_form asks[ASKS] = {
    [BY_KEY] = {"key", "SELECT " ROW " FROM items WHERE id = $1", NULL, ITEMS, true, false, false},
    [BY_GROUP] = {"group", "SELECT " ROW " FROM items WHERE grp = $1", NULL, ITEMS / GROUP, true, false, false},
    [SUM] = {"sum", "SELECT sum(version) FROM items WHERE grp = $1", NULL, ITEMS / GROUP, true, true, false},
    [JOINED] = {"join",
                "SELECT i.id, i.version, i.payload, d.id, d.version, d.payload FROM items i"
                " JOIN details d ON d.item_id = i.id WHERE i.id = $1",
                NULL, ITEMS, true, false, false},
    [PAIR] = {"pair", "SELECT " ROW " FROM pairs WHERE pair = $1", NULL, PAIR_ROWS / 2, true, false, true},
    [PAIR_BY_KEYS] = {"pair_by_keys",
                      "SELECT a.id, a.version, a.payload, b.id, b.version, b.payload FROM pairs a, pairs b"
                      " WHERE a.id = $1 AND b.id = $2",
                      NULL, PAIR_ROWS / 2, true, false, true},
    [COMER] = {"comer", "SELECT " ROW " FROM comers WHERE id = $1", NULL, COMER_ROWS, true, false, false},
    [COMERS] = {"comers", "SELECT " ROW " FROM comers WHERE grp = $1", NULL, COMER_ROWS / GROUP, true, false, false},
    [DIARY] = {"diary", "SELECT " ROW " FROM diaries WHERE id = $1", NULL, DIARY_ROWS, true, false, false},
    [ARRIVAL] = {"arrival", "SELECT " ROW " FROM arrivals WHERE id = $1", NULL, ARRIVAL_ROWS, true, false, false},
    [UNCACHED] = {"uncached", "SELECT " ROW " FROM items WHERE id = $1", "uncached", ITEMS, false, false, false},
    [UNCACHED_PAIR] = {"uncached_pair", "SELECT " ROW " FROM pairs WHERE pair = $1", "uncached", PAIR_ROWS / 2, false,
                       false, true},
    [SHORT_LIVED] = {"short_lived", "SELECT " ROW " FROM items WHERE id = $1", "short", ITEMS, true, false, false},
};

const deed_form deeds[DEEDS] = {
    [RAISE] = {"key", ITEMS, 1, {"UPDATE items " RAISED " WHERE id = $1 RETURNING id, version"}, 60},
    [RAISE_GROUP] = {"group", ITEMS / GROUP, 1, {"UPDATE items " RAISED " WHERE grp = $1 RETURNING id, version"}, 2},
    [RAISE_DETAIL] = {"detail", ITEMS, 1, {"UPDATE details " RAISED " WHERE id = $1 RETURNING id, version"}, 6},
    [RAISE_BOTH] = {"item_and_detail",
                    ITEMS,
                    2,
                    {"UPDATE items " RAISED " WHERE id = $1 RETURNING id, version",
                     "UPDATE details " RAISED " WHERE id = $1 RETURNING id, version"},
                    6},
    [RAISE_PAIR] = {"pair",
                    PAIR_ROWS / 2,
                    2,
                    {"UPDATE pairs " RAISED " WHERE id = $1 RETURNING id, version",
                     "UPDATE pairs " RAISED " WHERE id = $1 RETURNING id, version"},
                    10},
    [TURN] = {"turn",
              COMER_ROWS,
              2,
              {"UPDATE turns " RAISED " WHERE id = $1 RETURNING id, version",
               "INSERT INTO comers (id, grp, version) VALUES ($1, $2, $3)"},
              16},
    [KEEP_DIARY] = {"diary", DIARY_ROWS, 1, {"UPDATE diaries " RAISED " WHERE id = $1 RETURNING id, version"}, 10},
    [ARRIVE] = {"arrive", 1, 1, {"INSERT INTO arrivals (version) VALUES ($1) RETURNING id, version"}, 10},
};

const char deed_leaves[] = "DELETE FROM comers WHERE id = $1";

static size_t range(size_t first, size_t count, size_t *rows)
{
    for (size_t i = 0; i < count; i++)
        rows[i] = first + i;
    return count;
}

static size_t with_detail(size_t item, size_t *rows)
{
    rows[0] = item;
    rows[1] = FIRST_DETAIL + item;
    return 2;
}

size_t ask_rows(enum ask ask, size_t n, size_t *rows)
{
    switch (ask) {
    case BY_GROUP:
    case SUM:
        return range(n * GROUP, GROUP, rows);
    case JOINED:
        return with_detail(n, rows);
    case PAIR:
    case PAIR_BY_KEYS:
    case UNCACHED_PAIR:
        return range(FIRST_PAIR + 2 * n, 2, rows);
    case COMER:
        return range(FIRST_COMER + n, 1, rows);
    case COMERS:
        return range(FIRST_COMER + n * GROUP, GROUP, rows);
    case DIARY:
        return range(FIRST_DIARY + n, 1, rows);
    case ARRIVAL:
        return range(FIRST_ARRIVAL + n, 1, rows);
    default:
        return range(n, 1, rows);
    }
}

enum ask ask_about(size_t row, size_t *n_out)
{
    static const struct {
        size_t first, rows_each;
        enum ask ask;
    } kinds[] = {{FIRST_ARRIVAL, 1, ARRIVAL}, {FIRST_COMER, 1, COMER},   {FIRST_DIARY, 1, DIARY},
                 {FIRST_PAIR, 2, PAIR},       {FIRST_DETAIL, 1, JOINED}, {0, 1, BY_KEY}};
    size_t kind = 0;
    while (row < kinds[kind].first)
        kind++;
    *n_out = (row - kinds[kind].first) / kinds[kind].rows_each;
    return kinds[kind].ask;
}

size_t deed_rows(enum deed deed, size_t n, size_t *rows)
{
    switch (deed) {
    case RAISE_GROUP:
        return range(n * GROUP, GROUP, rows);
    case RAISE_DETAIL:
        return range(FIRST_DETAIL + n, 1, rows);
    case RAISE_BOTH:
        return with_detail(n, rows);
    case RAISE_PAIR:
        return range(FIRST_PAIR + 2 * n, 2, rows);
    case TURN:
        return range(FIRST_COMER + n, 1, rows);
    case KEEP_DIARY:
        return range(FIRST_DIARY + n, 1, rows);
    case ARRIVE:
        return 0; /* only its answer tells */
    default:
        return range(n, 1, rows);
    }
}

size_t ask_params(enum ask ask, size_t n, int64_t params[PARAMS_MAX])
{
    size_t rows[SIGHTINGS_MAX];
    size_t count = ask_rows(ask, n, rows);
    bool by_key = ask == COMER || ask == PAIR_BY_KEYS || ask == DIARY || ask == ARRIVAL;
    params[0] = by_key ? (int64_t)rows[0] : (int64_t)n;
    params[1] = (int64_t)rows[count - 1];
    return ask == PAIR_BY_KEYS ? 2 : 1;
}

size_t deed_params(enum deed deed, size_t step, size_t n, int64_t version, int64_t params[PARAMS_MAX])
{
    if (deed == ARRIVE) {
        params[0] = 1; /* its version, for ever */
        return 1;
    }
    size_t rows[SIGHTINGS_MAX];
    size_t count = deed_rows(deed, n, rows);
    bool inserts = deed == TURN && step == 1 && version % 2;
    params[0] = deed == RAISE_GROUP ? (int64_t)n : (int64_t)rows[step < count ? step : 0];
    params[1] = (int64_t)n / GROUP;
    params[2] = version;
    return inserts ? 3 : 1;
}
