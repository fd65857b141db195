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
    image text NOT NULL
);

-- A department's page, in the order in which it is read; and "more like this".
CREATE INDEX products_by_category ON products (category_id, product_id);
CREATE INDEX products_by_style ON products (category_id, style, product_id);
