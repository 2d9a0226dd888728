-- The newest payments first, as `sagas list payments` shows them: without an index it reads and sorts all there are. Payments are made in the
-- order of this time, so that an entry costs next to nothing, and the time never changes.
CREATE INDEX payment_state_created ON payment_state (created_at);
