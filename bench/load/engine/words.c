#include "words.h"

#define WORDS(name, ...)                                                                                               \
    static const char *const name##_list[] = {__VA_ARGS__};                                                            \
    const load_words name = {name##_list, sizeof name##_list / sizeof *name##_list}

/* A few departments have most of the products, as shops have it. */
const load_department load_departments[LOAD_DEPARTMENTS] = {
    {"kitchen", 118, 32, {"kettle", "pan", "knife", "bowl", "colander"}},
    {"clothing", 112, 58, {"jacket", "scarf", "shirt", "cardigan", "cap"}},
    {"furniture", 104, 410, {"table", "chair", "shelf", "bench", "cupboard"}},
    {"bags", 96, 74, {"rucksack", "satchel", "purse", "holdall", "wallet"}},
    {"shoes", 90, 92, {"boot", "sandal", "trainer", "clog", "slipper"}},
    {"groceries", 88, 7, {"tea", "honey", "biscuits", "mustard", "noodles"}},
    {"home", 82, 46, {"lamp", "cushion", "clock", "rug", "vase"}},
    {"garden", 70, 38, {"trowel", "planter", "lantern", "hose", "birdhouse"}},
    {"music", 58, 360, {"guitar", "flute", "drum", "stand", "microphone"}},
    {"electronics", 50, 185, {"speaker", "camera", "keyboard", "radio", "charger"}},
    {"jewellery", 36, 155, {"ring", "bracelet", "necklace", "brooch", "pendant"}},
    {"outdoors", 34, 86, {"tent", "stove", "rope", "paddle", "compass"}},
    {"tools", 26, 41, {"hammer", "spanner", "saw", "plane", "drill"}},
    {"care", 20, 17, {"soap", "comb", "candle", "brush", "balm"}},
    {"books", 13, 21, {"cookbook", "atlas", "novel", "diary", "guide"}},
    {"toys", 3, 24, {"puzzle", "kite", "blocks", "yoyo", "marbles"}},
};

WORDS(load_moods, "Morning", "Harbour", "Silver", "Northern", "Quiet", "Juniper", "Autumn", "Meadow", "Copper",
      "Island", "Lantern", "Sparrow", "Granite", "Hollow", "Ivory", "Midnight", "Orchard", "Pebble", "Raven", "Saffron",
      "Tidal", "Valley", "Willow", "Amber", "Birch", "Cobalt", "Drift", "Ember", "Fern", "Gale", "Heather", "Larch");
WORDS(load_materials, "Oak", "Linen", "Wool", "Walnut", "Leather", "Brass", "Cotton", "Enamel", "Canvas", "Glass",
      "Stoneware", "Steel", "Cork", "Felt", "Ash", "Bamboo");
WORDS(load_virtues, "easy to mend", "light in the hand", "made to last for decades", "at home in every room",
      "better with each year", "made in small numbers", "simple to clean", "warm to the touch", "quiet in use",
      "as good as it looks", "tested by people who use it daily", "smaller than it seems");
WORDS(load_uses, "long weekends", "early mornings", "small flats", "a gift that is kept", "rainy days",
      "the table of friends", "first homes", "people who travel light", "daily work", "the whole family",
      "evenings outdoors", "those who tried all others");
WORDS(load_first_names, "Ada", "Ben", "Clara", "Daniel", "Elif", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Katya",
      "Liam", "Mira", "Noah", "Olga", "Pedro", "Quinn", "Rosa", "Samir", "Tara", "Uma", "Victor", "Wanda", "Xenia",
      "Yusuf", "Zoe", "Amara", "Bruno", "Chen", "Dora", "Emil", "Freya", "Goran", "Hana", "Ivan", "Jade", "Kofi",
      "Lena", "Marek", "Nina", "Omar", "Priya", "Rafael", "Sofia", "Tomas", "Vera", "Wei", "Yara");
WORDS(load_last_names, "Abbott", "Bakker", "Castro", "Dahl", "Egger", "Fischer", "Garcia", "Hughes", "Ito", "Jansen",
      "Kovacs", "Larsen", "Meyer", "Novak", "Okafor", "Peters", "Quirke", "Rossi", "Silva", "Tanaka", "Urban", "Vance",
      "Weber", "Xu", "Young", "Zeman", "Andersen", "Brandt", "Costa", "Dubois", "Eriksen", "Fontaine", "Gruber",
      "Haddad", "Ivanova", "Jung", "Khan", "Lindgren", "Moreau", "Nielsen", "Ortega", "Popescu", "Reyes", "Schmidt",
      "Tran", "Usman", "Virtanen", "Wood");
WORDS(load_streets, "Mill Lane", "Station Road", "High Street", "Church Walk", "Park Avenue", "Bridge Street",
      "Garden Row", "Market Square", "Quay Street", "School Lane", "Station Square", "Linden Way", "River Road",
      "Castle Hill", "New Street", "Orchard Close");
WORDS(load_cities, "Lyon", "Leeds", "Porto", "Graz", "Ghent", "Turin", "Malmo", "Brno", "Cork", "Bilbao", "Basel",
      "Bremen", "Austin", "Halifax", "Perth", "Osaka");

const char *const load_countries[] = {
    "France",  "United Kingdom", "Portugal",    "Austria", "Belgium",       "Italy",  "Sweden",    "Czechia",
    "Ireland", "Spain",          "Switzerland", "Germany", "United States", "Canada", "Australia", "Japan"};
