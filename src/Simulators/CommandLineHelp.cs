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

        Object status
          GET    /object-status/objects/ID   {"id":1,"online":true} after 300 to 4,300 ms; odd numbers are offline
          GET    /object-status/answered     how often each object's status was told
          GET    /object-status/acknowledged the ids that the callback told the tester are safe
          GET    /object-status/summary      requests, faults, objects, inFlight, mostInFlight, latencySeconds, posts,
                                             refusedPosts
          DELETE /object-status              forget all this
          GET, PUT /object-status/faults, POST /object-status/down?seconds=N   as the gateway's
          The tester posts random ids to ObjectStatus:CallbackUrl, where that is set: 0 to ObjectStatus:MostIds (200)
          of them, below ObjectStatus:IdsBelow (100), every ObjectStatus:PostInterval (00:00:05).

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

        Health: GET /health/live, GET /health/ready
        """;
}
