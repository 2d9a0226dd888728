using System.Security.Cryptography;
using System.Text;

namespace Sagas.Services.Alerts;

/// <summary>The alerts of a file up to one of them, by a hash over all of them in order.</summary>
/// <param name="Rows">How many.</param>
/// <param name="Hash">The hash.</param>
/// <param name="HashBeforeLast">The hash before the last of them.</param>
/// <param name="IsLastCut">Whether the file ends with the last of them, without a line break.</param>
internal sealed record AlertChain(long Rows, byte[] Hash, byte[] HashBeforeLast, bool IsLastCut)
{
    private static readonly byte[] _start = new byte[SHA256.HashSizeInBytes];

    /// <summary>No alerts.</summary>
    public static AlertChain Empty { get; } = new(0, _start, _start, false);

    /// <summary>The chain with another alert.</summary>
    public AlertChain With(AlertRequest alert, bool isCut)
    {
        var text = Encoding.UTF8.GetBytes($"{alert.UserId}\0{alert.AlertMessage}");
        return new AlertChain(Rows + 1, SHA256.HashData([.. Hash, .. text]), Hash, isCut);
    }
}
