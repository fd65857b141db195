-- What the differential test reads and writes: a small bookshop with everything in it that makes one write change
-- answers which its SQL does not name. Made anew for every round; few rows, so that writes and reads meet.
DROP SCHEMA IF EXISTS differential CASCADE;
DROP SCHEMA IF EXISTS "Od.d,1/*" CASCADE;
CREATE SCHEMA differential;
CREATE SCHEMA "Od.d,1/*";
SET search_path = differential, "Od.d,1/*";

CREATE TYPE mood AS ENUM ('sad', 'calm', 'happy');
CREATE DOMAIN positive AS int8 CHECK (VALUE > 0);
CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE FUNCTION half(int8) RETURNS int8 LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 2';
CREATE FUNCTION clamp(int8, int8 DEFAULT 5) RETURNS int8 LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN RETURN CASE WHEN $1 > $2 THEN $2 ELSE $1 END; END';

-- Keys of every kind.
CREATE TABLE items (item_id int8 PRIMARY KEY, gone int, name text, price numeric(10, 2) DEFAULT 1.50, stock int4 DEFAULT 1,
    double_stock int4 GENERATED ALWAYS AS (stock * 2) STORED, tags text[], doc jsonb, at timestamptz);
ALTER TABLE items DROP COLUMN gone;
CREATE TABLE smalls (small_id int2 PRIMARY KEY, n int4);
CREATE TABLE people (person_id uuid PRIMARY KEY, email varchar(40) UNIQUE, active bool,
    boss uuid REFERENCES people ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE settings (name text PRIMARY KEY, value text);
CREATE TABLE codes (code char(4) PRIMARY KEY, label text);
CREATE TABLE labels (label text COLLATE nocase PRIMARY KEY, n int4);
CREATE TABLE amounts (amount positive PRIMARY KEY, n int4);
CREATE TABLE moods (mood mood PRIMARY KEY, n int4);
CREATE TABLE numbers (number numeric(10, 1) PRIMARY KEY, n int4);
CREATE TABLE flags (flag bool PRIMARY KEY, n int4);
CREATE TABLE days (day date PRIMARY KEY, n int4);
CREATE TABLE pairs (a int4, b text, n int4, PRIMARY KEY (a, b));
CREATE TABLE loose (a int4, b int4, c text);
CREATE TABLE counters (counter_id int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, label text);
CREATE SEQUENCE ticket_numbers;
CREATE TABLE tickets (ticket int8 PRIMARY KEY DEFAULT nextval('ticket_numbers'), holder text);
CREATE UNLOGGED TABLE visits (visit_id int4 PRIMARY KEY, page text);
CREATE TABLE "Ta,b/*" ("k=y" int4 PRIMARY KEY, "V" text);
CREATE TABLE "Od.d,1/*".items (item_id int8 PRIMARY KEY, name text);
CREATE TABLE "Od.d,1/*".elsewhere (id int4 PRIMARY KEY, n int4);

-- Constraints that are checked late, or against other rows.
CREATE TABLE bookings (booking_id int4 PRIMARY KEY, during int4range, EXCLUDE USING gist (during WITH &&));
CREATE TABLE seats (seat int4 PRIMARY KEY, holder text UNIQUE DEFERRABLE INITIALLY DEFERRED);

-- Foreign keys with every action, in chains.
CREATE TABLE publishers (publisher_id int4 PRIMARY KEY, name text);
CREATE TABLE books (book_id int4 PRIMARY KEY, title text,
    publisher_id int4 REFERENCES publishers ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE chapters (book_id int4 REFERENCES books ON DELETE CASCADE ON UPDATE CASCADE, chapter int4, pages int4,
    PRIMARY KEY (book_id, chapter));
CREATE TABLE notes (note_id int4 PRIMARY KEY, body text, book_id int4, chapter int4,
    FOREIGN KEY (book_id, chapter) REFERENCES chapters ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE loans (loan_id int4 PRIMARY KEY,
    book_id int4 DEFAULT 1 REFERENCES books ON DELETE SET DEFAULT ON UPDATE SET DEFAULT);
CREATE TABLE fines (fine_id int4 PRIMARY KEY, loan_id int4 REFERENCES loans ON DELETE CASCADE ON UPDATE SET NULL);
CREATE TABLE awards (award_id int4 PRIMARY KEY, book_id int4 REFERENCES books ON DELETE RESTRICT ON UPDATE RESTRICT);
CREATE TABLE reviews (review_id int4 PRIMARY KEY, stars int4,
    book_id int4 REFERENCES books DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE categories (category_id int4 PRIMARY KEY, name text,
    parent int4 REFERENCES categories ON DELETE CASCADE ON UPDATE CASCADE);

-- Its key and its foreign key come and go.
CREATE TABLE drafts (draft_id int4 CONSTRAINT drafts_key PRIMARY KEY, book_id int4);

-- Partitions: by range, by list within it, by hash, with defaults, with foreign keys to and from them.
CREATE TABLE events (event_id int4, day date, kind text, body text, PRIMARY KEY (event_id, day, kind))
    PARTITION BY RANGE (day);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (kind);
CREATE TABLE events_2024_sale PARTITION OF events_2024 FOR VALUES IN ('sale', 'return');
CREATE TABLE events_2024_rest PARTITION OF events_2024 DEFAULT;
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE event_notes (event_note_id int4 PRIMARY KEY, event_id int4, day date, kind text, body text,
    FOREIGN KEY (event_id, day, kind) REFERENCES events ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE copies (copy_id int4 PRIMARY KEY, place text, book_id int4 REFERENCES books ON DELETE CASCADE ON UPDATE SET NULL)
    PARTITION BY HASH (copy_id);
CREATE TABLE copies_0 PARTITION OF copies FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE copies_1 PARTITION OF copies FOR VALUES WITH (MODULUS 2, REMAINDER 1);

-- Inheritance: three generations, and a child of two parents.
CREATE TABLE animals (animal_id int4 PRIMARY KEY, name text);
CREATE TABLE pets (pet_id int4, owner text);
CREATE TABLE dogs (breed text, PRIMARY KEY (animal_id)) INHERITS (animals, pets);
CREATE TABLE puppies (weeks int4) INHERITS (dogs);

-- Triggers: what they write must be declared; what they do to their own row need not.
CREATE TABLE ledger (entry_id int4 PRIMARY KEY, amount int4, noted text);
CREATE TABLE ledger_sums (id int4 PRIMARY KEY, total int8);
CREATE TABLE ledger_log (entry_id int4, was int4);
CREATE FUNCTION ledger_note() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN NEW.noted := 'noted ' || NEW.amount; RETURN NEW; END$$;
CREATE FUNCTION ledger_add() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN
    INSERT INTO differential.ledger_log VALUES (coalesce(NEW.entry_id, OLD.entry_id), OLD.amount);
    UPDATE differential.ledger_sums SET total = (SELECT coalesce(sum(amount), 0) FROM differential.ledger) WHERE id = 1;
    RETURN NULL;
    END$$;
CREATE TRIGGER ledger_note BEFORE INSERT OR UPDATE ON ledger FOR EACH ROW EXECUTE FUNCTION ledger_note();
CREATE TRIGGER ledger_add AFTER INSERT OR UPDATE OR DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION ledger_add();

-- Views: plain, nested, joined, aggregated, of a union, of partitions, writable ones with and without a check.
CREATE VIEW cheap_items AS SELECT item_id, name, price FROM items WHERE price < 5;
CREATE VIEW checked_items AS SELECT item_id, name, price FROM items WHERE price < 5 WITH CHECK OPTION;
CREATE VIEW named_cheap_items AS SELECT item_id, upper(name) AS name FROM cheap_items WHERE name IS NOT NULL;
CREATE VIEW shelf AS SELECT p.name AS publisher, b.book_id, b.title, count(c.chapter) AS chapters FROM publishers p
    JOIN books b USING (publisher_id) LEFT JOIN chapters c USING (book_id) GROUP BY 1, 2, 3;
CREATE VIEW stock_sum AS SELECT count(*) AS items, sum(stock) AS stock FROM items;
CREATE VIEW all_names AS SELECT 'item' AS what, name FROM items UNION ALL SELECT 'animal', name FROM animals
    UNION ALL SELECT 'publisher', name FROM publishers;
CREATE VIEW sales AS SELECT event_id, day, kind, body FROM events WHERE kind = 'sale';
CREATE VIEW hidden_items WITH (security_barrier) AS SELECT item_id, name, stock FROM items WHERE stock > 1;
CREATE VIEW view_of_views AS SELECT s.title, i.items FROM shelf s CROSS JOIN stock_sum i;
CREATE RECURSIVE VIEW lines (category_id, top) AS SELECT category_id, category_id FROM categories WHERE parent IS NULL
    UNION ALL SELECT c.category_id, l.top FROM categories c JOIN lines l ON c.parent = l.category_id;
CREATE MATERIALIZED VIEW summary AS SELECT publisher_id, count(*) AS books FROM books GROUP BY 1;
CREATE UNIQUE INDEX summary_publisher ON summary (publisher_id);
CREATE MATERIALIZED VIEW summary_of_views AS SELECT what, count(*) AS names FROM all_names GROUP BY 1;
CREATE VIEW over_summary AS SELECT * FROM summary WHERE books > 0;

-- What many write at once: v only grows.
CREATE TABLE versions (id int4 PRIMARY KEY, v int8);
CREATE TABLE version_parts (id int4 PRIMARY KEY, v int8) PARTITION BY HASH (id);
CREATE TABLE version_parts_0 PARTITION OF version_parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE version_parts_1 PARTITION OF version_parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);

-- Row-level security: a session sees what its setting tells.
CREATE TABLE secrets (secret_id int4 PRIMARY KEY, tenant text DEFAULT current_setting('app.tenant', true), word text);
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY own_secrets ON secrets USING (tenant = current_setting('app.tenant', true));
CREATE POLICY shared_secrets ON secrets FOR SELECT USING (secret_id IN (SELECT small_id FROM smalls WHERE n = 5));
CREATE VIEW secret_words AS SELECT secret_id, upper(word) AS word FROM secrets;
CREATE VIEW invoked_secrets WITH (security_invoker) AS SELECT tenant, count(*) AS secrets FROM secrets GROUP BY 1;

-- Functions that read tables. What they read must be declared.
CREATE FUNCTION stock_of(int8) RETURNS int4 LANGUAGE sql STABLE AS
    'SELECT stock FROM differential.items WHERE item_id = $1';
CREATE FUNCTION restock(int8, int4) RETURNS int4 LANGUAGE sql VOLATILE AS
    'UPDATE differential.items SET stock = $2 WHERE item_id = $1 RETURNING stock';

INSERT INTO items (item_id, name, price, stock, tags, doc, at)
    SELECT n, 'item ' || n, n + 0.25, n % 4, ARRAY['t' || n % 3, 'u'], jsonb_build_object('n', n, 'odd', n % 2 = 1),
        '2024-03-01 12:00+00'::timestamptz + n * interval '1 day' FROM generate_series(1, 8) AS n;
INSERT INTO smalls SELECT n, n * 10 FROM generate_series(1, 6) AS n;
INSERT INTO people SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'p' || n || '@example.org', n % 2 = 0,
    CASE WHEN n > 1 THEN ('00000000-0000-4000-8000-00000000000' || n / 2)::uuid END FROM generate_series(1, 6) AS n;
INSERT INTO settings SELECT x, x || ' is set' FROM unnest(ARRAY['1', '01', 'a', 'A', 'a ', 'a,b=1/*', 'ä', '']) AS x;
INSERT INTO codes SELECT x, 'code ' || x FROM unnest(ARRAY['1', '01', 'a', 'A', 'ab']) AS x;
INSERT INTO labels SELECT x, length(x) FROM unnest(ARRAY['red', 'Green', 'BLUE']) AS x;
INSERT INTO amounts SELECT n, n * 2 FROM generate_series(1, 5) AS n;
INSERT INTO moods VALUES ('sad', 1), ('happy', 2);
INSERT INTO numbers SELECT n, n FROM generate_series(1, 5) AS n;
INSERT INTO flags VALUES (true, 1);
INSERT INTO days SELECT '2024-01-01'::date + n, n FROM generate_series(1, 5) AS n;
INSERT INTO pairs SELECT n, x, n FROM generate_series(1, 3) AS n, unnest(ARRAY['a', 'b', '1']) AS x;
INSERT INTO loose SELECT n, n % 3, 'c' || n % 2 FROM generate_series(1, 6) AS n;
INSERT INTO counters (label) SELECT 'counter ' || n FROM generate_series(1, 4) AS n;
INSERT INTO tickets (holder) SELECT 'holder ' || n FROM generate_series(1, 4) AS n;
INSERT INTO visits SELECT n, 'page ' || n FROM generate_series(1, 4) AS n;
INSERT INTO "Ta,b/*" SELECT n, 'v' || n FROM generate_series(1, 4) AS n;
INSERT INTO "Od.d,1/*".items SELECT n, 'odd item ' || n FROM generate_series(1, 4) AS n;
INSERT INTO "Od.d,1/*".elsewhere SELECT n, n FROM generate_series(1, 4) AS n;
INSERT INTO bookings SELECT n, int4range(n * 10, n * 10 + 5) FROM generate_series(1, 4) AS n;
INSERT INTO seats SELECT n, 'guest ' || n FROM generate_series(1, 5) AS n;
INSERT INTO publishers SELECT n, 'publisher ' || n FROM generate_series(1, 4) AS n;
INSERT INTO books SELECT n, 'book ' || n, (n - 1) / 2 + 1 FROM generate_series(1, 8) AS n;
INSERT INTO chapters SELECT b, c, b * c FROM generate_series(1, 6) AS b, generate_series(1, 2) AS c;
INSERT INTO notes SELECT n, 'note ' || n, n, 1 FROM generate_series(1, 6) AS n;
INSERT INTO loans SELECT n, n FROM generate_series(1, 6) AS n;
INSERT INTO fines SELECT n, n FROM generate_series(1, 6) AS n;
INSERT INTO awards VALUES (1, 7);
INSERT INTO reviews SELECT n, n % 5, n FROM generate_series(1, 2) AS n;
INSERT INTO categories SELECT n, 'category ' || n, nullif(n / 2, 0) FROM generate_series(1, 8) AS n;
INSERT INTO events SELECT n, ('202' || 3 + n % 3 || '-06-01')::date, CASE n % 2 WHEN 0 THEN 'sale' ELSE 'visit' END,
    'event ' || n FROM generate_series(1, 8) AS n;
INSERT INTO event_notes SELECT event_id, event_id, day, kind, 'note on ' || event_id FROM events WHERE event_id < 6;
SELECT set_config('app.tenant', 'a', false);
INSERT INTO secrets SELECT n, 'a', 'word ' || n FROM generate_series(1, 4) AS n;
SELECT set_config('app.tenant', 'b', false);
INSERT INTO secrets SELECT n, 'b', 'word ' || n FROM generate_series(5, 8) AS n;
INSERT INTO drafts SELECT n, n FROM generate_series(4, 6) AS n;
INSERT INTO copies SELECT n, 'place ' || n % 3, n FROM generate_series(1, 8) AS n;
INSERT INTO animals SELECT n, 'animal ' || n FROM generate_series(1, 4) AS n;
INSERT INTO pets SELECT n, 'owner ' || n FROM generate_series(1, 4) AS n;
INSERT INTO dogs SELECT n, 'dog ' || n, n, 'owner ' || n, 'breed ' || n % 2 FROM generate_series(3, 6) AS n;
INSERT INTO puppies SELECT n, 'puppy ' || n, n, 'owner ' || n, 'breed ' || n % 2, n FROM generate_series(5, 8) AS n;
INSERT INTO ledger_sums VALUES (1, 0), (2, 0);
INSERT INTO ledger SELECT n, n * 100 FROM generate_series(1, 4) AS n;
INSERT INTO versions SELECT n, 0 FROM generate_series(0, 7) AS n;
INSERT INTO version_parts SELECT n, 0 FROM generate_series(0, 7) AS n;
REFRESH MATERIALIZED VIEW summary;
REFRESH MATERIALIZED VIEW summary_of_views;
