CREATE TABLE written (
    writer BIGINT NOT NULL,
    number BIGINT NOT NULL,
    padding TEXT NOT NULL,
    PRIMARY KEY (writer, number)
);
INSERT INTO parent (id, name) VALUES ('from-003', 'é; ''quoted''');
