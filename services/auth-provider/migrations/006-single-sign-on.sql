-- Logins: requests on their way, assertions that were used, sessions, and what came of it all.
-- Secrets are kept as BLAKE2b hashes.

-- session_epoch: sessions of another one have ended. refresh_at: when its metadata is to be fetched
-- next, if ever; refreshed_at: when that was done last; refresh_failed: why the last try came to
-- nothing.
ALTER TABLE provider ADD COLUMN allow_idp_initiated SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE provider ADD COLUMN allow_sha1_signatures SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE provider ADD COLUMN session_epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE provider ADD COLUMN refresh_at BIGINT;
ALTER TABLE provider ADD COLUMN refreshed_at BIGINT;
ALTER TABLE provider ADD COLUMN refresh_failed TEXT;
CREATE INDEX provider_by_refresh_at ON provider (refresh_at, id) WHERE refresh_at IS NOT NULL;

-- Another CHECK takes another table. missing_since: when its provider's metadata first had it no
-- more.
CREATE TABLE new_certificate (
    id TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    source TEXT NOT NULL,
    der BLOB NOT NULL,
    sha256 TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    retired_at BIGINT,
    missing_since BIGINT,
    CONSTRAINT certificate_key PRIMARY KEY (id),
    CONSTRAINT certificate_once UNIQUE (provider_id, sha256),
    CONSTRAINT certificate_provider
        FOREIGN KEY (provider_id) REFERENCES provider (id) ON DELETE CASCADE,
    CONSTRAINT certificate_source CHECK (source IN ('metadata', 'given', 'learned'))
);
INSERT INTO new_certificate (id, provider_id, source, der, sha256, not_before, not_after, retired_at)
SELECT id, provider_id, source, der, sha256, not_before, not_after, retired_at FROM certificate;
DROP TABLE certificate;
ALTER TABLE new_certificate RENAME TO certificate;
CREATE INDEX certificate_by_missing_since ON certificate (missing_since, id)
    WHERE missing_since IS NOT NULL;

-- number: counts up within a provider, so that the oldest are found. Not removed with the provider:
-- there can be many, they are good for nothing without it, and they expire in minutes. The same
-- holds for assertion_used.
CREATE TABLE authn_request (
    id TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    relay_state TEXT NOT NULL,
    browser BLOB NOT NULL,
    return_to TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    CONSTRAINT authn_request_key PRIMARY KEY (id),
    CONSTRAINT authn_request_number UNIQUE (provider_id, number),
    CONSTRAINT authn_request_kind CHECK (kind IN ('login', 'logout'))
);
CREATE INDEX authn_request_expiry ON authn_request (expires_at);

-- short_name: of the provider, which an assertion is for by its URLs: one that is made anew under it
-- takes no assertion that the one before has taken.
CREATE TABLE assertion_used (
    short_name TEXT NOT NULL,
    assertion_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT assertion_used_key PRIMARY KEY (short_name, assertion_id)
);
CREATE INDEX assertion_used_expiry ON assertion_used (expires_at);

-- attributes, groups: msgpack, as they travel.
CREATE TABLE sso_session (
    id TEXT NOT NULL,
    token BLOB NOT NULL,
    provider_id TEXT NOT NULL,
    session_epoch BIGINT NOT NULL,
    name_id TEXT NOT NULL,
    name_id_format TEXT,
    name_qualifier TEXT NOT NULL,
    sp_name_qualifier TEXT NOT NULL,
    session_index TEXT NOT NULL,
    attributes BLOB NOT NULL,
    groups BLOB NOT NULL,
    authenticated_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT sso_session_key PRIMARY KEY (id),
    CONSTRAINT sso_session_token UNIQUE (token),
    CONSTRAINT sso_session_provider
        FOREIGN KEY (provider_id) REFERENCES provider (id) ON DELETE CASCADE
);
CREATE INDEX sso_session_by_name ON sso_session (provider_id, name_id, session_index);
CREATE INDEX sso_session_by_epoch ON sso_session (provider_id, session_epoch, id);
CREATE INDEX sso_session_expiry ON sso_session (expires_at);

-- number: as in authn_request.
CREATE TABLE sso_event (
    id TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT,
    client TEXT,
    name_id TEXT,
    detail TEXT,
    CONSTRAINT sso_event_key PRIMARY KEY (id),
    CONSTRAINT sso_event_number UNIQUE (provider_id, number),
    CONSTRAINT sso_event_provider
        FOREIGN KEY (provider_id) REFERENCES provider (id) ON DELETE CASCADE
);
CREATE INDEX sso_event_by_reason ON sso_event (provider_id, reason, number);
