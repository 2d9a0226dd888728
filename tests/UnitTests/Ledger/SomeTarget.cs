using Sagas.Services.Ledger;

namespace Sagas.UnitTests.Ledger;

/// <summary>A target of which only the name is particular.</summary>
internal sealed class SomeTarget(LedgerMode mode = LedgerMode.IdempotencyKey) : LedgerTarget
{
    public override string Name => "some";

    public override LedgerMode Mode => mode;

    public override LedgerOptions Options { get; } = new();

    public override HttpRequestMessage CreateRequest(LedgerCall call) => new(HttpMethod.Post, "http://localhost/");

    public override LedgerVerdict ReadSuccess(LedgerCall call, LedgerAnswer answer) => answer.Body.Length > 0
        ? LedgerVerdict.Done("done", new { answer.Code }, "an event")
        : throw new InvalidOperationException("nothing to read");

    public override LedgerVerdict ReadRefusal(LedgerCall call, LedgerAnswer answer) => answer.Code == 402
        ? LedgerVerdict.Declined("declined", null, "a decline")
        : LedgerVerdict.Rejected("rejected", null, "a rejection");

    public override LedgerVerdict ReadLookup(LedgerCall call, LedgerAnswer answer) => answer.Code == 404
        ? LedgerVerdict.NothingHappened("not found")
        : ReadRefusal(call, answer);

    public static LedgerCall Call(LedgerMode mode = LedgerMode.IdempotencyKey, bool mayHaveHappened = false, int attempts = 1, TimeSpan age = default) =>
        new("key", mode, "{}", attempts, mayHaveHappened, age, null, null);
}
