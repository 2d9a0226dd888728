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
          GET    /payments/records      every request received and its outcome, a JSON array
          GET    /payments/summary      requests, effects, replays, declines, rejected, faults,
                                        duplicateEffects (a key captured twice),
                                        duplicatePayments (a payment captured under two keys)
          DELETE /payments              forget payments and records
          GET    /payments/faults       the faults now
          PUT    /payments/faults       set all of them; what is left out has no fault
          POST   /payments/down?seconds=N   answer 503 for N seconds (0: up again)

        CRM
          POST   /crm/customers         {"customerId":"c-1","version":1,"firstName":"Ada",...}, Idempotency-Key optional
                                        201 stored; the same key again: 200 with Idempotent-Replayed: true; the key
                                        with other data: 422; declined: 422 (e-mails ending in @declined.example are)
          POST   /crm/customers/batch   {"customers":[{"idempotencyKey":KEY,"customerId":...},...]}
                                        200 {"results":[{"customerId":"c-1","version":1,"status":201,...},...]}
          GET    /crm/customers?customerId=ID   what is stored of a customer, or 404
          GET    /crm/stored            every customer as it is stored, a JSON array
          GET    /crm/records           every call received and its outcome, a JSON array
          GET    /crm/summary           calls, effects, replays, declined, rejected, faults, customers,
                                        duplicateEffects (a version stored twice),
                                        staleEffects (older data stored over newer)
          DELETE /crm                   forget customers and records
          /crm/faults, /crm/down        as the payment gateway's

        Object status
          GET    /object-status/objects/ID   {"id":1,"online":true} after 300 to 4,300 ms; odd numbers are offline
          GET    /object-status/answered     how often each object's status was answered
          GET    /object-status/acknowledged the ids that the callback acknowledged
          GET    /object-status/summary      requests, faults, objects, inFlight, mostInFlight, latencySeconds, posts,
                                             rejectedPosts
          DELETE /object-status              forget all this
          GET, PUT /object-status/faults, POST /object-status/down?seconds=N   as the gateway's
          The tester posts random ids to ObjectStatus:CallbackUrl, where that is set: 0 to ObjectStatus:MaxIds (200)
          of them, below ObjectStatus:IdsBelow (100), every ObjectStatus:PostInterval (00:00:05).

        Webhook receiver
          POST   /webhooks/alerts, /webhooks/alerts/NAME
                                        signed as Standard Webhooks says: {"userId":"125","alertMessage":"…"}
                                        200 taken, the same webhook-id again too; invalid signature: 401;
                                        beyond the limit per second of client and path: 429 with Retry-After
          GET    /webhooks/records      every delivery received and its outcome, a JSON array
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
          maxConcurrent     limit of concurrent requests (0: no limit); whenFull says what happens to more:
                            unavailable (503), tooManyRequests (429) or queue (they wait)
          downUntil         503 until this time

        Other settings
          Gateway:DeclineRate   share of new payments that are declined, 0 to 1
          Gateway:RecordFile    append the record to this file before each answer and read it at start
          Crm:DeclineRate       share of customers that are declined, 0 to 1
          Crm:ItemFailRate      share of the customers in a batch that get a 503 of their own, 0 to 1
          Crm:Authorization     what the header Authorization must be
          Crm:RecordFile        as the payment gateway's

          Webhooks:Secrets            whsec_…, separated by spaces: a signature by any of them is valid
          Webhooks:ToleranceSeconds   how old a signature may be (300)
          Webhooks:Behaviour:PerSecond, :Burst, :Answer, Webhooks:Faults:…   as above; 0.5 a second
          Webhooks:OutputFile         append user_id,alert_message of each user alerted
          Webhooks:RecordFile         as Gateway:RecordFile

        Health: GET /health/live, GET /health/ready
        """;
}
