using System.Diagnostics;
using Sagas.Cli.Database;

namespace Sagas.Cli.Files;

/// <summary>Rows per second of each open file, from two readings.</summary>
internal sealed class FileRateMeter
{
    private Dictionary<Guid, long>? _progress;
    private long _at;

    /// <summary>Adds the rates since the last reading; null at the first.</summary>
    public IReadOnlyList<FileRow>? Measure(IReadOnlyList<FileRow> rows)
    {
        var (before, seconds) = (_progress, Stopwatch.GetElapsedTime(_at).TotalSeconds);
        (_progress, _at) = (rows.ToDictionary(row => row.FileId, row => row.Progress), Stopwatch.GetTimestamp());
        return before is null
            ? null
            :
            [
                .. rows.Select(row =>
                    row.IsOpen && before.TryGetValue(row.FileId, out var then)
                        ? row with
                        {
                            PerSecond = (row.Progress - then) / seconds,
                        }
                        : row
                ),
            ];
    }
}
