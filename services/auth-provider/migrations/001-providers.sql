-- Authentication providers and the certificates that their answers may be signed with. Times are
-- UTC milliseconds; switches are 0 or 1.
-- Identifiers are UUIDs of version 7 in lower case, so ordering by them is ordering by age.

-- name_key: the name with its ASCII letters folded, for sorting.
-- created_at: rises in the order of commits and never repeats (services/common/page.h).
-- idp_attribute_names: msgpack, as it travels.
CREATE TABLE provider (
    id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    short_name TEXT NOT NULL,
    active SMALLINT NOT NULL,
    settings_url TEXT,
    idp_attribute_names BLOB,
    idp_cert_fingerprint TEXT NOT NULL,
    idp_cert_fingerprint_algorithm TEXT NOT NULL,
    idp_certificate TEXT,
    idp_entity_id TEXT NOT NULL,
    idp_slo_target_url TEXT,
    idp_sso_target_url TEXT NOT NULL,
    name_identifier_format TEXT NOT NULL,
    provision_groups SMALLINT,
    activated_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT provider_key PRIMARY KEY (id),
    CONSTRAINT provider_short_name UNIQUE (short_name),
    CONSTRAINT provider_active CHECK (active IN (0, 1)),
    CONSTRAINT provider_groups CHECK (provision_groups IN (0, 1)),
    CONSTRAINT provider_algorithm
        CHECK (idp_cert_fingerprint_algorithm IN ('sha1', 'sha256', 'sha384', 'sha512'))
);

-- One for each order of a list: within an organization, and for operators over all, where the
-- short name has one already.
CREATE INDEX provider_by_name ON provider (organization_id, name_key, id);
CREATE INDEX provider_by_short_name ON provider (organization_id, short_name, id);
CREATE INDEX provider_by_active ON provider (organization_id, active, id);
CREATE INDEX provider_by_created_at ON provider (organization_id, created_at, id);
CREATE INDEX provider_by_updated_at ON provider (organization_id, updated_at, id);
CREATE INDEX provider_all_by_name ON provider (name_key, id);
CREATE INDEX provider_all_by_active ON provider (active, id);
CREATE INDEX provider_all_by_created_at ON provider (created_at, id);
CREATE INDEX provider_all_by_updated_at ON provider (updated_at, id);

-- Certificates that we know of a provider: found in its metadata, or given in idp_certificate.
-- sha256: of der, "AB:CD:...". retired_at: from then on it signs nothing, whatever
-- idp_cert_fingerprint says.
CREATE TABLE certificate (
    id TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    source TEXT NOT NULL,
    der BLOB NOT NULL,
    sha256 TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    retired_at BIGINT,
    CONSTRAINT certificate_key PRIMARY KEY (id),
    CONSTRAINT certificate_once UNIQUE (provider_id, sha256),
    CONSTRAINT certificate_provider
        FOREIGN KEY (provider_id) REFERENCES provider (id) ON DELETE CASCADE,
    CONSTRAINT certificate_source CHECK (source IN ('metadata', 'given'))
);
