-- Organizations and their API keys. Times are UTC milliseconds.
CREATE TABLE organizations (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT organizations_name UNIQUE (name)
);

-- hash: keyed BLAKE2b-256 of the key's text; the key itself is nowhere.
CREATE TABLE api_keys (
    id              TEXT     NOT NULL PRIMARY KEY,
    organization_id TEXT     NOT NULL REFERENCES organizations (id),
    label           TEXT     NOT NULL,
    hash            BLOB     NOT NULL,
    scope           TEXT     NOT NULL CHECK (scope IN ('admin', 'read', 'sip')),
    is_operator     SMALLINT NOT NULL CHECK (is_operator IN (0, 1)),
    rate_limit      BIGINT   NOT NULL CHECK (rate_limit >= 0),
    created_at      BIGINT   NOT NULL,
    expires_at      BIGINT,
    revoked_at      BIGINT,
    CONSTRAINT api_keys_hash UNIQUE (hash)
);

CREATE INDEX api_keys_organization ON api_keys (organization_id);
