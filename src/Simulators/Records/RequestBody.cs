using System.Buffers;

namespace Sagas.Simulators.Records;

/// <summary>Bodies of requests, as they are recorded.</summary>
internal static class RequestBody
{
    /// <summary>The body, or the beginning of one that is too long.</summary>
    public static async Task<(byte[] Body, bool IsWhole)> ReadAsync(
        HttpRequest http,
        int maxBytes,
        CancellationToken cancellationToken
    )
    {
        var reader = http.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            if (read.IsCompleted || read.Buffer.Length > maxBytes)
            {
                var isWhole = read.Buffer.Length <= maxBytes;
                var body = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, maxBytes)).ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return (body, isWhole);
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>In valid JSON, line ends occur only between tokens, so a space means the same.</summary>
    public static void PutOnOneLine(Span<byte> json)
    {
        json.Replace((byte)'\r', (byte)' ');
        json.Replace((byte)'\n', (byte)' ');
    }
}
