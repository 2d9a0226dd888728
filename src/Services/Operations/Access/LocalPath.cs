namespace Sagas.Services.Operations.Access;

/// <summary>Where a form leads back to.</summary>
internal static class LocalPath
{
    /// <summary>The path if it is one of this site, otherwise the overview.</summary>
    public static string Of(string? path) =>
        path is ['/', ..]
        && !path.StartsWith("//", StringComparison.Ordinal)
        && !path.Contains('\\', StringComparison.Ordinal)
        && !path.Any(char.IsControl)
            ? path
            : "/";
}
