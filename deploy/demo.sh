#!/bin/sh
# A payment of an unknown customer, then the customer: what the system is for, in a minute.
# Runs in the image, as the service `demo` of docker-compose.yml.
set -eu

run=$(date +%H%M%S)
customer=demo-customer-$run
payment=demo-payment-$run
# Seconds; the services need a moment for a message.
patience=60

say() { printf '\n== %s\n' "$*"; }

state_is() { sagas payments show "$payment" --json 2>/dev/null | grep -q "\"state\": *\"$1\""; }

wait_for() {
    started=$(date +%s)
    until state_is "$1"; do
        if [ $(($(date +%s) - started)) -ge "$patience" ]; then
            echo "The payment is not $1 after $patience seconds:" >&2
            sagas payments show "$payment" >&2 || true
            exit 1
        fi
        sleep 0.2
    done
}

say "A payment of 12.34 EUR of $customer, who is not registered:"
sagas payments publish "$customer" --amount 12.34 --currency EUR --payment-id "$payment"
wait_for AwaitingCustomer

say 'It waits for its customer:'
sagas payments show "$payment"

say 'The customer registers:'
sagas customers publish "$customer" --name 'Ada Lovelace' --email ada@example.org
wait_for Completed

say 'The payment was released at once, and paid once:'
sagas payments show "$payment"
