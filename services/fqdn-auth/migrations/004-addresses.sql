-- What DNS said: the addresses that FQDNs lead to. They belong to the name, not to a connection: what an FQDN is allowed, and whether it
-- still is there, is asked of fqdn. Rows outlive failures of DNS and restarts; ADR 0027.
-- address: 16 bytes, IPv4 mapped. service: 0 the name itself, else which SRV record led to target.
CREATE TABLE address (
    fqdn TEXT NOT NULL,
    dns_record_type TEXT NOT NULL,
    service SMALLINT NOT NULL,
    target TEXT NOT NULL,
    address BLOB NOT NULL,
    CONSTRAINT address_key PRIMARY KEY (fqdn, dns_record_type, service, target, address)
);

CREATE INDEX address_leads_to ON address (address, fqdn, dns_record_type);

-- Who pays is not unique: the method p-charge-info.
CREATE INDEX authentication_by_charge ON authentication (p_charge_info);
