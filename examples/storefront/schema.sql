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

-- The token comes from the form: a second click on its button finds it taken. The visitor is the random number in the
-- cookie of the browser that ordered.
CREATE TABLE orders (
    number text PRIMARY KEY,
    token text NOT NULL UNIQUE,
    visitor text NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    address text NOT NULL,
    ordered_at timestamptz NOT NULL DEFAULT now()
);

-- The price is the one that was paid, whatever the product costs later.
CREATE TABLE order_lines (
    number text NOT NULL REFERENCES orders,
    product_id integer NOT NULL REFERENCES products,
    quantity integer NOT NULL CHECK (quantity > 0),
    price numeric(10,2) NOT NULL CHECK (price >= 0),
    PRIMARY KEY (number, product_id)
);

CREATE INDEX orders_by_visitor ON orders (visitor, ordered_at);
