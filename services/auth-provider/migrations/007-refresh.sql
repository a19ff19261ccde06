-- Providers whose settings are from metadata are refreshed from now on: certificates that they have
-- of it tell.
UPDATE provider SET refresh_at = 0, refreshed_at = updated_at
WHERE settings_url IS NOT NULL AND EXISTS (
    SELECT 1 FROM certificate
    WHERE provider_id = provider.id AND source = 'metadata' AND retired_at IS NULL
);

-- For metrics and for answers: which certificates expire, of those that providers still use.
CREATE INDEX certificate_by_expiry ON certificate (not_after, provider_id)
    WHERE retired_at IS NULL AND missing_since IS NULL;
