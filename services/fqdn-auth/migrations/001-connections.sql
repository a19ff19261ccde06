-- Connections, what authenticates them, and their FQDNs. Times are UTC milliseconds; switches are 0 or 1.
-- Times of creation never repeat within a table, and rise in the order of commits: lists are ordered by them.

-- connection_key: the name with its ASCII letters folded, for finding and ordering. auth_type: '' is none.
-- tags, inbound, outbound: packed values, proto/packed.h.
CREATE TABLE connection (
    id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    connection_name TEXT NOT NULL,
    connection_key TEXT NOT NULL,
    active SMALLINT NOT NULL,
    auth_type TEXT NOT NULL,
    transport_protocol TEXT NOT NULL,
    tags BLOB NOT NULL,
    inbound BLOB NOT NULL,
    outbound BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT connection_id PRIMARY KEY (id),
    CONSTRAINT connection_created_at UNIQUE (created_at),
    CONSTRAINT connection_active CHECK (active IN (0, 1)),
    CONSTRAINT connection_auth_type CHECK (auth_type IN ('', 'fqdn')),
    CONSTRAINT connection_transport CHECK (transport_protocol IN ('UDP', 'TCP', 'TLS'))
);

CREATE INDEX connection_by_age ON connection (organization_id, created_at);
CREATE INDEX connection_by_name ON connection (organization_id, connection_key, created_at);
CREATE INDEX connection_by_active ON connection (organization_id, active, created_at);
CREATE INDEX connection_by_type ON connection (organization_id, auth_type, created_at);
CREATE INDEX connection_all_by_name ON connection (connection_key, created_at);
CREATE INDEX connection_all_by_active ON connection (active, created_at);
CREATE INDEX connection_all_by_type ON connection (auth_type, created_at);

-- One row for each connection that has an authentication, whatever its type: what must be unique
-- is so among all of them. user_name_key: ASCII letters folded. generation: which password.
-- token_hash: keyed, for finding and uniqueness; token_sealed: the token itself, sealed.
CREATE TABLE authentication (
    connection_id TEXT NOT NULL,
    user_name TEXT,
    user_name_key TEXT,
    password_hash TEXT,
    generation BIGINT NOT NULL,
    digest_ready SMALLINT NOT NULL,
    ip_authentication_method TEXT NOT NULL,
    outbound_authentication TEXT NOT NULL,
    tech_prefix TEXT,
    token_hash BLOB,
    token_sealed BLOB,
    p_charge_info TEXT,
    webhook_url TEXT,
    failover_url TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT authentication_key PRIMARY KEY (connection_id),
    CONSTRAINT authentication_connection FOREIGN KEY (connection_id) REFERENCES connection (id) ON DELETE CASCADE,
    CONSTRAINT authentication_user_name UNIQUE (user_name_key),
    CONSTRAINT authentication_tech_prefix UNIQUE (tech_prefix),
    CONSTRAINT authentication_token UNIQUE (token_hash),
    CONSTRAINT authentication_ready CHECK (digest_ready IN (0, 1)),
    CONSTRAINT authentication_whole CHECK (
        (user_name IS NULL AND user_name_key IS NULL AND password_hash IS NULL AND digest_ready = 0)
        OR (user_name IS NOT NULL AND user_name_key IS NOT NULL AND password_hash IS NOT NULL)),
    CONSTRAINT authentication_token_whole CHECK (
        (token_hash IS NULL AND token_sealed IS NULL)
        OR (token_hash IS NOT NULL AND token_sealed IS NOT NULL)),
    CONSTRAINT authentication_ip_method CHECK (
        ip_authentication_method IN ('tech-prefix', 'token', 'p-charge-info')),
    CONSTRAINT authentication_outbound CHECK (
        outbound_authentication IN ('credential-authentication', 'ip-authentication'))
);

-- Sealed HA1 values of an authentication's password.
CREATE TABLE digest (
    connection_id TEXT NOT NULL,
    generation BIGINT NOT NULL,
    realm TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    sealed BLOB NOT NULL,
    CONSTRAINT digest_key PRIMARY KEY (connection_id, generation, realm, algorithm),
    CONSTRAINT digest_authentication FOREIGN KEY (connection_id)
        REFERENCES authentication (connection_id) ON DELETE CASCADE
);

-- organization_id: the connection's. port: 0 is none, so that uniqueness holds for srv records too.
CREATE TABLE fqdn (
    id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    fqdn TEXT NOT NULL,
    dns_record_type TEXT NOT NULL,
    port BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT fqdn_id PRIMARY KEY (id),
    CONSTRAINT fqdn_connection FOREIGN KEY (connection_id) REFERENCES connection (id) ON DELETE CASCADE,
    CONSTRAINT fqdn_once UNIQUE (connection_id, fqdn, dns_record_type, port),
    CONSTRAINT fqdn_created_at UNIQUE (created_at),
    CONSTRAINT fqdn_record CHECK (
        (dns_record_type = 'a' AND port BETWEEN 1 AND 65535) OR (dns_record_type = 'srv' AND port = 0))
);

CREATE INDEX fqdn_by_age ON fqdn (organization_id, created_at);
CREATE INDEX fqdn_of_connection ON fqdn (connection_id, created_at);
CREATE INDEX fqdn_by_name ON fqdn (organization_id, fqdn, created_at);
CREATE INDEX fqdn_all_by_name ON fqdn (fqdn, created_at);
