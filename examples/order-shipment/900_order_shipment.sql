CREATE TABLE order_state (
    correlation_id   uuid        PRIMARY KEY,
    order_id         text        NOT NULL UNIQUE,
    customer_id      text        NOT NULL,
    address          text        NOT NULL,
    current_state    text        NOT NULL,
    tracking_number  text,
    rejection_reason text,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
COMMENT ON TABLE order_state IS 'One row per order: the order saga.';
COMMENT ON COLUMN order_state.correlation_id IS 'Version 5 UUID of the kind and the order''s id.';
COMMENT ON COLUMN order_state.order_id IS 'The order''s id, as the producers send it.';
COMMENT ON COLUMN order_state.customer_id IS 'The customer who placed it.';
COMMENT ON COLUMN order_state.address IS 'Where it is shipped to.';
COMMENT ON COLUMN order_state.current_state IS 'Shipping, Shipped or Rejected.';
COMMENT ON COLUMN order_state.tracking_number IS 'The carrier''s name for the shipment.';
COMMENT ON COLUMN order_state.rejection_reason IS 'Why the carrier rejected it.';
COMMENT ON COLUMN order_state.created_at IS 'When the row was made.';
COMMENT ON COLUMN order_state.updated_at IS 'When the row changed last.';
