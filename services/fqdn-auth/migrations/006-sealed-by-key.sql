-- Which key a value is sealed with stands in its first bytes: finds those of an older one.
CREATE INDEX digest_by_key ON digest (substr(sealed, 1, 4));
CREATE INDEX authentication_by_key ON authentication (substr(token_sealed, 1, 4));
