using System.Text.Json;

namespace Sagas.Simulators.Records;

/// <summary>Answers with a list of any length.</summary>
internal static class JsonList
{
    // Enough for a few packets: a record of millions streams without ever being whole in memory.
    private const int StreamedBytes = 64 * 1024;

    public static async Task StreamAsync<T>(
        HttpResponse response,
        IEnumerable<T> items,
        Action<Utf8JsonWriter, T> write,
        CancellationToken cancellationToken
    )
    {
        response.ContentType = "application/json";
        await using var writer = new Utf8JsonWriter(response.BodyWriter);
        var sent = 0L;
        writer.WriteStartArray();
        foreach (var item in items)
        {
            write(writer, item);
            if (writer.BytesCommitted + writer.BytesPending - sent < StreamedBytes)
                continue;
            writer.Flush();
            sent = writer.BytesCommitted;
            await response.BodyWriter.FlushAsync(cancellationToken);
        }

        writer.WriteEndArray();
        await writer.FlushAsync(cancellationToken);
    }
}
