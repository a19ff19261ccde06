-- Which password the previous one is: its digests are found without looking for them.
ALTER TABLE method ADD COLUMN previous_generation BIGINT;
UPDATE method SET previous_generation =
    (SELECT d.generation FROM digest d
     WHERE d.method_uuid = method.uuid AND d.generation <> method.generation LIMIT 1)
    WHERE previous_hash IS NOT NULL;
