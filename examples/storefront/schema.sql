-- The shop's tables. Prices are numeric: exact in the database, and text on their way to the page.
CREATE TABLE categories (
    category_id integer PRIMARY KEY,
    name text NOT NULL UNIQUE
);

CREATE TABLE products (
    product_id integer PRIMARY KEY,
    category_id integer NOT NULL REFERENCES categories,
    style text NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    price numeric(10,2) NOT NULL CHECK (price >= 0),
    stock integer NOT NULL CHECK (stock >= 0),
    image text NOT NULL,
    -- What a visitor may look for, the name weighing most. The configuration is named: the words of a column that is
    -- stored must not depend on who stores it.
    search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', name), 'A') || setweight(to_tsvector('english', style), 'B') ||
        setweight(to_tsvector('english', description), 'C')) STORED
);

-- A department's page, in the order in which it is read; and "more like this".
CREATE INDEX products_by_category ON products (category_id, product_id);
CREATE INDEX products_by_style ON products (category_id, style, product_id);
CREATE INDEX products_by_search ON products USING gin (search);
