-- Quotes, backslashes and UTF-8 must survive: 'a' "b" \n é.
CREATE TABLE parent (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, note TEXT, bytes BLOB, number BIGINT NOT NULL DEFAULT 0, CONSTRAINT number_range CHECK (number < 1000));
CREATE UNIQUE INDEX parent_name ON parent (lower(name));
