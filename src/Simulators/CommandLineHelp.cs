namespace Sagas.Simulators;

internal static class CommandLineHelp
{
    public const string Text = """
        Simulated third parties, with faults on demand.

        Usage: dotnet run --project src/Simulators [-- --Key=value ...]
               dotnet Sagas.Simulators.dll --health [URL]   exit code 0 when URL answers 2xx
                                                            (default: /health/ready of this machine's simulators)

        Listens on http://localhost:5081, or where ASPNETCORE_URLS or ASPNETCORE_HTTP_PORTS says.

        Payment gateway
          POST   /payments              Idempotency-Key: KEY
                                        {"paymentId":"p-1","customerId":"c-1","amount":12.34,"currency":"EUR"}
                                        201 captured; the same again: 200 with Idempotent-Replayed: true;
                                        the key with another payment: 422; declined: 402 (amounts ending in .13 are)
          GET    /payments/records      every request received and what became of it, a JSON array
          GET    /payments/summary      requests, effects, replays, declines, rejected, faults,
                                        duplicateEffects (a key captured twice),
                                        duplicatePayments (a payment captured under two keys)
          DELETE /payments              forget payments and records
          GET    /payments/faults       the faults now
          PUT    /payments/faults       set all of them; what is left out has no fault
          POST   /payments/down?seconds=N   answer 503 for N seconds (0: up again)

        Webhook receiver
          POST   /webhooks/alerts, /webhooks/alerts/NAME
                                        signed as Standard Webhooks says: {"userId":"125","alertMessage":"…"}
                                        200 taken, the same webhook-id again too; no good signature: 401;
                                        beyond the limit per second of client and path: 429 with Retry-After
          GET    /webhooks/records      every delivery received and what became of it, a JSON array
          GET    /webhooks/summary      requests, alerted, repeated (known by their webhook-id), limited, unsigned,
                                        invalid, faults, firstAt, lastAt
          DELETE /webhooks              forget deliveries and records
          GET, PUT /webhooks/behaviour  {"perSecond":0.5,"burst":0,"answer":0}: the limit, how many at one moment
                                        (0: a second's worth), and a status to answer everything with (410: gone)
          GET, PUT /webhooks/faults and POST /webhooks/down?seconds=N, as above

        Faults, as JSON for PUT or as settings (Gateway:Faults:FailBefore=0.1, Gateway:Faults:Latency:MaxMs=50).
        Rates are shares of all requests and add up to at most 1.
          failBefore        500 or 503, nothing done
          tooManyRequests   429 with Retry-After of retryAfterSeconds, nothing done
          failAfter         done, then 500 or 503
          lostAfter         done, then the connection is cut without an answer
          garbage           done, then 200 or 201 with a body that is not JSON
          halfResponse      done, then headers and half of the body, and the connection is cut
          latency           {"minMs":5,"maxMs":50}, uniform; half before the effect, half after it
          slowRate, slowMs  this share of requests takes slowMs longer
          maxConcurrent     more requests at once get 503 (0: no limit)
          downUntil         503 until this time

        Other settings
          Gateway:DeclineRate   share of new payments that are declined, 0 to 1
          Gateway:RecordFile    append the record to this file before each answer and read it at start

          Webhooks:Secrets            whsec_…, separated by spaces: a signature by any is good
          Webhooks:ToleranceSeconds   how old a signature may be (300)
          Webhooks:Behaviour:PerSecond, :Burst, :Answer, Webhooks:Faults:…   as above; 0.5 a second
          Webhooks:OutputFile         append user_id,alert_message of each user alerted
          Webhooks:RecordFile         as Gateway:RecordFile

        Health: GET /health/live, GET /health/ready
        """;
}
