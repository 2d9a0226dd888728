-- A customer's correlation id is made from the customer's id, so that its index says all that a second one would, at three times the
-- cost: it is filled in its own order, and customers never come in the order of their ids.
ALTER TABLE customer_state DROP CONSTRAINT customer_state_customer_id_key;

-- The first transition of a customer that came in a file can be told from the customer. A row for each would double what a file costs.
ALTER TABLE customer_state ADD COLUMN file_id uuid;
COMMENT ON COLUMN customer_state.file_id IS 'The file that the customer came in (file.file_id); null: a message brought it.';

-- SHA-1 (RFC 3174) is written out, since Postgres has it only in extensions, which not every owner of a database may create.
CREATE FUNCTION saga_key(kind text, id text) RETURNS uuid LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    name   constant bytea := '\x847a25acad465070a30fc61a885cbbb8'::bytea || convert_to(kind || ':' || id, 'UTF8');
    input  constant bytea := name || '\x80'::bytea || decode(repeat('00', (119 - length(name) % 64) % 64), 'hex')
                                  || int8send(length(name) * 8::bigint);
    low    constant bigint := x'ffffffff'::bigint;
    hash   bigint[] := ARRAY[x'67452301', x'efcdab89', x'98badcfe', x'10325476', x'c3d2e1f0']::bigint[];
    part   bigint[];
    word   bigint[];
    mixed  bigint;
    digest text := '';
BEGIN
    FOR block IN 0 .. length(input) / 64 - 1 LOOP
        part := hash;
        FOR i IN 0 .. 79 LOOP
            IF i < 16 THEN
                word[i] := ('x' || encode(substr(input, block * 64 + i * 4 + 1, 4), 'hex'))::bit(32)::bigint;
            ELSE
                mixed := word[i - 3] # word[i - 8] # word[i - 14] # word[i - 16];
                word[i] := ((mixed << 1) | (mixed >> 31)) & low;
            END IF;
            mixed := ((part[1] << 5) | (part[1] >> 27)) + part[5] + word[i] + CASE
                WHEN i < 20 THEN x'5a827999'::bigint + ((part[2] & part[3]) | (~part[2] & low & part[4]))
                WHEN i < 40 THEN x'6ed9eba1'::bigint + (part[2] # part[3] # part[4])
                WHEN i < 60 THEN x'8f1bbcdc'::bigint + ((part[2] & part[3]) | (part[2] & part[4]) | (part[3] & part[4]))
                ELSE x'ca62c1d6'::bigint + (part[2] # part[3] # part[4]) END;
            part := ARRAY[mixed & low, part[1], ((part[2] << 30) | (part[2] >> 2)) & low, part[3], part[4]];
        END LOOP;
        FOR i IN 1 .. 5 LOOP
            hash[i] := (hash[i] + part[i]) & low;
        END LOOP;
    END LOOP;
    FOR i IN 1 .. 4 LOOP
        digest := digest || lpad(to_hex(hash[i]), 8, '0');
    END LOOP;
    -- Version 5 and the variant (RFC 9562, section 5.5).
    RETURN overlay(overlay(digest PLACING '5' FROM 13 FOR 1)
                   PLACING to_hex(('x' || substr(digest, 17, 1))::bit(4)::int & 3 | 8) FROM 17 FOR 1)::uuid;
END $$;
COMMENT ON FUNCTION saga_key IS 'The correlation id of a saga: saga_key(''customer'', customer_id), saga_key(''payment'', payment_id).';

CREATE OR REPLACE VIEW customers_overview AS
SELECT c.customer_id, c.current_state AS state, c.first_name, c.last_name, c.email, c.phone, c.version, c.synced_version, c.sync_failure,
       l.state AS crm_call, l.attempts AS crm_attempts, l.last_outcome AS crm_outcome, c.registered_at, c.updated_at,
       p.payments, p.completed, p.open, c.correlation_id
FROM customer_state c
LEFT JOIN outbound_call l ON l.target = 'crm' AND l.idempotency_key = c.correlation_id::text || '/' || c.version
CROSS JOIN LATERAL (
    SELECT count(*) AS payments, count(*) FILTER (WHERE current_state = 'Completed') AS completed,
           count(*) FILTER (WHERE current_state IN ('AwaitingCustomer', 'Processing')) AS open
    FROM payment_state WHERE customer_id = c.customer_id) p;

CREATE VIEW saga_history AS
SELECT id, saga, correlation_id, from_state, to_state, event, message_id, conversation_id, occurred_at FROM saga_transition
UNION ALL
SELECT 0, 'customer_state', correlation_id, NULL,
       coalesce((SELECT from_state FROM saga_transition t WHERE t.correlation_id = c.correlation_id ORDER BY id LIMIT 1),
                current_state),
       'CustomerRegistered', NULL, file_id, created_at
FROM customer_state c WHERE file_id IS NOT NULL;
COMMENT ON VIEW saga_history IS 'The transitions of all sagas, with the first one of customers that came in a file. In the order of id.';
