-- What was answered to a write, so that the same write sent again is not applied again: replylog.h.
-- A service links this file into its migrations. A later change is a further file beside it.
CREATE TABLE reply_log (
    scope TEXT NOT NULL,           -- the API key's id for a client's key, '' for a gateway's
    idempotency_key TEXT NOT NULL,
    expires_at BIGINT NOT NULL,    -- UTC milliseconds
    key_id BIGINT NOT NULL,        -- which key the fingerprint was made with
    fingerprint BLOB NOT NULL,
    reply BLOB NOT NULL,           -- the envelope, as it was sent
    PRIMARY KEY (scope, idempotency_key)
);
CREATE INDEX reply_log_expiry ON reply_log (expires_at);
