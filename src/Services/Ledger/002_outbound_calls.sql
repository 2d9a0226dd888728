-- Calls to third parties.

CREATE TABLE ledger (
    target          text        NOT NULL,
    idempotency_key text        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('waiting', 'in_flight', 'done', 'failed', 'parked', 'superseded')),
    mode            text        NOT NULL CHECK (mode IN ('IdempotencyKey', 'Lookup', 'AtMostOnce')),
    request         jsonb       NOT NULL,
    attempts        integer     NOT NULL DEFAULT 0,
    due             timestamptz,
    claim           uuid,
    may_have_happened boolean   NOT NULL DEFAULT false,
    last_outcome    text,
    response        jsonb,
    conversation_id uuid,
    correlation_id  uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    started_at      timestamptz,
    finished_at     timestamptz,
    PRIMARY KEY (target, idempotency_key)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX ledger_due ON ledger (target, due) WHERE due IS NOT NULL;
COMMENT ON TABLE ledger IS 'One row per call to a third party: what makes the call have its effect once.';
COMMENT ON COLUMN ledger.target IS 'The third party.';
COMMENT ON COLUMN ledger.idempotency_key IS 'The call''s name at the target, the same however often it is sent.';
COMMENT ON COLUMN ledger.state IS 'waiting, in_flight, done, failed (refused for good), parked (for a person to decide) or superseded (a newer call says it all).';
COMMENT ON COLUMN ledger.mode IS 'How an unknown outcome is resolved: IdempotencyKey, Lookup or AtMostOnce.';
COMMENT ON COLUMN ledger.request IS 'What the target is asked to do.';
COMMENT ON COLUMN ledger.attempts IS 'How often the call was started.';
COMMENT ON COLUMN ledger.due IS 'When it is tried next, or, in flight, when it counts as abandoned; null: nothing more will be done.';
COMMENT ON COLUMN ledger.claim IS 'In flight: the claim that holds it, so that only its holder may say what came of it.';
COMMENT ON COLUMN ledger.may_have_happened IS 'An attempt''s outcome is unknown: resolved by mode before the call is made again.';
COMMENT ON COLUMN ledger.last_outcome IS 'What came of the last attempt.';
COMMENT ON COLUMN ledger.response IS 'What the target answered.';
COMMENT ON COLUMN ledger.conversation_id IS 'The conversation that asked for it.';
COMMENT ON COLUMN ledger.correlation_id IS 'The saga that asked for it.';
COMMENT ON COLUMN ledger.created_at IS 'When it was asked for.';
COMMENT ON COLUMN ledger.started_at IS 'When the last attempt started.';
COMMENT ON COLUMN ledger.finished_at IS 'When it was done, failed, parked or superseded.';

-- What a target may be sent by all processes together.

CREATE TABLE ledger_limit (
    target       text             PRIMARY KEY,
    per_second   double precision,
    learned      boolean          NOT NULL DEFAULT false,
    next_slot    timestamptz      NOT NULL DEFAULT now(),
    paused_until timestamptz,
    paused_by    text,
    disabled_at  timestamptz,
    disabled_by  text,
    refused      bigint           NOT NULL DEFAULT 0,
    epoch        bigint           NOT NULL DEFAULT 0,
    epoch_at     timestamptz      NOT NULL DEFAULT now(),
    epoch_rate   double precision,
    grows_at     timestamptz      NOT NULL DEFAULT now(),
    hold         double precision NOT NULL DEFAULT 2,
    kept_rate    double precision,
    excess_rate  double precision,
    granted      bigint           NOT NULL DEFAULT 0
) WITH (fillfactor = 20);
COMMENT ON TABLE ledger_limit IS 'One row per target whose calls are limited across all processes: rate, pause and whether it is disabled.';
COMMENT ON COLUMN ledger_limit.target IS 'The third party, as in ledger.target.';
COMMENT ON COLUMN ledger_limit.per_second IS 'Calls per second now; null: none is known, so there is no limit.';
COMMENT ON COLUMN ledger_limit.learned IS 'Whether the rate was learned from refusals; otherwise it is configured.';
COMMENT ON COLUMN ledger_limit.next_slot IS 'When the next call may start that no process has reserved yet.';
COMMENT ON COLUMN ledger_limit.paused_until IS 'No process calls before this: the target asked for it.';
COMMENT ON COLUMN ledger_limit.paused_by IS 'What the target said when it asked for the pause.';
COMMENT ON COLUMN ledger_limit.disabled_at IS 'Since when nothing is called until a person enables it; null: it is enabled.';
COMMENT ON COLUMN ledger_limit.disabled_by IS 'What the target said when it was disabled.';
COMMENT ON COLUMN ledger_limit.refused IS 'How many refusals were reported, one per process and pause at most.';
COMMENT ON COLUMN ledger_limit.epoch IS 'Counts corrections of a learned rate: a refusal of a call that started before the last one corrects nothing.';
COMMENT ON COLUMN ledger_limit.epoch_at IS 'When the last correction was made, moved on by the time in which nothing was due.';
COMMENT ON COLUMN ledger_limit.epoch_rate IS 'Calls per second as last corrected, from which the rate grows; null: never corrected.';
COMMENT ON COLUMN ledger_limit.grows_at IS 'When a learned rate begins to grow, moved on by the time in which it was not used up.';
COMMENT ON COLUMN ledger_limit.hold IS 'Seconds from the end of a pause until a learned rate grows: longer each time that a refusal confirms what was learned.';
COMMENT ON COLUMN ledger_limit.kept_rate IS 'Calls per second that the target took for all of the last hold; null: none is known.';
COMMENT ON COLUMN ledger_limit.excess_rate IS 'Calls per second that it refused to take; null: none is known.';
COMMENT ON COLUMN ledger_limit.granted IS 'Slots granted since epoch_at.';

CREATE TABLE ledger_limit_holder (
    target     text        NOT NULL,
    process_id uuid        NOT NULL,
    places     integer     NOT NULL,
    until      timestamptz NOT NULL,
    PRIMARY KEY (target, process_id)
);
COMMENT ON TABLE ledger_limit_holder IS 'Who holds how many of the calls that a target takes at once; empty where no such limit is configured.';
COMMENT ON COLUMN ledger_limit_holder.target IS 'The third party.';
COMMENT ON COLUMN ledger_limit_holder.process_id IS 'The process, for as long as it lives.';
COMMENT ON COLUMN ledger_limit_holder.places IS 'Calls that it may have in flight.';
COMMENT ON COLUMN ledger_limit_holder.until IS 'When the places are free again unless the process renews them: its calls have ended by then.';

CREATE FUNCTION share_places(p_target text, p_process uuid, p_at_once integer, p_running integer, p_lease interval, p_now timestamptz)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    others integer;
    held   integer;
    before integer;
    share  integer;
BEGIN
    DELETE FROM ledger_limit_holder WHERE target = p_target AND until < p_now;
    SELECT count(*), coalesce(sum(places), 0), count(*) FILTER (WHERE process_id < p_process) INTO others, held, before
    FROM ledger_limit_holder WHERE target = p_target AND process_id <> p_process;
    share := p_at_once / (others + 1) + CASE WHEN before < p_at_once % (others + 1) THEN 1 ELSE 0 END;
    -- Never what another process still holds; that one gives back what is beyond its share as its calls end.
    share := greatest(p_running, least(share, p_at_once - held));
    INSERT INTO ledger_limit_holder AS h (target, process_id, places, until) VALUES (p_target, p_process, share, p_now + p_lease)
    ON CONFLICT (target, process_id) DO UPDATE SET places = excluded.places, until = excluded.until;
    RETURN share;
END $$;
COMMENT ON FUNCTION share_places IS 'Divides the calls that a target takes at once among the processes that live; the row in ledger_limit must be locked.';

CREATE FUNCTION learned_rate(l ledger_limit, t timestamptz) RETURNS double precision LANGUAGE sql STABLE AS $$
    SELECT l.epoch_rate * least(exp(0.03 * least(greatest(extract(epoch FROM t - l.grows_at), 0), 30) ^ 2), 1000000 / l.epoch_rate)
$$;
COMMENT ON FUNCTION learned_rate IS 'Calls per second: the rate as last corrected, and, when it has held for a while, more, slowly at first and then ever faster: twice as many after 5 seconds, a thousand times after 15. Null: never corrected.';

CREATE FUNCTION free_slot(l ledger_limit, rate double precision) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT greatest(l.next_slot + make_interval(secs => coalesce(least(1 / rate - 1 / l.per_second, 0), 0)), l.paused_until)
$$;
COMMENT ON FUNCTION free_slot IS 'The next moment that no process has reserved: ledger_limit.next_slot, or sooner when the rate has risen since that was written.';

CREATE FUNCTION take_slots(
    p_target text, p_process uuid, p_want integer, p_rate double precision, p_at_once integer, p_running integer, p_lease interval,
    OUT slots integer, OUT start_in double precision, OUT spacing double precision, OUT ask_in double precision,
    OUT places integer, OUT epoch bigint, OUT paused_for double precision, OUT disabled boolean, OUT anything_due boolean)
LANGUAGE plpgsql AS $$
DECLARE
    -- Seconds: how much is granted at a time, how far ahead, and how much of a lost moment may be caught up with.
    piece   CONSTANT double precision := 0.2;
    horizon CONSTANT double precision := 0.25;
    late    CONSTANT double precision := 0.05;
    -- The longest until the next question: a learned rate grows meanwhile.
    soon    CONSTANT double precision := CASE WHEN p_rate IS NULL THEN 0.2 ELSE 1 END;
    wanted  integer;
    l       ledger_limit;
    t       timestamptz;
    rate    double precision;
    first   timestamptz;
    idle    interval;
BEGIN
    slots := 0; start_in := 0; spacing := 0; paused_for := 0;
    SELECT count(*) INTO wanted FROM (SELECT 1 FROM ledger WHERE target = p_target AND due <= now() LIMIT p_want) rows;
    anything_due := wanted > 0;
    SELECT * INTO l FROM ledger_limit WHERE target = p_target;
    IF NOT FOUND THEN
        INSERT INTO ledger_limit (target) VALUES (p_target) ON CONFLICT DO NOTHING;
        SELECT * INTO l FROM ledger_limit WHERE target = p_target;
    END IF;
    epoch := l.epoch;
    disabled := l.disabled_at IS NOT NULL;
    t := clock_timestamp();
    paused_for := greatest(extract(epoch FROM l.paused_until - t), 0);
    -- Most questions end here, without a lock: nothing to do, or not yet.
    IF disabled OR coalesce(paused_for, 0) > 0 OR (wanted = 0 AND (p_at_once IS NULL OR p_running = 0)) THEN
        ask_in := CASE WHEN disabled THEN 1 WHEN paused_for > 0 THEN least(paused_for, 1) ELSE 0 END;
        RETURN;
    END IF;
    rate := coalesce(p_rate, learned_rate(l, t));
    ask_in := extract(epoch FROM free_slot(l, rate) - t) - horizon;
    IF rate IS NOT NULL AND ask_in > 0 AND p_at_once IS NULL THEN
        ask_in := least(ask_in, soon);
        RETURN;
    END IF;

    -- Whom a crash of the server takes these slots from gets others: no reason to wait for its disk.
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT * INTO l FROM ledger_limit WHERE target = p_target FOR UPDATE;
    t := clock_timestamp();
    epoch := l.epoch;
    IF l.disabled_at IS NOT NULL OR l.paused_until > t THEN
        ask_in := 0;
        RETURN;
    END IF;
    IF p_at_once IS NOT NULL THEN
        places := share_places(p_target, p_process, p_at_once, p_running, p_lease, t);
        IF places = 0 OR wanted = 0 THEN
            ask_in := 0.1;
            RETURN;
        END IF;
    END IF;

    -- A rate that is not used up is not tried, and time in which nothing was due teaches nothing.
    rate := coalesce(p_rate, learned_rate(l, t));
    idle := greatest(t - free_slot(l, rate), interval '0');
    l.grows_at := l.grows_at + idle;
    IF idle > interval '0.5 s' THEN
        l.epoch_at := l.epoch_at + idle;
    END IF;
    rate := coalesce(p_rate, learned_rate(l, t));
    IF rate IS NULL THEN
        slots := wanted;
        l.next_slot := t;
        ask_in := 0;
    ELSE
        first := greatest(free_slot(l, rate), t - make_interval(secs => floor(rate * late) / rate));
        start_in := extract(epoch FROM first - t);
        IF start_in > horizon THEN
            ask_in := least(start_in - horizon, soon);
            RETURN;
        END IF;
        slots := least(wanted, greatest(1, ceil(rate * piece))::integer);
        spacing := 1 / rate;
        l.next_slot := first + make_interval(secs => slots / rate);
        ask_in := least(greatest(extract(epoch FROM l.next_slot - t) - horizon, 0), soon);
    END IF;
    UPDATE ledger_limit x SET per_second = rate, learned = p_rate IS NULL AND rate IS NOT NULL, next_slot = l.next_slot,
        epoch_at = l.epoch_at, grows_at = l.grows_at, granted = x.granted + slots
    WHERE x.target = p_target;
END $$;
COMMENT ON FUNCTION take_slots IS 'Reserves the next moments at which a process may call a target, as many as calls are due and within the rate of all processes; by this server''s clock. Seconds.';

CREATE FUNCTION refuse_slots(p_target text, p_epoch bigint, p_pause double precision, p_by text, p_learn boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    l        ledger_limit;
    t        timestamptz;
    until    timestamptz;
    measured double precision;
    rate     double precision;
    base     double precision;
BEGIN
    SELECT * INTO l FROM ledger_limit WHERE target = p_target FOR UPDATE;
    t := clock_timestamp();
    until := t + make_interval(secs => p_pause);
    IF coalesce(l.paused_until, t) <= until THEN
        l.paused_until := until;
        l.paused_by := p_by;
    END IF;
    l.next_slot := greatest(l.next_slot, l.paused_until);
    IF p_learn AND p_epoch = l.epoch THEN
        -- Refused now and refused when the epoch began: what was taken between the two, with the pause, is at most what the
        -- target allows, and just that if it saves up for bursts what is not used. One refusal is a small witness, so the
        -- rate never falls to less than a third at once.
        measured := greatest(l.granted - 1, 1) / greatest(extract(epoch FROM t - l.epoch_at), p_pause, 0.2);
        rate := coalesce(l.per_second, measured);
        IF rate > l.epoch_rate * 1.02 THEN
            -- Refused when it had grown: the limit is between what was kept and what is too much.
            l.kept_rate := l.epoch_rate;
            l.excess_rate := CASE WHEN rate < l.excess_rate * 2 THEN least(rate, l.excess_rate) ELSE rate END;
            base := greatest(measured * 0.99, l.kept_rate);
            IF l.excess_rate > base * 1.05 THEN
                base := base ^ 0.3 * l.excess_rate ^ 0.7;
            END IF;
        ELSE
            l.kept_rate := CASE WHEN l.kept_rate < rate * 0.97 THEN l.kept_rate END;
            l.excess_rate := rate;
            base := coalesce(greatest(measured * 0.99, l.kept_rate), sqrt(measured * rate));
        END IF;
        base := greatest(0.01, least(rate * 0.97, greatest(rate * 0.3, base)));
        -- About what was known: more is tried later each time, until one call in fifty, at most, is a trial. Refused though
        -- only one was sent, the target takes nothing now, which says nothing of its rate.
        l.hold := CASE WHEN l.granted > 1 AND base BETWEEN l.kept_rate / 1.5 AND l.kept_rate * 1.5
            THEN least(l.hold * 2, greatest(20, 60 / base)) ELSE 2 END;
        l.epoch_rate := base;
        l.epoch := l.epoch + 1;
        l.epoch_at := t;
        l.grows_at := l.paused_until + make_interval(secs => l.hold);
        l.granted := 0;
    END IF;
    UPDATE ledger_limit SET paused_until = l.paused_until, paused_by = l.paused_by, next_slot = l.next_slot, refused = refused + 1,
        epoch = l.epoch, epoch_at = l.epoch_at, epoch_rate = l.epoch_rate, grows_at = l.grows_at, hold = l.hold,
        kept_rate = l.kept_rate, excess_rate = l.excess_rate, granted = l.granted, per_second = CASE WHEN p_learn THEN l.epoch_rate ELSE per_second END
    WHERE target = p_target;
END $$;
COMMENT ON FUNCTION refuse_slots IS 'A target asked for a pause (seconds), which then holds for all processes; a refusal for its rate also corrects a learned rate.';
