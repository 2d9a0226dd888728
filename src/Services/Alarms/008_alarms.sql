-- Times are numbers, because timestamptz ends at microseconds: seconds since 1970, whose scale is the number of decimals
-- that the producer sent. instant_text writes them for people.
CREATE FUNCTION instant_text(instant numeric) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT to_char(timestamp 'epoch' + floor(instant) * interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS')
        || substr((instant - floor(instant))::text, 2) || 'Z'
$$;
COMMENT ON FUNCTION instant_text IS 'A time that is kept as seconds since 1970, as ISO 8601 with all its decimals.';

-- Compared byte by byte, so that the order of ids is the same on every server, and faster.
CREATE TABLE alarm (
    user_id         text        COLLATE "C" NOT NULL,
    alarm_id        text        COLLATE "C" NOT NULL,
    status          text        NOT NULL,
    changed_at      numeric     NOT NULL,
    told_changed_at numeric,
    received_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, alarm_id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
-- What is to be told: a digest costs as much as it has to say, however many alarms there are.
CREATE INDEX alarm_to_tell ON alarm (user_id, alarm_id) WHERE status <> 'CLEARED' AND told_changed_at IS DISTINCT FROM changed_at;
CREATE INDEX alarm_cleared ON alarm (received_at) WHERE status = 'CLEARED';
COMMENT ON TABLE alarm IS 'One row per alarm of a user, as of its newest change.';
COMMENT ON COLUMN alarm.user_id IS 'Whose alarm it is.';
COMMENT ON COLUMN alarm.alarm_id IS 'The alarm; the same id of two users is two alarms.';
COMMENT ON COLUMN alarm.status IS 'CLEARED, WARNING or CRITICAL; active unless CLEARED.';
COMMENT ON COLUMN alarm.changed_at IS 'When it changed, as the producer says: seconds since 1970, exact (see instant_text). Only a newer change replaces it.';
COMMENT ON COLUMN alarm.told_changed_at IS 'changed_at of the change that was told last; null: none was. Told again only when changed_at is newer.';
COMMENT ON COLUMN alarm.received_at IS 'When the newest change was received; a cleared alarm is kept for Alarms:ClearedRetention from then on.';

CREATE TABLE alarm_digest (
    digest_id  bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    text        COLLATE "C" NOT NULL,
    alarms     jsonb       NOT NULL,
    message_id uuid        NOT NULL,
    request_id uuid,
    sent_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX alarm_digest_user ON alarm_digest (user_id, digest_id);
CREATE INDEX alarm_digest_sent ON alarm_digest USING brin (sent_at) WITH (pages_per_range = 16);
COMMENT ON TABLE alarm_digest IS 'One row per AlarmDigest: what was sent and when. Kept for Alarms:DigestRetention.';
COMMENT ON COLUMN alarm_digest.digest_id IS 'Order of the digests.';
COMMENT ON COLUMN alarm_digest.user_id IS 'To whom.';
COMMENT ON COLUMN alarm_digest.alarms IS 'The alarms told: AlarmID, Status and LatestChangedAt of each, in the order of the digest.';
COMMENT ON COLUMN alarm_digest.message_id IS 'MessageId of the AlarmDigest.';
COMMENT ON COLUMN alarm_digest.request_id IS 'MessageId of the SendAlarmDigest that asked for it.';
COMMENT ON COLUMN alarm_digest.sent_at IS 'When it was handed to the outbox, in the transaction that marked its alarms as told.';

CREATE TABLE alarm_digest_schedule (
    only_row    boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    last_run_at timestamptz NOT NULL
);
COMMENT ON TABLE alarm_digest_schedule IS 'One row: the scheduled digests of all users (Alarms:DigestInterval), which one process at a time asks for.';
COMMENT ON COLUMN alarm_digest_schedule.only_row IS 'Always true.';
COMMENT ON COLUMN alarm_digest_schedule.last_run_at IS 'When digests were last asked for; before the first time: when the schedule was first seen.';

-- Digests of one user leave in their order: the next one waits for the row of the one before to be gone.
CREATE INDEX outbox_message_digest ON outbox_message (correlation_id) WHERE message_type = 'urn:message:Sagas.Contracts:AlarmDigest';

CREATE VIEW alarms_overview AS
SELECT user_id, alarm_id, status, instant_text(changed_at) AS changed_at, instant_text(told_changed_at) AS told_changed_at,
       status <> 'CLEARED' AND told_changed_at IS DISTINCT FROM changed_at AS to_tell, received_at
FROM alarm;
COMMENT ON VIEW alarms_overview IS 'Every alarm with readable times; to_tell: the user''s next digest has it.';
