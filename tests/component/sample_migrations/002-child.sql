CREATE TABLE child (
    id TEXT NOT NULL PRIMARY KEY,
    parent_id TEXT NOT NULL REFERENCES parent (id),
    place BIGINT NOT NULL,
    UNIQUE (parent_id, place)
);
