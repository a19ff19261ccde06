-- How many rows a list has: services/common/page.h. owner: whose rows; '' counts everybody's.

CREATE TABLE page_total (
    list TEXT NOT NULL,
    owner TEXT NOT NULL,
    total BIGINT NOT NULL,
    CONSTRAINT page_total_key PRIMARY KEY (list, owner)
);
