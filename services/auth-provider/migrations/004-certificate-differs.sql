-- Whether idp_certificate has another fingerprint than idp_cert_fingerprint: answers warn of it, and
-- a long list must not hash every certificate.
ALTER TABLE provider ADD COLUMN idp_certificate_differs SMALLINT NOT NULL DEFAULT 0;
