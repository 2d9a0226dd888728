using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Sagas.Services.Operations.Pages;

/// <summary>The files that pages use. They are in the assembly, and their addresses change with their content.</summary>
/// <remarks>Not static web assets, which belong to the program that is published and are missing in one that hosts it.</remarks>
internal static class Asset
{
    private const string Prefix = "/assets/";

    private static readonly Dictionary<string, (byte[] Content, string Type, string Address)> _files = new[]
    {
        ("site.css", "text/css; charset=utf-8"),
        ("live.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    }.ToDictionary(file => file.Item1, file => Load(file.Item1, file.Item2));

    public static string Site => _files["site.css"].Address;

    public static string Live => _files["live.js"].Address;

    public static string Icon => _files["icon.svg"].Address;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet(
                Prefix + "{hash}/{name}",
                (string hash, string name, HttpContext context) =>
                {
                    if (!_files.TryGetValue(name, out var file) || file.Address != $"{Prefix}{hash}/{name}")
                        return Results.NotFound();
                    context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
                    return Results.Bytes(file.Content, file.Type);
                }
            )
            .AllowAnonymous()
            .ExcludeFromDescription();

    private static (byte[] Content, string Type, string Address) Load(string name, string type)
    {
        using var stream = typeof(Asset).Assembly.GetManifestResourceStream("assets/" + name)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return (content, type, $"{Prefix}{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 8))}/{name}");
    }
}
