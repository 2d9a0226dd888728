using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Sagas.Simulators.Faults;

/// <summary>How much of an answer reaches the caller.</summary>
internal enum Ending : byte
{
    Whole,

    /// <summary>Headers and half of the body, then the connection is cut.</summary>
    Half,

    /// <summary>The connection is cut immediately.</summary>
    Nothing,
}

/// <summary>What a simulator answers, made before it is sent so that it can be recorded first.</summary>
internal sealed record Answer(int Status, string ContentType, ReadOnlyMemory<byte> Body)
{
    // A reset overtakes what was sent before it: without a pause the caller would see no half.
    private static readonly TimeSpan _travelTime = TimeSpan.FromMilliseconds(20);

    public bool IsReplay { get; init; }

    public int? RetryAfterSeconds { get; init; }

    public Ending Ending { get; init; }

    public static Answer Json(int status, ReadOnlyMemory<byte> body) => new(status, "application/json", body);

    public static Answer Problem(int status, string title, string detail)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("type", "about:blank");
            writer.WriteString("title", title);
            writer.WriteNumber("status", status);
            writer.WriteString("detail", detail);
            writer.WriteEndObject();
        }

        return new Answer(status, "application/problem+json", buffer.WrittenMemory);
    }

    public async Task SendAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (Ending == Ending.Nothing)
        {
            context.Abort();
            return;
        }

        var response = context.Response;
        response.StatusCode = Status;
        response.ContentType = ContentType;
        response.ContentLength = Body.Length;
        if (IsReplay)
            response.Headers["Idempotent-Replayed"] = "true";
        if (RetryAfterSeconds is { } seconds)
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);

        if (Ending == Ending.Whole)
        {
            await response.BodyWriter.WriteAsync(Body, cancellationToken);
            return;
        }

        await response.BodyWriter.WriteAsync(Body[..(Body.Length / 2)], cancellationToken);
        await response.BodyWriter.FlushAsync(cancellationToken);
        await Task.Delay(_travelTime, TimeProvider.System, cancellationToken);
        context.Abort();
    }
}
