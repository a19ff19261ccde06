-- Keys of fingerprints in reply_log that were derived from seal keys which have been replaced, or will be: replylog.h.
-- A service links this file into its migrations.
CREATE TABLE reply_key (
    key_id BIGINT NOT NULL,        -- reply_log.key_id
    expires_at BIGINT NOT NULL,    -- UTC milliseconds; no row of reply_log needs it then
    key_sealed BLOB NOT NULL,
    PRIMARY KEY (key_id)
);
