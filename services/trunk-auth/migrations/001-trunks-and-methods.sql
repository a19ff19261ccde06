-- Trunks and their authentication methods. Times are UTC milliseconds; switches are 0 or 1.
-- Identifiers are UUIDs of version 7 in lower case, so ordering by them is ordering by age.

CREATE TABLE trunk (
    uuid TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    name TEXT NOT NULL,
    domain TEXT,
    port BIGINT NOT NULL,
    transport TEXT NOT NULL,
    auth_policy TEXT NOT NULL,
    owner TEXT, -- "user" in the API, which is a reserved word in SQL
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT trunk_key PRIMARY KEY (uuid),
    CONSTRAINT trunk_port CHECK (port BETWEEN 1 AND 65535),
    CONSTRAINT trunk_transport CHECK (transport IN ('udp', 'tcp', 'tls')),
    CONSTRAINT trunk_auth_policy CHECK (auth_policy IN ('any', 'all'))
);

CREATE INDEX trunk_of_organization ON trunk (organization_id, uuid);

-- ip, username: what the client gave and is shown again, whatever the type.
-- range_first, prefix, range_last: the block that a method of type ip claims, in the 128-bit space
-- of common/ipnet.h. claimed_until: when that claim ends (expires_at, or the end of time).
-- username_key: the user name of a sipuser method with its ASCII letters folded.
CREATE TABLE method (
    uuid TEXT NOT NULL,
    trunk_uuid TEXT NOT NULL,
    type TEXT NOT NULL,
    ip TEXT,
    range_first BLOB,
    prefix SMALLINT,
    range_last BLOB,
    claimed_until BIGINT,
    username TEXT,
    username_key TEXT,
    label TEXT,
    enabled SMALLINT NOT NULL,
    expires_at BIGINT,
    password_hash TEXT,
    generation BIGINT NOT NULL,
    previous_hash TEXT,
    previous_until BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_used_at BIGINT,
    CONSTRAINT method_key PRIMARY KEY (uuid),
    CONSTRAINT method_trunk FOREIGN KEY (trunk_uuid) REFERENCES trunk (uuid) ON DELETE CASCADE,
    CONSTRAINT method_username UNIQUE (username_key),
    CONSTRAINT method_enabled CHECK (enabled IN (0, 1)),
    CONSTRAINT method_type CHECK (
        (type = 'ip' AND ip IS NOT NULL AND range_first IS NOT NULL AND prefix IS NOT NULL
            AND range_last IS NOT NULL AND claimed_until IS NOT NULL
            AND username_key IS NULL AND password_hash IS NULL)
        OR
        (type = 'sipuser' AND username IS NOT NULL AND username_key IS NOT NULL
            AND password_hash IS NOT NULL AND range_first IS NULL AND prefix IS NULL
            AND range_last IS NULL AND claimed_until IS NULL)),
    CONSTRAINT method_prefix CHECK (prefix BETWEEN 0 AND 128),
    CONSTRAINT method_previous CHECK (
        (previous_hash IS NULL AND previous_until IS NULL)
        OR (previous_hash IS NOT NULL AND previous_until IS NOT NULL))
);

CREATE INDEX method_of_trunk ON method (trunk_uuid, uuid);

-- Answers both questions of an overlap check without touching the table: services/trunk-auth/ranges.c.
CREATE INDEX method_range ON method (range_first, prefix, claimed_until, trunk_uuid)
    WHERE range_first IS NOT NULL;

-- Sealed HA1 values of a method's passwords. generation: which of its passwords; the method's own
-- generation is the current one, any other is the one before.
CREATE TABLE digest (
    method_uuid TEXT NOT NULL,
    generation BIGINT NOT NULL,
    realm TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    sealed BLOB NOT NULL,
    CONSTRAINT digest_key PRIMARY KEY (method_uuid, generation, realm, algorithm),
    CONSTRAINT digest_method FOREIGN KEY (method_uuid) REFERENCES method (uuid) ON DELETE CASCADE
);
